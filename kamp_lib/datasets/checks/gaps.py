"""Gaps in a record: how often it should come, what is missing, and when the plant stood."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.stamps import SECOND, Stamps, lasting
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.mending import DAY
from kamp_lib.datasets.types import Finding

HOUR = 3600 * SECOND
MILLISECOND = SECOND // 1000
STEADY = 0.8  # of the steps are alike: a logger with a fixed rate
STEADY_DAYS = 0.6  # of the steps of a record a day: four of five without weekends
JITTER = 0.02  # of the step; cycles of a machine vary more
LEAP = 1.5  # times the usual step: a record is missing
PAUSE = 50  # times the usual step, where records come as parts do
SHORTEST_PAUSE = 1800 * SECOND
WORTH_A_WARNING = 0.01  # of the records that should be there
NIGHT = (22 * HOUR, 30 * HOUR)  # counted from midnight of the evening
DAILY = 20 * HOUR
RARE = 0.2  # of the nights: then the plant works at night


def time_gaps(stamps: Stamps) -> list[Finding]:
    """Missing records of a logger, or pauses in a record of parts."""
    ticks, step = stamps.in_time
    moving = step[step > 0]
    if len(moving) < 20 or stamps.usual == 0:
        return []
    usual = stamps.usual
    jitter = max(JITTER * usual, 5 * MILLISECOND)
    steady = float((np.abs(moving - usual) <= jitter).mean())
    daily = usual >= DAILY
    fixed = steady >= (STEADY_DAYS if daily else STEADY)
    least = LEAP * usual if fixed else max(PAUSE * usual, SHORTEST_PAUSE)
    gap = np.flatnonzero(step > least)
    if not len(gap):
        return []
    start, end = ticks[gap], ticks[gap] + step[gap]
    if daily:  # a record a day: of what is missing only weekends can be explained
        still = _holds_noon_of_a_weekend(start, end) & (end - start <= 4 * DAY)
    else:
        still = standstill(start, end, int(ticks.max() - ticks.min()))
    lost = gap[~still]
    missing = int((np.round(step[lost] / usual) - 1).sum())
    if len(lost) and missing <= stamps.wrong.sum() + stamps.context.rejected:
        return []  # those records are there, under a date that cannot be, or rejected
    share = missing / (len(ticks) + missing)
    shown = lost if len(lost) else gap
    longest = shown[np.argsort(-step[shown], kind="stable")][:3]
    variant = "standstill" if not len(lost) else None if fixed else "pauses"
    warn = variant is None and share >= WORTH_A_WARNING and not daily
    return [
        finding(
            "time-gaps",
            variant=variant,
            columns=stamps.names(),
            count=len(shown),
            examples=dict.fromkeys(_said(ticks[at], step[at]) for at in longest),
            severity="warning" if warn else "info",
            column=stamps.shown(),
            step=lasting(usual),
            steady=steady,
            missing=missing,
            standstills=int(still.sum()),
            longest=lasting(int(step[longest[0]])),
        )
    ]


def standstill(start: np.ndarray, end: np.ndarray, span: int) -> np.ndarray:
    """Which gaps are the plant at rest: nights, weekends, the same break every day."""
    weekend = _holds_noon_of_a_weekend(start, end)
    night = _spent_at_night(start, end) >= 3 * HOUR
    nights = span / DAY
    if nights >= 5 and len(np.unique(start[night] // DAY)) < RARE * nights:
        night[:] = False  # a plant that works at night lost a record there
    return weekend | night | _recurring(start, end)


def _holds_noon_of_a_weekend(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    noon = 12 * HOUR
    # days are numbered from Thursday, 1970-01-01: a Saturday is 2, a Sunday is 3
    first = -(-(start - noon) // DAY)
    last = (end - noon) // DAY
    to_saturday = (2 - first) % 7
    return (first <= last) & ((first + to_saturday <= last) | (first % 7 == 3))


def _spent_at_night(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The longest stay of a gap in one night from 22:00 to 06:00."""
    evening = start // DAY * DAY
    stays = [
        np.minimum(end, evening + day * DAY + NIGHT[1])
        - np.maximum(start, evening + day * DAY + NIGHT[0])
        for day in (-1, 0)
    ]
    return np.maximum.reduce([*stays, np.zeros(len(start), np.int64)])


def _recurring(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Breaks of ten minutes and more that begin at the same time on three days or more."""
    breaks = pd.DataFrame({"slot": start % DAY // (HOUR // 2), "day": start // DAY})
    long = end - start >= HOUR // 6
    days = breaks[long].groupby("slot")["day"].nunique()
    return long & breaks["slot"].map(days).fillna(0).ge(3).to_numpy()


def _said(start: int, step: int) -> str:
    first, last = (pd.Timestamp(int(t), unit="us") for t in (start, start + step))
    return f"{first:%Y-%m-%d %H:%M:%S} ~ {last:%Y-%m-%d %H:%M:%S}"
