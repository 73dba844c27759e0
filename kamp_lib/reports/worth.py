"""What a threshold is worth in KRW a month, from counts of the run and edited prices."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

from kamp_lib.reports.facts import Facts, Point
from kamp_lib.runs import RunRecord


@dataclass(frozen=True)
class Prices:
    """What a company may put in. `edited` names the fields it has."""

    cost_missed: float
    cost_false_alarm: float
    cases_per_month: float
    bad_share: float
    edited: frozenset[str] = frozenset()

    def put(self, field: str, value: float) -> Prices:
        """With one field set by a person."""
        return replace(self, **{field: value}, edited=self.edited | {field})


@dataclass(frozen=True)
class Worth:
    """One month, in cases and KRW."""

    defects: float
    found: float
    missed: float
    false_alarms: float
    cost: float
    cost_release: float
    cost_check: float

    @property
    def without(self) -> float:
        """The cheaper way to do without a model: let all pass, or recheck all."""
        return min(self.cost_release, self.cost_check)

    @property
    def saving(self) -> float:
        return self.without - self.cost


def prices_of(record: RunRecord) -> Prices | None:
    """The prices a run started from, with what a person had already set."""
    money = record.money
    if money is None:
        return None
    names = {"cost_missed", "cost_false_alarm", "monthly_cases"} & set(record.edited)
    edited = {"cases_per_month" if n == "monthly_cases" else n for n in names}
    return Prices(
        cost_missed=money.cost_missed,
        cost_false_alarm=money.cost_false_alarm,
        cases_per_month=money.cases_per_month,
        bad_share=money.base_rate,
        edited=frozenset(edited),
    )


def worth(point: Point, facts: Facts, prices: Prices) -> Worth:
    """Carry the rates of a threshold over to a month of the company's production.

    The share of bad cases in a data set is often not the one of production, so the
    rates of missed and false alarms are carried over, not the counts.
    """
    defects = prices.cases_per_month * prices.bad_share
    good = prices.cases_per_month - defects
    missed = defects * point.missed / facts.bad_cases if facts.bad_cases else 0.0
    false_alarms = (
        good * point.false_alarms / facts.good_cases if facts.good_cases else 0.0
    )
    return Worth(
        defects=defects,
        found=defects - missed,
        missed=missed,
        false_alarms=false_alarms,
        cost=missed * prices.cost_missed + false_alarms * prices.cost_false_alarm,
        cost_release=defects * prices.cost_missed,
        cost_check=good * prices.cost_false_alarm,
    )


def nearest(points: list[Point], threshold: float | None) -> int:
    """Index of the lowest threshold that is not below `threshold`."""
    if threshold is None:
        return 0
    found = bisect_left(points, threshold - 1e-9, key=lambda p: p.threshold)
    return min(found, len(points) - 1)
