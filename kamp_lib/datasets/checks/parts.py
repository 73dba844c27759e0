"""Which rows a check looks at: all, or of a very large table so many as fit into memory.

A large table is looked at in four parts: every n-th row of the whole, for checks that
ask what values a column holds; and its beginning, middle and end, row by row, for all
checks, since a frozen sensor or a clock that jumps shows only in rows that follow one
another. No part is put together from rows that did not follow one another in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from kamp_lib.datasets.checks.context import Context
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
    frame: pd.DataFrame, checks: Sequence[Check]
) -> Iterator[tuple[pd.DataFrame, list[Check]]]:
    """Rows, and the checks that look at them; one part with all when it is not large."""
    most = max(1, MOST_CELLS // max(1, frame.shape[1]))
    if len(frame) <= most:
        yield frame, list(checks)
        return
    step = -(-len(frame) // most)
    yield frame.iloc[::step], [c for c in checks if c.__name__ in BY_VALUE]
    size = most // WINDOWS
    for number in range(WINDOWS):
        first = number * (len(frame) - size) // (WINDOWS - 1)
        yield frame.iloc[first : first + size], list(checks)
