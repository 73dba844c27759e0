"""Numbers that are times: 20201016165747, seconds since 1970, days since 1900.

A number is taken for a time only with evidence: the name of its column, values between
1990 and 2040, and an order that runs on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamp_lib.datasets.parsing.dates import date_of
from kamp_lib.datasets.parsing.time_names import names_a_day, names_a_time
from kamp_lib.text import Text

FIRST, LAST = 1990, 2040  # years
SECONDS = (631_152_000, 2_240_524_800)  # of these years, since 1970
SERIALS = (32_874, 51_502)  # the same in days of a spreadsheet
TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DIGITS = {8: 10**9, 10: 10**7, 12: 10**5, 14: 10**3, 17: 1}  # what makes 17 of them
RUNS_ON = 0.9
MEANING = {
    "s": Text("1970년부터 센 초(UTC)", "seconds since 1970 (UTC)"),
    "ms": Text("1970년부터 센 밀리초(UTC)", "milliseconds since 1970 (UTC)"),
    "us": Text("1970년부터 센 마이크로초(UTC)", "microseconds since 1970 (UTC)"),
    "ns": Text("1970년부터 센 나노초(UTC)", "nanoseconds since 1970 (UTC)"),
    "excel": Text("엑셀의 날짜 일련번호", "serial dates of a spreadsheet"),
}


@dataclass(frozen=True)
class Counted:
    """Times that were numbers, and what the numbers mean: `digits`, or a key of `MEANING`."""

    values: pd.Series
    meaning: str


def counted_times(name: str, values: pd.Series, time_zone: str) -> Counted | None:
    """A column of numbers as local times, or None when it is none."""
    known = values.dropna()
    if not len(known) or not pd.api.types.is_numeric_dtype(known):
        return None
    numbers = known.to_numpy()
    low, high = numbers.min(), numbers.max()
    if low < SERIALS[0] or not np.isfinite(high):
        return None
    ways: tuple[Callable[..., Counted | None], ...] = (_digits, _epoch, _serial)
    for way in ways:
        found = way(name, numbers, low, high, time_zone)
        if found is not None:
            times = pd.Series(np.datetime64("NaT"), values.index, "datetime64[us]")
            times[values.notna()] = found.values.to_numpy()
            return Counted(times, found.meaning)
    return None


def _digits(
    name: str, numbers: np.ndarray, low: float, high: float, _zone: str
) -> Counted | None:
    width = len(str(int(low)))
    if width not in DIGITS or len(str(int(high))) != width:
        return None
    if not FIRST <= int(low) // 10 ** (width - 4) <= LAST:
        return None
    if np.any(numbers != np.floor(numbers)):
        return None
    # eight or ten digits alone may be a lot number
    if not names_a_time(name) and (width <= 10 or len(np.unique(numbers)) < 3):
        return None
    whole = numbers.astype(np.int64) * DIGITS[width]
    date, clock = np.divmod(whole, 10**9)
    hour, minute = clock // 10**7, clock // 10**5 % 100
    second, milli = clock // 1000 % 100, clock % 1000
    day = date_of(date // 10_000, date // 100 % 100, date % 100)
    ticks = ((hour * 60 + minute) * 60 + second) * 1000 + milli
    right = (minute < 60) & (second < 60) & (ticks <= 86_400_000) & ~np.isnat(day)
    if not right.all():
        return None
    times = day.astype("datetime64[us]") + ticks.astype("timedelta64[ms]")
    return Counted(pd.Series(times), "digits")


def _epoch(
    name: str, numbers: np.ndarray, low: float, high: float, time_zone: str
) -> Counted | None:
    for unit, size in TICKS.items():
        if low < SECONDS[0] * size or high > SECONDS[1] * size:
            continue
        if not names_a_time(name) or not _runs_on(numbers):
            return None
        if pd.api.types.is_float_dtype(numbers):
            micro = np.round(numbers * (10**6 / size)).astype(np.int64)
        else:
            whole = numbers.astype(np.int64)
            micro = whole // 1000 if unit == "ns" else whole * (10**6 // size)
        utc = pd.Series(micro.astype("datetime64[us]")).dt.tz_localize("UTC")
        return Counted(utc.dt.tz_convert(time_zone).dt.tz_localize(None), unit)
    return None


def _serial(
    name: str, numbers: np.ndarray, low: float, high: float, _zone: str
) -> Counted | None:
    if high > SERIALS[1] or not names_a_time(name) or not _runs_on(numbers):
        return None
    step = np.abs(np.diff(numbers.astype(float)))
    whole = bool(np.all(numbers == np.floor(numbers)))
    # seconds of a stop watch may lie in this range too: they do not crawl
    if len(step) and not whole and np.median(step) > 0.5:
        return None
    if whole and not names_a_day(name):
        return None
    milli = np.round(numbers.astype(float) * 86_400_000).astype(np.int64)
    start = np.datetime64("1899-12-30", "us")
    return Counted(pd.Series(start + milli.astype("timedelta64[ms]")), "excel")


def _runs_on(numbers: np.ndarray) -> bool:
    step = np.diff(numbers)
    if not len(step):
        return True
    return bool(max((step >= 0).mean(), (step <= 0).mean()) >= RUNS_ON)
