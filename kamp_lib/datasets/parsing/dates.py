"""Which of three numbers is the year, the month and the day: by evidence, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from kamp_lib.datasets.options import DateOrder
from kamp_lib.datasets.parsing.notations import Fields

AHEAD = 20  # two-digit years run to so many years from now: best-before dates do
ORDERS: tuple[DateOrder, ...] = ("ymd", "mdy", "dmy")
NOWHERE = np.datetime64("NaT", "D")
WEEKEND = 4  # days between two working days of a plant, at most
IN_FILE_NAME = re.compile(
    r"(?<!\d)(?P<y>20\d{2}|\d{2})(?P<s>[-_.]?)(?P<m>\d{2})(?P=s)(?P<d>\d{2})(?!\d)"
)


def days(fields: Fields, order: DateOrder) -> np.ndarray:
    """The day of every row when doubtful dates are read in this order; else NaT.

    A year of four digits and a month in words are never doubtful: they stay where
    they are written.
    """
    year_first = (fields.digits_a == 4) | (
        (fields.digits_c != 4) & (order == "ymd") & ~fields.named
    )
    day_first = fields.named | (order == "dmy")
    year = np.where(year_first, fields.a, fields.c)
    month = np.where(year_first | day_first, fields.b, fields.a)
    day = np.where(year_first, fields.c, np.where(day_first, fields.a, fields.b))
    digits = np.where(year_first, fields.digits_a, fields.digits_c)
    year = np.where(digits == 2, _century(year), year)
    # a month without a day (Jan-98) stands for its first day
    no_day = np.where(year_first, fields.digits_c, fields.digits_a) == 0
    known = fields.known & ((digits == 4) | (digits == 2))
    result = date_of(year, month, np.where(no_day, 1, day))
    return np.where(known, result, NOWHERE)


def _century(two_digits: np.ndarray) -> np.ndarray:
    latest = date.today().year + AHEAD
    year = latest - latest % 100 + two_digits
    return np.where(year > latest, year - 100, year)


def date_of(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days of the calendar; NaT where there is no such day."""
    right = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    right &= (year >= 1800) & (year <= 9999)
    months = np.where(right, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("datetime64[M]")
    result = first.astype("datetime64[D]") + (day - 1)
    right &= result.astype("datetime64[M]") == first
    return np.where(right, result, NOWHERE)


def by_no_future(readings: dict[DateOrder, pd.Series]) -> DateOrder | None:
    """The only reading in which no record comes from the future."""
    now = pd.Timestamp.now() + pd.Timedelta(days=1)
    past = [order for order, times in readings.items() if times.max() <= now]
    return past[0] if len(past) == 1 else None


def by_order(readings: dict[DateOrder, pd.Series]) -> DateOrder | None:
    """The only reading in which the rows run on in time, from one day to the next.

    Records are written one after another; with day and month exchanged, the days of
    one week are scattered over months. Where two readings both run on, the one without
    leaps is right, provided that the clock runs through each of its days (one value a
    day read from 4/5, 5/5, 6/5 may as well be one a month).
    """
    known = [times.dropna() for times in readings.values()]
    runs = {o: _runs_on(t) for o, t in zip(readings, known, strict=True)}
    straight = [order for order, (forward, _, _) in runs.items() if forward >= 0.99]
    if len(straight) == 1:
        rest = max(f for o, (f, _, _) in runs.items() if o != straight[0])
        if rest <= 0.9:
            return straight[0]
    dense = [order for order, (_, close, _) in runs.items() if close >= 0.9]
    often = all(per_day >= 3 for _, _, per_day in runs.values()) or dense == ["ymd"]
    return dense[0] if len(dense) == 1 and often else None


def _runs_on(times: pd.Series) -> tuple[float, float, float]:
    """Share of steps in one direction, share that are short, and rows per day."""
    day = times.to_numpy().astype("datetime64[D]").astype(np.int64)
    step = np.diff(day)
    step = step[step != 0]
    if len(step) < 2:
        return (0.0, 0.0, 0.0)
    forward = float((step > 0).mean())
    per_day = len(day) / (len(step) + 1)
    return (
        max(forward, 1 - forward),
        float((np.abs(step) <= WEEKEND).mean()),
        per_day,
    )


def by_other_times(
    readings: dict[DateOrder, pd.Series], others: Iterable[pd.Series]
) -> DateOrder | None:
    """The only reading within two days of another time column, row by row."""
    for other in others:
        near = []
        for order, times in readings.items():
            apart = (times - other).abs().dropna()
            if len(apart) and (apart <= pd.Timedelta(days=2)).mean() >= 0.9:
                near.append(order)
        if len(near) == 1:
            return near[0]
    return None


def by_file_names(
    readings: dict[DateOrder, pd.Series], files: pd.Series
) -> DateOrder | None:
    """The only reading that holds the days in the names of the files."""
    named = files.map({name: date_in_name(name) for name in files.unique()})
    if named.isna().all():
        return None
    return by_other_times(readings, [named.astype("datetime64[us]")])


def date_in_name(name: str) -> pd.Timestamp | None:
    """The day in a file's name, when there is just one.

    >>> date_in_name("press_20201016.csv")
    Timestamp('2020-10-16 00:00:00')
    """
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    found = set()
    for hit in IN_FILE_NAME.finditer(stem):
        year = int(hit["y"]) + (2000 if len(hit["y"]) == 2 else 0)
        try:
            found.add(pd.Timestamp(year, int(hit["m"]), int(hit["d"])))
        except ValueError:
            continue
    return found.pop() if len(found) == 1 else None
