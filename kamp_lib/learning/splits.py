"""How cases are held out: whole groups, forward in time, and (as a warning) shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamp_lib.learning.coded import coded, members
from kamp_lib.text import Text

DAY_NOUN = Text("일", "days")
MIN_FORWARD_PERIODS = 3
MOST_NAMES = 12


@dataclass(frozen=True)
class Fold:
    """Positions of the cases to learn from and of those to be judged.

    `name` names the groups that are held out.
    """

    train: np.ndarray
    test: np.ndarray
    name: str


def grouped_folds(
    groups: Sequence[object] | np.ndarray,
    labels: np.ndarray | None = None,
    *,
    folds: int = 8,
) -> list[Fold]:
    """Hold out whole groups, each exactly once.

    One group per fold up to `folds`; with more groups, groups share folds so that
    bad cases, then cases, spread evenly.

    Parameters
    ----------
    groups : sequence, shape (n,)
        Group of each case.
    labels : ndarray, shape (n,), optional
        1 bad, 0 good, NaN unknown; only used to spread the bad ones.
    """
    names, codes = coded(groups)
    if len(names) < 2:
        return []
    bad = np.zeros(len(codes)) if labels is None else np.nan_to_num(labels)
    positives = np.bincount(codes, weights=bad, minlength=len(names))
    sizes = np.bincount(codes, minlength=len(names))
    count = min(folds, len(names))
    fold_of = np.zeros(len(names), dtype=int)
    load = np.zeros((count, 2))
    for group in np.lexsort((np.arange(len(names)), -sizes, -positives)):
        key = load if positives[group] else load[:, ::-1]
        fold = int(np.lexsort((np.arange(count), key[:, 1], key[:, 0]))[0])
        fold_of[group] = fold
        load[fold] += (positives[group], sizes[group])
    result = []
    fold_of_case = fold_of[codes]
    for fold, held in enumerate(members(fold_of, count)):
        inside = fold_of_case == fold
        if inside.any():
            name = _listed(names[held])
            result.append(Fold(np.flatnonzero(~inside), np.flatnonzero(inside), name))
    return sorted(result, key=lambda f: f.name)


def forward_folds(
    periods: np.ndarray, labels: np.ndarray | None = None, *, folds: int = 8
) -> list[Fold]:
    """Learn from the past, judge the next period; whole periods, never backwards.

    Periods are joined to at most `folds + 1` steps of about equal size. With labels, a
    step is judged only when the past holds bad and good cases. Empty when there are
    fewer than three periods (with bad cases, when labels are given).

    Parameters
    ----------
    periods : ndarray, shape (n,)
        Sortable period of each case (a day, a block of the order).
    """
    codes, names = pd.factorize(np.asarray(periods), sort=True)
    known = labels is not None and bool(np.nansum(labels))
    rich = names if not known else np.unique(codes[np.asarray(labels) == 1])
    if len(rich) < MIN_FORWARD_PERIODS:
        return []
    sizes = np.bincount(codes, minlength=len(names))
    before = np.cumsum(sizes) - sizes
    step_of = np.floor(before / len(codes) * (folds + 1)).astype(int)[codes]
    result = []
    for step in np.unique(step_of)[1:]:
        train, test = np.flatnonzero(step_of < step), np.flatnonzero(step_of == step)
        if known and len(np.unique(_known(labels, train))) < 2:
            continue
        first, last = names[codes[test].min()], names[codes[test].max()]
        name = str(first) if first == last else f"{first} ~ {last}"
        result.append(Fold(train, test, name))
    return result


def shuffled_folds(labels: np.ndarray, *, folds: int, seed: int) -> list[Fold]:
    """Rows dealt out at random: what flatters, computed only to say by how much."""
    from sklearn.model_selection import StratifiedKFold

    dealt = StratifiedKFold(min(folds, 5), shuffle=True, random_state=seed)
    parts = dealt.split(np.zeros(len(labels)), labels)
    return [Fold(train, test, str(i)) for i, (train, test) in enumerate(parts)]


def order_blocks(count: int, blocks: int) -> np.ndarray:
    """Consecutive blocks of equal size, for data that have an order and no group."""
    width = max(2, len(str(blocks)))
    block = np.arange(count) * blocks // max(count, 1)
    return np.array([f"{b + 1:0{width}d}" for b in block])


def _listed(names: np.ndarray) -> str:
    """The first names of a fold; a thousand lots are told by their number."""
    more = len(names) - MOST_NAMES
    told = ", ".join(names[:MOST_NAMES])
    return f"{told} +{more:,}" if more > 0 else told


def _known(labels: np.ndarray | None, positions: np.ndarray) -> np.ndarray:
    values = np.asarray(labels, dtype=float)[positions]
    return values[~np.isnan(values)]
