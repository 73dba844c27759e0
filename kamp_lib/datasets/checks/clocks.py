"""Clocks that are wrong: files that overlap, columns that drift, summer time in Korea."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.gaps import HOUR
from kamp_lib.datasets.checks.stamps import SECOND, Stamps, lasting
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.mending import DAY, ticks_of
from kamp_lib.datasets.raw import FILE
from kamp_lib.datasets.types import Finding

KOREA = 9 * HOUR  # ahead of UTC
MOST_FILES = 5000
FEWEST_ROWS = 10  # of a file that may tell its clock
FEWEST = 50  # rows from which a drift can be told
# Of the shorter file: more, and two machines ran side by side.
PARTLY = 0.5


def overlapping_files(stamps: Stamps) -> list[Finding]:
    """Files that follow one another, but share a stretch of time at their ends.

    Where the stamps agree, one stretch was exported twice; where they do not, the
    clock was set in between.
    """
    files = _spans(stamps)
    pairs = list(pairwise(files))
    at_once = [a.end - b.start > 2 * stamps.usual for a, b in pairs]
    if not pairs or sum(at_once) > len(pairs) / 2:
        return []  # machines that run side by side
    shared = [pair for pair, both in zip(pairs, at_once, strict=True) if both]
    if any(a.end - b.start > PARTLY * min(a.length, b.length) for a, b in shared):
        return []
    twice = [_in_both(a, b) >= 0.5 for a, b in shared]
    again = [pair for pair, is_ in zip(shared, twice, strict=True) if is_]
    drift = [pair for pair, is_ in zip(shared, twice, strict=True) if not is_]
    return _overlap(stamps, "overlapping-files", again) + _overlap(
        stamps, "clock-drift", drift
    )


@dataclass(frozen=True)
class _Span:
    """The time that one file covers."""

    name: str
    ticks: np.ndarray  # ascending

    @property
    def start(self) -> int:
        return int(self.ticks[0])

    @property
    def end(self) -> int:
        return int(self.ticks[-1])

    @property
    def length(self) -> int:
        return self.end - self.start


def _spans(stamps: Stamps) -> list[_Span]:
    """The files in the order of time."""
    frame = stamps.context.frame
    if FILE not in frame.columns or stamps.usual == 0:
        return []
    codes, names = stamps.context.files
    if len(names) < 2:
        return []
    file = codes[stamps.order][~stamps.wrong]
    parts = pd.Series(stamps.ticks[~stamps.wrong]).groupby(file, sort=False)
    if not 2 <= parts.ngroups <= MOST_FILES:
        return []
    spans = [_Span(str(names[code]), np.sort(part.to_numpy())) for code, part in parts]
    long = [span for span in spans if len(span.ticks) >= FEWEST_ROWS]
    return sorted(long, key=lambda span: span.start)


def _in_both(one: _Span, other: _Span) -> float:
    """Share of the stamps in the common stretch of the later file that both hold."""
    common = other.ticks[other.ticks <= one.end]
    return float(np.isin(common, one.ticks).mean())


def _overlap(
    stamps: Stamps, code: str, pairs: list[tuple[_Span, _Span]]
) -> list[Finding]:
    if not pairs:
        return []
    lengths = np.array([a.end - b.start for a, b in pairs])
    near = max(60 * SECOND, 2 * stamps.usual)
    hours = code == "clock-drift" and bool((np.abs(lengths - KOREA) <= near).all())
    return [
        finding(
            code,
            variant="hours" if hours else None,
            columns=stamps.names(),
            count=len(pairs),
            examples=[f"{a.name} → {b.name}" for a, b in pairs[:3]],
            column=stamps.shown(),
            longest=lasting(int(lengths.max())),
        )
    ]


def summer_time(stamps: Stamps) -> list[Finding]:
    """An hour that is missing or doubled where other countries set their clocks."""
    step, place = stamps.steps
    if stamps.usual == 0 or stamps.usual > HOUR // 2:
        return []
    near = max(2 * stamps.usual, 60 * SECOND)
    leap = np.abs(step - HOUR) <= near
    back = np.abs(step + HOUR) <= near
    found = []
    for index in np.flatnonzero((leap & (step > near)) | back):
        after = int(stamps.ticks[place[index]])
        before = after - int(step[index])
        if _sets_clocks(before, after, near):
            found.append(place[index])
    if not found:
        return []
    return [
        finding(
            "summer-time",
            columns=stamps.names(),
            count=len(found),
            examples=stamps.said(np.array(found[:3])),
            column=stamps.shown(),
        )
    ]


def _sets_clocks(before: int, after: int, near: int) -> bool:
    """Whether a step of an hour is one that a zone with summer time makes."""
    day = date(1970, 1, 1) + timedelta(days=after // DAY)
    if day.weekday() != 6:
        return False
    last = (day + timedelta(days=7)).month != day.month
    america = {3: 8 <= day.day <= 14, 11: day.day <= 7}.get(day.month, False)
    europe = last and day.month in (3, 10)
    forward = day.month == 3
    if not (america or europe) or (after > before) != forward:
        return False
    # two o'clock is left out in spring; in autumn it strikes two (or three) twice
    until = (2,) if forward else (2, 3)
    return any(abs(before % DAY - hour * HOUR) <= near for hour in until)


def drifting_columns(context: Context) -> list[Finding]:
    """Two time columns of the same records that part, or are nine hours apart."""
    columns = [
        c for c in context.columns
        if pd.api.types.is_datetime64_any_dtype(context.frame[c])
    ][:4]  # fmt: skip
    findings = []
    for place, one in enumerate(columns):
        for other in columns[place + 1 :]:
            findings += _drift(context, one, other)
    return findings


def _drift(context: Context, one: str, other: str) -> list[Finding]:
    both = context.frame[[one, other]].dropna()
    if len(both) < FEWEST:
        return []
    apart = (ticks_of(both[other]) - ticks_of(both[one])).astype(float)
    middle = float(np.median(apart))
    noise = float(np.median(np.abs(apart - middle)))
    tenth = max(10, len(apart) // 10)
    drift = float(np.median(apart[-tenth:]) - np.median(apart[:tenth]))
    trend = np.polyfit(np.arange(len(apart)), apart, 1)
    rest = float(np.median(np.abs(apart - np.polyval(trend, np.arange(len(apart))))))
    hours = abs(abs(middle) - KOREA) <= 60 * SECOND and noise <= 60 * SECOND
    drifts = 60 * SECOND < abs(drift) < DAY and abs(drift) > 10 * rest
    if not hours and not (drifts and np.abs(apart).max() < DAY):
        return []
    start, end = (
        lasting(abs(np.median(part))) for part in (apart[:tenth], apart[-tenth:])
    )
    return [
        finding(
            "clock-drift",
            variant="columns-hours" if hours else "columns",
            columns=context.names(one, other),
            count=len(both),
            examples=both.iloc[-1].astype(str),
            column=context.shown(one),
            other=context.shown(other),
            start=start,
            end=end,
            longest=lasting(float(np.abs(apart).max())),
        )
    ]
