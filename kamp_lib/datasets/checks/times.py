"""Time stamps and counters: repeated, too coarse, running backwards, starting over."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

NANOSECONDS = {
    "day": 86_400_000_000_000,
    "hour": 3_600_000_000_000,
    "minute": 60_000_000_000,
    "second": 1_000_000_000,
}
SAID = {
    "day": Text("일(날짜)", "day"),
    "hour": Text("시", "hour"),
    "minute": Text("분", "minute"),
    "second": Text("초", "second"),
}
WORTH_A_WARNING = 0.01  # share of rows; fewer is a note


def time_stamps(context: Context) -> list[Finding]:
    """Stamps that repeat within one machine's records, are too coarse, or run back."""
    findings: list[Finding] = []
    for column in context.times:
        stamps = context.frame[column]
        if stamps.notna().sum() < 10:
            continue
        group = _group(context, column)
        findings += _coarse_or_repeated(context, column, stamps, group)
        findings += _unordered(context, column, stamps, group)
    return findings


def _group(context: Context, column: str) -> np.ndarray:
    """A number per row: the machine, run or part that the record belongs to."""
    keys = [c for c in context.groups if c != column]
    if not keys:
        return np.zeros(len(context.frame), dtype=np.int64)
    grouped = context.frame.groupby(keys, dropna=False, sort=False)
    return grouped.ngroup().to_numpy()


def _coarse_or_repeated(
    context: Context, column: str, stamps: pd.Series, group: np.ndarray
) -> list[Finding]:
    held = stamps.notna().to_numpy()
    pairs = pd.DataFrame({"group": group[held], "stamp": stamps[held].to_numpy()})
    repeated = pairs.duplicated()
    count = int(repeated.sum())
    share = count / len(pairs)
    # an image or part of the same instant is normal where records come in batches
    if not count:
        return []
    findings = []
    per_stamp = len(pairs) / (len(pairs) - count)
    grain = resolution(stamps)
    # two records of one second may be two parts of one shot
    least = 3 if grain == "second" else 2
    if grain is not None and per_stamp >= least and len(pairs) - count > 1:
        findings.append(
            finding(
                "coarse-timestamps",
                columns=context.names(column),
                count=len(pairs),
                examples=_stamps(stamps[held].iloc[:2]),
                column=context.shown(column),
                resolution=SAID[grain],
                per_stamp=per_stamp,
            )
        )
    findings.append(
        finding(
            "duplicate-timestamps",
            columns=context.names(column),
            count=count,
            examples=_stamps(pairs.loc[repeated, "stamp"].drop_duplicates().head(3)),
            severity=None if share >= WORTH_A_WARNING else "info",
            column=context.shown(column),
        )
    )
    return findings


def resolution(stamps: pd.Series) -> str | None:
    """The coarsest unit that all stamps are whole numbers of; None below seconds."""
    ticks = _ticks(stamps.dropna())
    for name, size in NANOSECONDS.items():
        if not (ticks % size).any():
            return name
    return None


def _ticks(stamps: pd.Series) -> np.ndarray:
    """Nanoseconds as the clock on the wall shows them."""
    wall = stamps.dt.tz_localize(None) if stamps.dt.tz is not None else stamps
    return wall.to_numpy().astype("datetime64[ns]").astype(np.int64)


def _unordered(
    context: Context, column: str, stamps: pd.Series, group: np.ndarray
) -> list[Finding]:
    held = stamps.notna().to_numpy()
    time = _ticks(stamps[held])
    order = np.argsort(group[held], kind="stable")
    same = np.diff(group[held][order]) == 0
    step = np.diff(time[order])
    back = (step < 0) & same
    count = int(back.sum())
    ahead = int(((step > 0) & same).sum())
    if not count:
        return []
    places = np.flatnonzero(back)[:3]
    shown = stamps[held].iloc[order[places + 1]]
    # newest first is an order too, and a stray row is a note, not a warning
    newest_first = count >= 20 and ahead <= 0.01 * count
    few = count < WORTH_A_WARNING * held.sum()
    return [
        finding(
            "unordered-timestamps",
            columns=context.names(column),
            count=count,
            examples=_stamps(shown),
            severity="info" if newest_first or few else None,
            column=context.shown(column),
        )
    ]


def _stamps(stamps: pd.Series) -> list[str]:
    return [str(pd.Timestamp(s)) for s in stamps]


def restarting_id(context: Context) -> list[Finding]:
    """A counter that goes up by one, and starts over within one file and run."""
    findings = []
    for column, number in context.numbers.items():
        counter = context.names_records(column) or context.role(column) == "id"
        if not counter or len(number) < 50 or not np.isfinite(number).all():
            continue
        grouped = _group(context, column)
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
