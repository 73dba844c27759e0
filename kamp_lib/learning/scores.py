"""Scores with intervals: average precision and ROC area, whole groups resampled.

A resample of groups gives each case the weight "how often its group was drawn", so one
sort serves all resamples; the tests hold the figures against scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from kamp_lib.learning.outcome import Score

Metric = Literal["average_precision", "roc_auc"]
METRICS: tuple[Metric, ...] = ("average_precision", "roc_auc")
DRAWS = 500
LEVEL = 0.95
# An interval from fewer usable resamples says nothing.
MIN_DRAWS = 40
# Numbers held at once while resampling.
CELLS = 4_000_000


def average_precision(
    label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None
) -> float | None:
    """Average precision over labelled cases; None without a bad one."""
    return _single("average_precision", label, score, weight)


def roc_auc(
    label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None
) -> float | None:
    """Area under the ROC curve; None when only one class is there."""
    return _single("roc_auc", label, score, weight)


def score_with_interval(
    metric: Metric,
    label: np.ndarray,
    score: np.ndarray,
    groups: np.ndarray,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> Score:
    """A score and its 95 % interval over resampled groups.

    Cases whose label is NaN are left out. Without at least two groups that can be
    resampled the interval is None: one group cannot say how the next one will be.
    """
    label, score, groups = _labelled(label, score, groups)
    value = _single(metric, label, score, None)
    if value is None:
        return Score(value=None)
    weights = group_weights(groups, draws=draws, seed=seed)
    return _interval(value, resampled(metric, label, score, weights))


def paired_difference(
    metric: Metric,
    label: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    groups: np.ndarray,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> Score:
    """Score of `first` minus score of `second` on the same resampled groups."""
    known = ~np.isnan(label)
    label, groups = label[known], groups[known]
    a, b = first[known], second[known]
    one, two = _single(metric, label, a, None), _single(metric, label, b, None)
    if one is None or two is None:
        return Score(value=None)
    weights = group_weights(groups, draws=draws, seed=seed)
    both = resampled(metric, label, a, weights) - resampled(metric, label, b, weights)
    return _interval(one - two, both)


def base_rate(
    label: np.ndarray, groups: np.ndarray, *, seed: int = 0, draws: int = DRAWS
) -> dict[str, Score]:
    """Scores of the baseline that knows nothing: the share of bad cases, and one half."""
    constant = np.zeros(len(label))
    ap = score_with_interval(
        "average_precision", label, constant, groups, seed=seed, draws=draws
    )
    both = len(np.unique(label[~np.isnan(label)])) == 2
    half = Score(value=0.5, low=0.5, high=0.5) if both else Score(value=None)
    return {"average_precision": ap, "roc_auc": half}


def lift(
    label: np.ndarray, score: np.ndarray, groups: np.ndarray, *, seed: int = 0
) -> Score:
    """Average precision minus that of knowing nothing, on the same resamples."""
    nothing = np.zeros(len(label))
    return paired_difference(
        "average_precision", label, score, nothing, groups, seed=seed
    )


def grouped_interval(
    statistic: Callable[[np.ndarray], float | None],
    groups: np.ndarray,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> Score:
    """Any statistic of case positions, with its interval over resampled groups."""
    names, codes = np.unique(groups.astype(str), return_inverse=True)
    value = statistic(np.arange(len(codes)))
    if value is None or len(names) < 2:
        return Score(value=value)
    members = [np.flatnonzero(codes == g) for g in range(len(names))]
    random = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = random.integers(0, len(names), len(names))
        found.append(statistic(np.concatenate([members[g] for g in drawn])))
    return _interval(value, np.array([np.nan if f is None else f for f in found]))


def group_weights(groups: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """How often each case is drawn when whole groups are resampled, shape (draws, n)."""
    names, codes = np.unique(groups.astype(str), return_inverse=True)
    if len(names) < 2:
        return np.zeros((0, len(codes)), dtype=np.int16)
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    # small integers: half a thousand resamples of long data still fit into memory
    return counts.astype(np.int16)[:, codes]


def _labelled(
    label: np.ndarray, score: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    known = ~np.isnan(label)
    return label[known], score[known], groups[known]


def _single(
    metric: Metric, label: np.ndarray, score: np.ndarray, weight: np.ndarray | None
) -> float | None:
    known = ~np.isnan(label)
    label, score = label[known], score[known]
    weights = np.ones((1, len(label))) if weight is None else weight[None, known]
    if not len(label):
        return None
    value = float(resampled(metric, label, score, weights)[0])
    return None if np.isnan(value) else value


def resampled(
    metric: Metric, label: np.ndarray, score: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The metric for every row of `weights`; NaN where a class is missing."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    # last position of each run of equal scores: ties count together
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    bad = label[order] == 1
    found = np.full(len(weights), np.nan)
    step = max(1, min(100, CELLS // max(len(order), 1)))
    for start in range(0, len(weights), step):
        part = weights[start : start + step][:, order].astype(float)
        hits = np.cumsum(part * bad, axis=1)[:, ends]
        seen = np.cumsum(part, axis=1)[:, ends]
        found[start : start + step] = _metric(metric, hits, seen)
    return found


def _metric(metric: Metric, hits: np.ndarray, seen: np.ndarray) -> np.ndarray:
    positives, total = hits[:, -1], seen[:, -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        gained = np.diff(hits, axis=1, prepend=0.0)
        if metric == "average_precision":
            precision = np.where(seen > 0, hits / seen, 0.0)
            return (gained * precision).sum(axis=1) / positives
        misses = seen - hits
        gained_misses = np.diff(misses, axis=1, prepend=0.0)
        area = (gained_misses * (hits - gained / 2)).sum(axis=1)
        return area / (positives * (total - positives))


def _interval(value: float, draws: np.ndarray) -> Score:
    usable = draws[~np.isnan(draws)]
    if len(usable) < MIN_DRAWS:
        return Score(value=value)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Score(value=value, low=float(low), high=float(high))
