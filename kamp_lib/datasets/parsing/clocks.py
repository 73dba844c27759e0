"""Times of day without a date: joined with the date beside them, or in the file's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.dates import date_in_name
from kamp_lib.datasets.parsing.notations import read_clocks
from kamp_lib.datasets.parsing.time_names import (
    LASTING,
    names_a_clock,
    names_a_time,
    subject,
    words_of,
)
from kamp_lib.datasets.parsing.wording import plain
from kamp_lib.datasets.types import Finding

US: Final = "datetime64[us]"
DAY = pd.Timedelta(days=1)
ENOUGH = 0.9
CLOCK = r"\d:\d{2}|\d\s*시"
SURE_CLOCK = r"\d:\d{2}:\d{2}|\d\s*시|오[전후]|[AaPp][Mm]"  # 3:10 may be a ratio
CUT = r"\d{1,2}:\d{2}\.\d"  # what a spreadsheet leaves of 16:57:47.1


@dataclass(frozen=True)
class Clock:
    """A column of times of day: time since midnight, NaT where a cell is none.

    `bare` when it is written without colons (165747): it may be any number.
    """

    name: str
    since_midnight: np.ndarray
    bare: bool


def join_clocks(columns: dict[str, pd.Series], files: pd.Series) -> list[Finding]:
    """Give columns of bare clocks their date, where one can be told.

    The date column then holds date and clock; the clock column stays as it is. Without
    any time column, the day in the name of each file serves, and the clock column
    becomes the time.
    """
    clocks = [c for name, v in columns.items() if (c := clock_of(name, v)) is not None]
    days = [name for name, values in columns.items() if _only_days(values)]
    timed = any(pd.api.types.is_datetime64_any_dtype(v) for v in columns.values())
    if days:
        return [
            _joined(columns, day, clock)
            for day, clock in _pairs(list(columns), days, clocks)
        ]
    if timed:
        return []
    dated = _dated_by_file(columns, clocks, files)
    return dated or _without_date(columns, [clock.name for clock in clocks])


def clock_of(name: str, values: pd.Series) -> Clock | None:
    """The times of day in a column: 16:57:47, 오후 4:57, 165747; None when it is none."""
    if any(LASTING.search(word) for word in words_of(name)):
        return None
    bare = not pd.api.types.is_string_dtype(values)
    if not bare:
        ticks = _from_text(name, values)
    elif pd.api.types.is_integer_dtype(values) and names_a_clock(name):
        ticks = _from_digits(values.to_numpy(np.int64, na_value=-1), width=6)
    else:
        return None
    known = values.notna().to_numpy()
    if ticks is None or not known.any() or (ticks[known] >= 0).mean() < ENOUGH:
        return None
    since = np.where(ticks >= 0, ticks, np.iinfo(np.int64).min)
    return Clock(name, since.astype("timedelta64[us]"), bare)


def _from_text(name: str, values: pd.Series) -> np.ndarray | None:
    head = values.dropna().head(50).astype("str")
    if not len(head) or head.str.fullmatch(CUT).all():
        return None
    clocks = head.str.contains(CLOCK if names_a_time(name) else SURE_CLOCK, regex=True)
    digits = head.str.fullmatch(r"\d{4}|\d{6}")
    if max(clocks.mean(), digits.mean()) < ENOUGH:
        return None
    codes, distinct = pd.factorize(values)
    if digits.mean() >= ENOUGH:
        if not names_a_clock(name):
            return None
        texts = pd.Series(distinct, dtype="str")
        known = texts.where(texts.str.fullmatch(r"\d{4}|\d{6}"), "-1")
        ticks = _from_digits(
            known.astype(np.int64).to_numpy(), int(head.str.len().max())
        )
    else:
        ticks = read_clocks(plain(pa.array(distinct, pa.string())))
    return np.append(ticks, -1)[codes]


def _from_digits(numbers: np.ndarray, width: int) -> np.ndarray:
    """Microseconds since midnight of 165747 (or 1657); -1 where there is no such time."""
    whole = numbers if width == 6 else numbers * 100
    hour, minute, second = whole // 10_000, whole // 100 % 100, whole % 100
    total = (hour * 60 + minute) * 60 + second
    right = (numbers >= 0) & (minute < 60) & (second < 60) & (total <= 86_400)
    return np.where(right, total * 1_000_000, -1)


def _only_days(values: pd.Series) -> bool:
    if not pd.api.types.is_datetime64_any_dtype(values):
        return False
    known = values.dropna().to_numpy().astype(US)
    return bool(len(known)) and bool((known == known.astype("datetime64[D]")).all())


def _pairs(
    order: list[str], days: list[str], clocks: list[Clock]
) -> Iterator[tuple[str, Clock]]:
    """Each clock with the date of the same thing (start date, start time), or beside it."""
    free = list(days)
    for clock in clocks:
        found = [day for day in free if subject(day) == subject(clock.name)]
        if not found and not clock.bare:
            place = order.index(clock.name)
            found = [day for day in free if order.index(day) in (place - 1, place + 1)]
            if not found and len(days) == len(clocks) == 1 and names_a_time(clock.name):
                found = free
        for day in found[:1]:
            free.remove(day)
            yield day, clock


def _joined(columns: dict[str, pd.Series], day: str, clock: Clock) -> Finding:
    since = pd.Series(clock.since_midnight, columns[day].index)
    columns[day] = columns[day].astype(US) + since
    return finding(
        "joined-time",
        columns=[day, clock.name],
        count=int(columns[day].notna().sum()),
        examples=columns[day].dropna().head(1).astype(str),
        day=day,
        clock=clock.name,
    )


def _dated_by_file(
    columns: dict[str, pd.Series], clocks: list[Clock], files: pd.Series
) -> list[Finding]:
    """The first clock, dated by the names of the files; past midnight a day is added."""
    days = {name: date_in_name(str(name)) for name in files.unique()}
    named = [clock for clock in clocks if names_a_time(clock.name)]
    if not named or None in days.values():
        return []
    clock = named[0]
    since = pd.Series(clock.since_midnight)
    step = since.groupby(files.to_numpy(), sort=False).diff()
    past = (step < -DAY / 2).groupby(files.to_numpy()).cumsum()
    day = files.map(days).reset_index(drop=True).astype(US)
    later = pd.to_timedelta(past.astype("int64"), unit="D")
    columns[clock.name] = day + since + later
    return [
        finding(
            "joined-time",
            variant="file",
            columns=[clock.name],
            count=len(since),
            examples=columns[clock.name].dropna().head(1).astype(str),
            day=next(iter(days)),
            clock=clock.name,
        )
    ]


def _without_date(columns: dict[str, pd.Series], clocks: list[str]) -> list[Finding]:
    found = []
    for name, values in columns.items():
        if not names_a_time(name) or not pd.api.types.is_string_dtype(values):
            continue
        cells = values.dropna()
        cut = len(cells) > 0 and bool(cells.head(50).str.fullmatch(CUT).all())
        if cut or name in clocks:
            found.append(
                finding(
                    "time-without-date",
                    variant="cut" if cut else None,
                    columns=[name],
                    count=len(cells),
                    examples=cells.head(2),
                    column=name,
                )
            )
    return found
