"""Runs that are copies of other runs, whole, cut short, or with some columns altered.

Public data sets and hurried exports carry them. A copy in another fold is a leak, and a
copy with the opposite label makes the truth a matter of file order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

# A signal has to move this much before equality of two runs says anything.
DISTINCT = 20
SAME_COLUMNS = 0.2  # share of moving columns that are equal, value for value
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
    names = pd.unique(run)
    place = pd.Series(np.arange(len(names)), index=names)
    number = place.loc[run].to_numpy()
    alike = np.zeros((len(names), len(names)), dtype=bool)
    columns: list[set[int]] = []
    lines: list[set[int]] = []
    for k in range(len(names)):
        mine = values[number == k]
        columns.append(_moving_columns(mine))
        lines.append({hash(line.tobytes()) for line in mine})
    for first, second in _candidates(columns, lines):
        fewest = min(len(columns[first]), len(columns[second]))
        same = len(columns[first] & columns[second])
        shared = len(lines[first] & lines[second])
        shorter = min(len(lines[first]), len(lines[second]))
        alike[first, second] = (same >= max(2, SAME_COLUMNS * fewest)) or (
            shorter >= DISTINCT and shared >= SAME_ROWS * shorter
        )
    _, cluster = connected_components(alike, directed=False)
    originals = pd.Series(names).groupby(cluster).transform("first")
    return pd.Series(originals.to_numpy(), index=names)


def _moving_columns(values: np.ndarray) -> set[int]:
    """A hash of each column that takes at least 20 values, its place included."""
    found = set()
    for k in range(values.shape[1]):
        column = np.ascontiguousarray(values[:, k])
        if len(np.unique(column)) >= DISTINCT:
            found.add(hash((k, column.tobytes())))
    return found


def _candidates(*kinds: list[set[int]]) -> set[tuple[int, int]]:
    """Pairs of runs that share at least one hash; all others need no look."""
    pairs: set[tuple[int, int]] = set()
    for sets in kinds:
        holders: dict[int, list[int]] = defaultdict(list)
        for k, members in enumerate(sets):
            for member in members:
                holders[member].append(k)
        for owners in holders.values():
            # a line that stands in most runs (a machine at rest) tells nothing
            if 1 < len(owners) <= 20:
                pairs.update(
                    (a, b) for i, a in enumerate(owners) for b in owners[i + 1 :]
                )
    return pairs
