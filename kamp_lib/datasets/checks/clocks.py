"""Clocks that are wrong: files that overlap, columns that drift, summer time in Korea."""

from __future__ import annotations

from datetime import date, timedelta

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
FEWEST = 50  # rows from which a drift can be told
PARTLY = (
    0.2  # of the shorter file: two records one after the other, the clock set between
)


def overlapping_files(stamps: Stamps) -> list[Finding]:
    """Files that follow one another, but whose clocks say that they ran at once."""
    spans = _spans(stamps)
    if len(spans) < 2:
        return []
    end, start = spans["end"].to_numpy()[:-1], spans["start"].to_numpy()[1:]
    shorter = np.minimum(spans["long"].to_numpy()[:-1], spans["long"].to_numpy()[1:])
    overlap = end - start
    at_once = overlap > 2 * stamps.usual
    partly = at_once & (overlap <= PARTLY * shorter)
    if not partly.any() or (at_once & ~partly).any() or at_once.mean() > 0.5:
        return []  # machines that run side by side
    places = np.flatnonzero(partly)
    by_hours = np.abs(overlap[places] - KOREA) <= max(60 * SECOND, 2 * stamps.usual)
    names = spans.index
    return [
        finding(
            "clock-drift",
            variant="hours" if by_hours.all() else None,
            columns=stamps.names(),
            count=len(places),
            examples=[f"{names[p]} → {names[p + 1]}" for p in places[:3]],
            column=stamps.shown(),
            longest=lasting(int(overlap[places].max())),
        )
    ]


def _spans(stamps: Stamps) -> pd.DataFrame:
    """Start and end of every file, in the order of time; empty unless files are records."""
    frame = stamps.context.frame
    nothing = pd.DataFrame()
    if FILE not in frame.columns or stamps.usual == 0:
        return nothing
    file = frame[FILE].iloc[stamps.order].to_numpy()[~stamps.wrong]
    ticks = pd.Series(stamps.ticks[~stamps.wrong])
    parts = ticks.groupby(file, sort=False)
    if not 2 <= parts.ngroups <= MOST_FILES:
        return nothing
    spans = pd.DataFrame(
        {"start": parts.min(), "end": parts.max(), "rows": parts.size()}
    )
    spans["long"] = spans["end"] - spans["start"]
    spans = spans[spans["rows"] >= 10].sort_values("start")
    return spans if len(spans) >= 2 else nothing


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
