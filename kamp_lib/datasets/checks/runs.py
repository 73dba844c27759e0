"""Runs that are copies of other runs, whole or with some columns altered.

Real signals do not repeat to the last digit over a long stretch. Every column is cut
into overlapping windows of six values; two runs that share most of their windows in many
columns were copied from one another, whatever was done to the other columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

WINDOW = 6
SHARED_WINDOWS = 0.3  # of the shorter run, for a column to count as copied
SHARED_COLUMNS = 0.25  # of the columns that move, and at least three
MOST_RUNS = 8  # a window that more runs share is a habit of the machine, not a copy
MOST_COLUMNS = 48
MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Copy:
    """Two runs that share windows: how many columns, how much of them."""

    one: int
    other: int
    columns: int
    share: float  # of the windows, over the shared columns
    whole: bool  # every value of every signal is equal


def copied_runs(context: Context) -> list[Finding]:
    """Pairs of runs of which one is a copy, or an altered copy, of the other."""
    run = context.runs
    if run is None:
        return []
    codes, names = pd.factorize(run)
    signals = [c for c in context.measured if context.role(c) != "setpoint"][
        :MOST_COLUMNS
    ]
    signals = [c for c in signals if context.distinct[c] >= 2 * WINDOW]
    if len(signals) < 3 or (codes < 0).any():
        return []
    order = np.argsort(codes, kind="stable")
    values = {c: context.numbers[c][order] for c in signals}
    copies = find_copies(codes[order], values)
    if not copies:
        return []
    opposite = [_labels_differ(context, run, names, copy) for copy in copies]
    said = [
        _say(str(names[c.one]), str(names[c.other]), c, len(signals), differs)
        for c, differs in zip(copies, opposite, strict=True)
    ]
    return [
        finding(
            "copied-runs",
            columns=context.names(str(run.name)),
            count=len(copies),
            examples=[f"{names[c.one]} = {names[c.other]}" for c in copies],
            variant="contradicting" if any(opposite) else None,
            pairs=Text(
                list_of([s.ko for s in said], 10).ko,
                list_of([s.en for s in said], 10).en,
            ),
        )
    ]


def find_copies(run: np.ndarray, values: dict[str, np.ndarray]) -> list[Copy]:
    """Pairs of runs that share windows in many columns.

    Parameters
    ----------
    run : array of int, shape (n,)
        Sorted run numbers from 0.
    values : dict of array, shape (n,)
        The signals, in the same order.
    """
    runs = int(run.max()) + 1
    columns = np.zeros((runs, runs), dtype=int)
    shares = np.zeros((runs, runs))
    live = np.zeros(runs, dtype=int)
    for signal in values.values():
        hashes, owner = _windows(signal, run)
        if not len(hashes):
            continue
        windows = np.bincount(owner, minlength=runs)
        live += windows > 0
        shared = _shared(hashes, owner, runs)
        shorter = np.minimum.outer(windows, windows)
        share = np.divide(
            shared, shorter, out=np.zeros_like(shares), where=shorter >= 20
        )
        columns += share >= SHARED_WINDOWS
        shares += np.where(share >= SHARED_WINDOWS, share, 0.0)
    copies = []
    for one, other in zip(*np.triu_indices(runs, 1), strict=True):
        count = int(columns[one, other])
        if count < max(3, SHARED_COLUMNS * min(live[one], live[other])):
            continue
        a, b = run == one, run == other
        whole = a.sum() == b.sum() and all(
            np.array_equal(v[a], v[b], equal_nan=True) for v in values.values()
        )
        share = min(1.0, shares[one, other] / count)
        copies.append(Copy(int(one), int(other), count, float(share), bool(whole)))
    return copies


def _windows(signal: np.ndarray, run: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct hashes of the moving windows of a signal, and the run each is in."""
    if len(signal) < WINDOW:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    bits = np.ascontiguousarray(signal + 0.0, dtype=np.float64).view(np.uint64)
    bits = (bits ^ (bits >> np.uint64(29))) * MIX
    hashed = np.zeros(len(signal) - WINDOW + 1, dtype=np.uint64)
    moves = np.zeros(len(hashed), dtype=int)
    for k in range(WINDOW):
        part = bits[k : k + len(hashed)]
        hashed = (hashed ^ (hashed >> np.uint64(31))) * MIX + part
        if k:
            moves += part != bits[k - 1 : k - 1 + len(hashed)]
    owner = run[: len(hashed)]
    # a resting signal repeats by nature: only windows that keep moving are evidence
    evident = (owner == run[WINDOW - 1 :]) & (moves >= WINDOW - 2)
    hashed, owner = hashed[evident], owner[evident]
    # the sort is stable and runs come in order: equal windows of one run end up adjacent
    order = np.argsort(hashed, kind="stable")
    hashed, owner = hashed[order], owner[order]
    first = np.ones(len(hashed), dtype=bool)
    first[1:] = (hashed[1:] != hashed[:-1]) | (owner[1:] != owner[:-1])
    return hashed[first], owner[first]


def _shared(hashes: np.ndarray, owner: np.ndarray, runs: int) -> np.ndarray:
    """How many windows each pair of runs shares (hashes come sorted)."""
    shared = np.zeros((runs, runs))
    starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    size = np.diff(np.concatenate([starts, [len(hashes)]]))
    few = np.repeat(size <= MOST_RUNS, size)
    for lag in range(1, MOST_RUNS):
        same = (hashes[lag:] == hashes[:-lag]) & few[lag:]
        np.add.at(shared, (owner[:-lag][same], owner[lag:][same]), 1)
    return shared + shared.T


def _labels_differ(
    context: Context, run: pd.Series, names: pd.Index, copy: Copy
) -> bool:
    for label in context.labels:
        kinds = [
            set(label.bad[run == names[which]].dropna())
            for which in (copy.one, copy.other)
        ]
        if all(len(k) == 1 for k in kinds) and kinds[0] != kinds[1]:
            return True
    return False


def _say(one: str, other: str, copy: Copy, signals: int, differs: bool) -> Text:
    if copy.whole:
        ko, en = "모든 값이 같음", "every value equal"
    else:
        ko = f"열 {signals}개 중 {copy.columns}개가 {copy.share:.0%} 같음"
        en = f"{copy.columns} of {signals} columns {copy.share:.0%} equal"
    if differs:
        ko, en = f"{ko}, 판정은 다름", f"{en}, labels differ"
    return Text(f"{one} = {other} ({ko})", f"{one} = {other} ({en})")
