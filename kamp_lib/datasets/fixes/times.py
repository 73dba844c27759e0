"""Fixes of times: rebuilt from the order of the rows, source by source."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.stamps import Stamps
from kamp_lib.datasets.fixes.change import Change, named
from kamp_lib.datasets.parsing.mending import (
    mended_dates,
    moved_day_ends,
    rebuilt_times,
)
from kamp_lib.datasets.types import Finding

Mender = Callable[[pd.Series], pd.Series | None]


def rebuild(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Spread rows that share a stamp over the time it stands for; all sources or none."""
    return _mended(context, findings, rebuilt_times, every=True)


def move_day_ends(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Give the 00:00 that ends a day the date of the next one."""
    return _mended(context, findings, moved_day_ends)


def mend_dates(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Give impossible dates between two equal stamps that stamp."""
    return _mended(context, findings, mended_dates)


def _mended(
    context: Context, findings: Sequence[Finding], mend: Mender, *, every: bool = False
) -> Change | None:
    frame, touched, count = context.frame.copy(deep=False), [], 0
    for column in [c for f in findings for c in named(context, f)[-1:]]:
        stamps = Stamps(context, column)
        times = stamps.times.copy()
        for _, part in stamps.times.groupby(stamps.group, sort=False):
            better = mend(part)
            if better is not None:
                times[part.index] = better
            elif every:
                return None
        changed = int((times != stamps.times).sum())
        values = frame[column].copy()
        values.iloc[stamps.order] = times.to_numpy()
        frame[column] = values
        count += changed
        touched.append(column)
    return Change(frame, tuple(touched), count) if count else None
