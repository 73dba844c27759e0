"""Runs that are copies of other runs, whole, cut short, or with some columns altered.

Public data sets and hurried exports carry them. A copy in another fold is a leak, and a
copy with the opposite label makes the truth a matter of file order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from kamp_lib.learning.coded import members

# A signal has to move this much before equality of two runs says anything.
DISTINCT = 20
SAME_COLUMNS = 0.2  # share of moving columns that are equal, value for value
MOST_OWNERS = 20
SAME_ROWS = 0.3  # share of the shorter run's rows that stand in the longer one


def copied_runs(
    rows: pd.DataFrame, run: pd.Series, signals: Sequence[str]
) -> pd.Series:
    """The first run of which each run is a copy, directly or by way of others.

    Parameters
    ----------
    rows : DataFrame
        Samples in order of time.
    run : Series
        The run of each sample, same index as `rows`.
    signals : sequence of str
        Numeric columns to compare.

    Returns
    -------
    Series
        Index: runs in order of appearance; value: the original (itself when it is one).
    """
    values = rows[list(signals)].to_numpy(dtype=float)
    number, names = pd.factorize(run)
    alike = np.zeros((len(names), len(names)), dtype=bool)
    columns: list[np.ndarray] = []
    lines: list[np.ndarray] = []
    for at in members(number, len(names)):
        mine = values[at]
        columns.append(_moving_columns(mine))
        lines.append(_hashes(hash(line.tobytes()) for line in mine))
    for first, second in _candidates(columns, lines):
        fewest = min(len(columns[first]), len(columns[second]))
        same = _shared(columns[first], columns[second])
        shared = _shared(lines[first], lines[second])
        shorter = min(len(lines[first]), len(lines[second]))
        alike[first, second] = (same >= max(2, SAME_COLUMNS * fewest)) or (
            shorter >= DISTINCT and shared >= SAME_ROWS * shorter
        )
    _, cluster = connected_components(alike, directed=False)
    originals = pd.Series(names).groupby(cluster).transform("first")
    return pd.Series(originals.to_numpy(), index=names)


def _hashes(found: Iterable[int]) -> np.ndarray:
    """Different hashes, rising: eight bytes each, where a set would need eighty."""
    return np.unique(np.fromiter(found, dtype=np.int64))


def _shared(first: np.ndarray, second: np.ndarray) -> int:
    return len(np.intersect1d(first, second, assume_unique=True))


def _moving_columns(values: np.ndarray) -> np.ndarray:
    """A hash of each column that takes at least 20 values, its place included."""
    found = []
    for k in range(values.shape[1]):
        column = np.ascontiguousarray(values[:, k])
        if len(np.unique(column)) >= DISTINCT:
            found.append(hash((k, column.tobytes())))
    return _hashes(found)


def _candidates(*kinds: list[np.ndarray]) -> set[tuple[int, int]]:
    """Pairs of runs that share at least one hash; all others need no look."""
    pairs: set[tuple[int, int]] = set()
    for of_runs in kinds:
        hashes = np.concatenate(of_runs)
        owner = np.repeat(np.arange(len(of_runs)), [len(own) for own in of_runs])
        order = np.argsort(hashes, kind="stable")
        hashes, owner = hashes[order], owner[order]
        starts = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1]))
        sizes = np.diff(starts, append=len(hashes))
        # a line that stands in most runs (a machine at rest) tells nothing
        telling = (sizes > 1) & (sizes <= MOST_OWNERS)
        for start, size in zip(starts[telling], sizes[telling], strict=True):
            owners = owner[start : start + size].tolist()
            pairs.update(combinations(owners, 2))
    return pairs
