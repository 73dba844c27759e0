"""Fixes of rows: repeats and copies are left out, counters go on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.fixes.change import Change, named
from kamp_lib.datasets.raw import PROVENANCE
from kamp_lib.datasets.storage.duplicates import repeats
from kamp_lib.datasets.types import Finding


def leave_out_repeats(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Keep the first of equal rows, although nothing tells them apart."""
    frame = context.frame
    again = repeats(frame.drop(columns=list(PROVENANCE))).to_numpy()
    return _left_out(context, again)


def leave_out_copies(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Keep the first of two runs that are copies of one another."""
    runs = context.runs
    if runs is None:
        return None
    pairs = [e.split(" = ") for f in findings for e in f.examples]
    copies = {pair[1] for pair in pairs if len(pair) == 2}
    return _left_out(context, runs.astype(str).isin(copies).to_numpy())


def _left_out(context: Context, rows: np.ndarray) -> Change | None:
    count = int(rows.sum())
    return Change(context.frame, (), count, left_out=rows) if count else None


def number_on(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Let a counter that starts over go on from where it was."""
    frame, touched, count = context.frame.copy(deep=False), [], 0
    for finding in findings:
        for column in named(context, finding)[:1]:
            number = frame[column].to_numpy(dtype=float)
            step = np.diff(number, prepend=number[0])
            restart = step < 0
            # the number after a restart follows the one before it
            offset = np.cumsum(np.where(restart, 1 - step, 0))
            frame[column] = pd.Series((number + offset).astype("int64"), frame.index)
            touched.append(column)
            count += int(restart.sum())
    return Change(frame, tuple(touched), count) if count else None
