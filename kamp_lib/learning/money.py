"""How many cases a month, and the prices a page multiplies them with."""

from __future__ import annotations

import pandas as pd

from kamp_lib.catalog import families, standard_model
from kamp_lib.learning.outcome import Money
from kamp_lib.learning.task import Task

DAYS_PER_MONTH = 30.4
WORKDAYS_PER_MONTH = 21
# A shorter record than this cannot tell how often the line stands still.
LONG_ENOUGH_DAYS = 7.0
STRAY = 0.05
PRICES = ("cost_missed", "cost_false_alarm")


def money_for(task: Task, time: pd.Series, *, cases: int, base_rate: float) -> Money:
    """Counts and prices; what nobody told us is marked as an assumption.

    Parameters
    ----------
    time : Series of UTC times, may be all missing
        When the cases happened: from it the month is estimated.
    base_rate : float
        Share of bad cases.
    """
    told = task.parameters.get("monthly_cases")
    if told is not None:
        per_month, assumed = float(told), False
    else:
        per_month, assumed = _estimated(time, cases)
    return Money(
        cases_per_month=per_month,
        cases_per_month_is_assumption=assumed,
        cost_missed=task.number("cost_missed"),
        cost_false_alarm=task.number("cost_false_alarm"),
        prices_are_assumption=all(_untouched(task, name) for name in PRICES),
        base_rate=base_rate,
    )


def _estimated(time: pd.Series, cases: int) -> tuple[float, bool]:
    known = time.dropna()
    if known.empty:
        return float(cases), True
    # a stray date years away must not stretch the record
    ordered = known.sort_values()
    stray = int(STRAY * len(ordered))
    first, last = ordered.iloc[stray], ordered.iloc[len(ordered) - 1 - stray]
    days = (last - first).total_seconds() / 86400 / (1 - 2 * STRAY)
    if days >= LONG_ENOUGH_DAYS:
        return round(cases / days * DAYS_PER_MONTH), False
    known = known[(known >= first) & (known <= last)]
    worked = max(known.dt.floor("D").nunique(), 1)
    return round(cases / worked * WORKDAYS_PER_MONTH), True


def _untouched(task: Task, name: str) -> bool:
    """Whether a price is still the catalogue's default, so nobody's own."""
    parameter = families()[task.family].parameter(name)
    default = parameter.default if parameter else None
    if task.model is not None:
        default = standard_model(task.model).defaults.get(name, default)
    return task.parameters.get(name) == default
