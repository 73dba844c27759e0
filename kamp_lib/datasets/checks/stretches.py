"""Sampling a long column in blocks, and finding stretches of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BLOCKS = 64
BLOCK_ROWS = 64  # of each block; enough for its quartiles and its last digit
FEWEST_ROWS = 20  # of a block


@dataclass(frozen=True)
class Sampled:
    """Up to 64 x 64 values of a column, block by block in the order of the rows.

    What is asked of a block (its level, spread and last digit) does not get better with
    more than a few dozen values, and what is asked of the column needs a change to last
    for several blocks; so 4,096 values do for a million rows.
    """

    values: np.ndarray  # shape (blocks, rows)
    rows: np.ndarray  # their positions in the column


def sampled(values: np.ndarray) -> Sampled:
    """Blocks of neighbouring values, evenly spread over the column."""
    blocks = max(1, min(BLOCKS, len(values) // FEWEST_ROWS))
    wide = min(BLOCK_ROWS, len(values) // blocks)
    first = np.linspace(0, len(values) - wide, blocks).astype(np.int64)
    rows = first[:, None] + np.arange(wide)[None, :]
    return Sampled(values[rows], rows)


def extent(values: np.ndarray, at: int) -> tuple[int, int]:
    """First row, and row after the last, of the stretch of equal values around a row."""
    return at - _equal(values[at::-1]) + 1, at + _equal(values[at:])


def _equal(values: np.ndarray) -> int:
    """How many values from the first on equal the first."""
    ahead = 256
    while ahead < 2 * len(values):
        other = np.flatnonzero(values[:ahead] != values[0])
        if len(other):
            return int(other[0])
        ahead *= 4
    return len(values)


def apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two groups of values hardly overlap: the middle 80 % of each."""
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if len(one) < 10 or len(other) < 10:
        return False
    low, high = np.quantile(one, [0.1, 0.9])
    low_other, high_other = np.quantile(other, [0.1, 0.9])
    return bool(high < low_other or high_other < low)
