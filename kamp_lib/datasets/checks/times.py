"""Time stamps and counters: repeated, too coarse, running backwards, starting over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.clocks import overlapping_files, summer_time
from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.dates import day_end_midnights, implausible_dates
from kamp_lib.datasets.checks.gaps import time_gaps
from kamp_lib.datasets.checks.stamps import Stamps, by_ids, lasting
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.mending import GRAINS, grain_of, rebuilt_times, ticks_of
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

SAID = {
    "day": Text("일(날짜)", "day"),
    "hour": Text("시", "hour"),
    "minute": Text("분", "minute"),
    "second": Text("초", "second"),
}
WORTH_A_WARNING = 0.01  # share of rows; fewer is a note
FEWEST = 10  # stamps that are worth a look
MOST_SOURCES = 1000  # beyond so many, what could be rebuilt is not tried out


def time_stamps(context: Context) -> list[Finding]:
    """Stamps that cannot be, repeat within one source, are too coarse, run back or leap."""
    looks: tuple[Callable[[Stamps], list[Finding]], ...] = (
        implausible_dates,
        day_end_midnights,
        coarse_or_repeated,
        unordered,
        time_gaps,
        summer_time,
        overlapping_files,
    )
    findings: list[Finding] = []
    for column in context.times:
        stamps = Stamps(context, column)
        if len(stamps.order) >= FEWEST:
            findings += [found for look in looks for found in look(stamps)]
    return findings


def coarse_or_repeated(stamps: Stamps) -> list[Finding]:
    """Stamps that occur again within one source."""
    if _only_forward(stamps):
        return []
    pairs = pd.DataFrame({"group": stamps.group, "stamp": stamps.times})
    repeated = pairs.duplicated().to_numpy()
    count = int(repeated.sum())
    # an image or part of the same instant is normal where records come in batches
    if not count:
        return []
    findings = []
    per_stamp = len(pairs) / (len(pairs) - count)
    right = stamps.times[~stamps.wrong]
    grain = grain_of(right) if len(right) else None
    # two records of one second may be two parts of one shot
    least = 3 if grain == "second" else 2
    if grain is not None and per_stamp >= least and len(pairs) - count > 1:
        findings.append(_coarse(stamps, grain, per_stamp))
    share = count / len(pairs)
    again = pairs.loc[repeated, "stamp"].drop_duplicates().head(3)
    findings.append(
        finding(
            "duplicate-timestamps",
            columns=stamps.names(),
            count=count,
            examples=again,
            severity=None if share >= WORTH_A_WARNING and not findings else "info",
            column=stamps.shown(),
        )
    )
    return findings


def _only_forward(stamps: Stamps) -> bool:
    """Whether within every source each stamp is later than the one before it."""
    later = np.diff(ticks_of(stamps.times)) > 0
    return bool((later | (np.diff(stamps.group) != 0)).all())


def _coarse(stamps: Stamps, grain: str, per_stamp: float) -> Finding:
    safe = _can_be_rebuilt(stamps)
    return finding(
        "coarse-timestamps",
        variant="safe" if safe else None,
        columns=stamps.names(),
        count=len(stamps.order),
        examples=stamps.times.iloc[:2],
        column=stamps.shown(),
        resolution=SAID[grain],
        per_stamp=per_stamp,
        step=lasting(GRAINS[grain] / round(per_stamp)),
    )


def _can_be_rebuilt(stamps: Stamps) -> bool:
    """Whether `rebuilt_times` works for every source."""
    parts = stamps.times.groupby(stamps.group, sort=False)
    if parts.ngroups > MOST_SOURCES:
        return False
    return all(rebuilt_times(part) is not None for _, part in parts)


def unordered(stamps: Stamps) -> list[Finding]:
    """Places where a source's time runs back: where, how often, and after which manner."""
    step, place = stamps.steps
    back = step < 0
    count = int(back.sum())
    if not count:
        return []
    manner = _manner(stamps, step[back], int((step > 0).sum()))
    few = count < WORTH_A_WARNING * len(stamps.order)
    return [
        finding(
            "unordered-timestamps",
            variant=manner,
            columns=stamps.names(),
            count=count,
            examples=stamps.said(place[back][:3]),
            severity="info" if manner == "newest-first" or few else None,
            column=stamps.shown(),
            longest=lasting(-int(step.min())),
        )
    ]


def _manner(stamps: Stamps, back: np.ndarray, ahead: int) -> str | None:
    """How the order was lost; None: the rows are shuffled."""
    if len(back) >= 20 and ahead <= 0.01 * len(back):
        return "newest-first"
    if len(stamps.order) >= 50 * len(back):
        return "restart"
    return "late" if (-back <= 10 * stamps.usual).mean() >= 0.9 else None


def restarting_id(context: Context) -> list[Finding]:
    """A counter that goes up by one, and starts over within one file and run."""
    findings = []
    for column, number in context.numbers.items():
        counter = context.names_records(column) or context.role(column) == "id"
        if not counter or len(number) < 50 or not np.isfinite(number).all():
            continue
        if (np.diff(number) >= 0).all():
            continue  # nor does it fall within a file
        grouped = by_ids(context, column)
        order = np.argsort(grouped, kind="stable")
        step = np.diff(number[order])[np.diff(grouped[order]) == 0]
        if not len(step) or (step == 1).mean() < 0.9:
            continue
        count = int((step < 0).sum())
        if not count:
            continue
        findings.append(
            finding(
                "restarting-id",
                columns=context.names(column),
                count=count,
                examples=[f"{number.min():g} ~ {number.max():g}"],
                column=context.shown(column),
            )
        )
    return findings
