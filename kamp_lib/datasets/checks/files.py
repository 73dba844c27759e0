"""Files of days or months: is one of them missing?"""

from __future__ import annotations

import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

FEWEST = 5  # files that make a habit
SAID = {"D": Text("일", "day(s)"), "M": Text("개월", "month(s)")}
# How long a file of a day or month is: the least of most of them, and the most.
LENGTHS = {
    "D": (pd.Timedelta(0), pd.Timedelta(hours=26)),
    "M": (pd.Timedelta(days=15), pd.Timedelta(days=32)),
}


def missing_files(context: Context) -> list[Finding]:
    """Days or months without a file, where every other one has its own."""
    if FILE not in context.frame.columns or not context.times:
        return []
    if len(context.files[1]) < FEWEST:
        return []
    column = context.times[0]
    times = context.frame[column].groupby(context.frame[FILE], sort=False)
    spans = pd.DataFrame({"first": times.min(), "last": times.max()}).dropna()
    if len(spans) < FEWEST:
        return []
    for every, (least, most) in LENGTHS.items():
        length = (spans["last"] - spans["first"]).to_numpy()
        has = pd.PeriodIndex(spans["first"], freq=every)
        own = (
            has.is_unique and (length <= most).all() and (length >= least).mean() > 0.5
        )
        if own and (missing := _between(has, every)):
            return [_said(context, column, missing, every)]
    return []


def _between(has: pd.PeriodIndex, every: str) -> list[str]:
    """What is missing; Saturdays and Sundays only where others were worked on."""
    whole = pd.period_range(has.min(), has.max(), freq=every)
    missing = whole.difference(has)
    if every == "D":
        worked = {day for day in (5, 6) if (has.day_of_week == day).any()}
        free = missing.day_of_week.isin(sorted({5, 6} - worked))
        missing = missing[~free]
    # where most are missing, the files follow no calendar
    return [str(day) for day in missing] if len(missing) * 2 <= len(has) else []


def _said(context: Context, column: str, missing: list[str], every: str) -> Finding:
    return finding(
        "missing-files",
        columns=context.names(column),
        count=len(missing),
        examples=missing,
        span=SAID[every],
    )
