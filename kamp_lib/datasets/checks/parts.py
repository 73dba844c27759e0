"""Which rows a check looks at: all, or of a very large table so many as fit into memory.

A large table is looked at in four parts: every n-th row of the whole, for checks that
ask what values a column holds; and its beginning, middle and end, row by row, for all
checks, since a frozen sensor or a clock that jumps shows only in rows that follow one
another. No part is put together from rows that did not follow one another in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.spool import let_go
from kamp_lib.datasets.types import Finding

Check = Callable[[Context], list[Finding]]

MOST_CELLS = 48_000_000  # looked at at once: 1.4 million rows of 34 columns
WINDOWS = 3
# Checks that do not ask which row follows which.
BY_VALUE = frozenset(
    {
        "already_standardised",
        "sentinel_values",
        "swapped_columns",
        "setpoint_actual_swapped",
        "implausible_values",
        "impossible_physics",
        "blank_cells",
        "dead_columns",
        "near_constant_columns",
        "derived_columns",
        "power_factors",
        "category_variants",
        "personal_data",
        "single_class_label",
        "graded_labels",
        "label_in_disguise",
        "label_flags",
        "contradicting_twins",
    }
)


def parts_to_check(
    rows: int, columns: int, checks: Sequence[Check]
) -> list[tuple[slice, list[Check]]]:
    """Which rows which checks look at; one part with all when a table is not large."""
    most = max(1, MOST_CELLS // max(1, columns))
    if rows <= most:
        return [(slice(None), list(checks))]
    step, size = -(-rows // most), most // WINDOWS
    firsts = [number * (rows - size) // (WINDOWS - 1) for number in range(WINDOWS)]
    spread = slice(None, None, step), [c for c in checks if c.__name__ in BY_VALUE]
    return [spread, *((slice(n, n + size), list(checks)) for n in firsts)]


def taken(frame: pd.DataFrame, rows: slice) -> pd.DataFrame:
    """A part of a frame, numbered anew; in memory, when the frame may lie in files."""
    if rows == slice(None):
        return frame.reset_index(drop=True)
    columns = {}
    for name in frame.columns:
        columns[name] = frame[name].iloc[rows].reset_index(drop=True).copy()
        let_go()
    return pd.DataFrame(columns, copy=False)
