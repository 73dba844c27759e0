"""The fix of points that part thousands: 316.307 becomes 316307."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.fixes.change import Change
from kamp_lib.datasets.parsing.numbers import whole_again
from kamp_lib.datasets.types import Finding

# Of numbers that were all written with a point so many end in .000 by chance.
BY_CHANCE = 0.01


def thousands(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Numbers read as decimals are multiplied by 1000; plain whole numbers stay."""
    stored = context.mapping.names() if context.mapping else {}
    names = [stored.get(c, c) for f in findings if _is_sure(f) for c in f.columns]
    frame, touched, count = context.frame.copy(deep=False), [], 0
    for name in dict.fromkeys(n for n in names if n in frame.columns):
        number = frame[name].to_numpy(dtype=float, na_value=np.nan)
        small = _too_small(number)
        if small.any():
            made = np.where(small, np.round(number * 1000), number)
            frame[name] = pd.Series(made, frame.index)
            touched.append(name)
            count += int(small.sum())
    return Change(whole_again(frame), tuple(touched), count) if count else None


def _is_sure(finding: Finding) -> bool:
    """Not the doubt about a comma, and not two signs in one column."""
    return "," not in "".join(finding.examples)


def _too_small(number: np.ndarray) -> np.ndarray:
    """The numbers that had a point; in a column of them, a whole one had .000."""
    known = number[~np.isnan(number) & (number != 0)]
    fraction = (number != np.floor(number)) & ~np.isnan(number)
    if not fraction.any():
        return fraction
    whole = len(known) - int(fraction.sum())
    by_chance = whole <= max(1, BY_CHANCE * len(known))
    return fraction | (number != 0) & ~np.isnan(number) if by_chance else fraction
