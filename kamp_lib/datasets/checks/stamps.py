"""A time column laid out for checks: by machine, run and file, in the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.parsing.mending import DAY, day_ends, misplaced, ticks_of
from kamp_lib.datasets.raw import FILE, ROW
from kamp_lib.text import Text

SECOND = 1_000_000  # all ticks are microseconds


@dataclass(frozen=True)
class Stamps:
    """The filled cells of one time column of a frame.

    `order` holds their positions in the frame, source by source (a file, machine, run
    or part) and each in the order of its rows; the other arrays follow it.
    """

    context: Context
    column: str

    @cached_property
    def order(self) -> np.ndarray:
        held = np.flatnonzero(self.context.frame[self.column].notna().to_numpy())
        return held[np.argsort(self._group[held], kind="stable")]

    @cached_property
    def _group(self) -> np.ndarray:
        return sources(self.context, self.column)

    @cached_property
    def times(self) -> pd.Series:
        """As written, on the clock on the wall."""
        times = self.context.frame[self.column].iloc[self.order].reset_index(drop=True)
        return times.dt.tz_localize(None) if times.dt.tz is not None else times

    @cached_property
    def group(self) -> np.ndarray:
        return self._group[self.order]

    @cached_property
    def wrong(self) -> np.ndarray:
        """Stamps that cannot be: other checks leave them out."""
        return misplaced(self.times)

    @cached_property
    def ends(self) -> np.ndarray:
        """Every 00:00 that closes the day whose date it bears."""
        return day_ends(self.times)

    @cached_property
    def ticks(self) -> np.ndarray:
        """Microseconds, ends of days where they belong."""
        return ticks_of(self.times) + np.where(self.ends, DAY, 0)

    @cached_property
    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps between neighbouring rows of one source, and the later row's place."""
        right = np.flatnonzero(~self.wrong)
        same = np.diff(self.group[right]) == 0
        return np.diff(self.ticks[right])[same], right[1:][same]

    @cached_property
    def in_time(self) -> tuple[np.ndarray, np.ndarray]:
        """Ticks by source and then by time; the step to the next one of the source, or 0."""
        right = ~self.wrong
        ticks, group = self.ticks[right], self.group[right]
        if (self.steps[0] < 0).any():
            order = np.lexsort((ticks, group))
            ticks, group = ticks[order], group[order]
        step = np.diff(ticks, append=ticks[-1:])
        return ticks, np.where(np.diff(group, append=-1) != 0, 0, step)

    @cached_property
    def usual(self) -> int:
        """The usual step from a record to the next; 0 when there is none."""
        step = self.in_time[1]
        forward = step[step > 0]
        return int(np.median(forward)) if len(forward) else 0

    def names(self) -> list[str]:
        return self.context.names(self.column)

    def shown(self) -> str:
        return self.context.shown(self.column)

    def said(self, places: np.ndarray) -> list[str]:
        """Stamps with the row they stand in, as far as it is known."""
        frame = self.context.frame
        result = []
        for place in places:
            stamp = str(pd.Timestamp(self.times.iloc[place]))
            if {FILE, ROW} <= set(frame.columns):
                file, row = frame[[FILE, ROW]].iloc[self.order[place]]
                stamp += f" ({file}:{row})"
            result.append(stamp)
        return result


def sources(context: Context, column: str) -> np.ndarray:
    """A number per row: the file, machine, run, part or product that it belongs to.

    A column of words or numbers tells sources apart only when times run on better with
    it than without: load types and weekdays change along one and the same record.
    """
    frame = context.frame
    file = [FILE] if FILE in frame.columns else []
    best = context.files[0] if file else _numbered(frame, [])
    least = _not_forward(frame[column], best)
    if least == 0:
        return best
    ways = [[c for c in context.groups if c != column and not _counts(frame[c])]]
    ways += [[*file, key] for key in _balanced(context, column)]
    for keys in ways:
        group = _numbered(frame, keys)
        bad = _not_forward(frame[column], group)
        if bad < 0.5 * least:
            best, least = group, bad
    return best


def by_ids(context: Context, column: str) -> np.ndarray:
    """A number per row: the file and ids that the record bears."""
    return _numbered(context.frame, [c for c in context.groups if c != column])


def _numbered(frame: pd.DataFrame, keys: list[str]) -> np.ndarray:
    if not keys:
        return np.zeros(len(frame), dtype=np.int64)
    return frame.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()


def _not_forward(times: pd.Series, group: np.ndarray) -> int:
    """Steps within one source that do not go forward."""
    held = np.flatnonzero(times.notna().to_numpy())
    order = held[np.argsort(group[held], kind="stable")]
    known = times.iloc[order].reset_index(drop=True)
    ticks = ticks_of(known) + np.where(day_ends(known), DAY, 0)
    return int(((np.diff(ticks) <= 0) & (np.diff(group[order]) == 0)).sum())


def _balanced(context: Context, column: str) -> list[str]:
    """Columns that name the members of a panel: each has a row at most of the stamps."""
    frame = context.frame
    stamps = int(frame[column].nunique())
    return [
        name
        for name, distinct in context.distinct.items()
        if 2 <= distinct <= len(frame) / 10
        and len(frame) <= distinct * stamps <= 2 * len(frame)
        and not pd.api.types.is_float_dtype(frame[name])
        and not pd.api.types.is_datetime64_any_dtype(frame[name])
        and not _counts(frame[name])
    ]


def _counts(values: pd.Series) -> bool:
    """Whether numbers go up by one from row to row: a counter names no member."""
    if not pd.api.types.is_numeric_dtype(values):
        return False
    number = values.to_numpy(dtype=float, na_value=np.nan)
    return bool((np.diff(number) == 1).mean() >= 0.9)


def lasting(ticks: float) -> Text:
    """A length of time in its two largest units.

    >>> lasting(4_200_000_000).en
    '1 h 10 min'
    """
    units = (
        (DAY, "일", " d"),
        (3600 * SECOND, "시간", " h"),
        (60 * SECOND, "분", " min"),
        (SECOND, "초", " s"),
    )
    if ticks < 60 * SECOND:
        return Text(f"{ticks / SECOND:.3g}초", f"{ticks / SECOND:.3g} s")
    rest = int(ticks)
    ko: list[str] = []
    en: list[str] = []
    for size, word, sign in units:
        count, rest = divmod(rest, size)
        if count and len(ko) < 2:
            ko.append(f"{count}{word}")
            en.append(f"{count}{sign}")
    return Text(" ".join(ko), " ".join(en))
