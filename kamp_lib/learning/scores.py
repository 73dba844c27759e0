"""Scores with intervals: average precision and ROC area, whole groups resampled.

A resample of groups gives each case the weight "how often its group was drawn", so one
sort serves all resamples; the tests hold the figures against scikit-learn. Weights of
all cases in all resamples are never held at once: a million cases would need a gigabyte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kamp_lib.learning.coded import coded
from kamp_lib.learning.outcome import Score

Metric = Literal["average_precision", "roc_auc"]
METRICS: tuple[Metric, ...] = ("average_precision", "roc_auc")
DRAWS = 500
LEVEL = 0.95
# An interval from fewer usable resamples says nothing.
MIN_DRAWS = 40
# Numbers held at once while resampling.
CELLS = 4_000_000
# some resamples -> weight of the bad, and of all, cases of each step of the curve
Gains = Callable[[slice], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Draws:
    """Resamples of whole groups: how often each is drawn, and each case's group."""

    counts: np.ndarray  # (draws, groups)
    codes: np.ndarray  # (n,)

    def __len__(self) -> int:
        return len(self.counts)


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
    weights = group_draws(groups, draws=draws, seed=seed)
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
    weights = group_draws(groups, draws=draws, seed=seed)
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


def grouped_mean(
    values: np.ndarray, groups: np.ndarray, *, seed: int = 0, draws: int = DRAWS
) -> Score:
    """The mean of some values, with its interval over resampled groups."""
    if not len(values):
        return Score(value=None)
    value = float(values.mean())
    names, codes = coded(groups)
    if len(names) < 2:
        return Score(value=value)
    sums = np.bincount(codes, weights=values)
    sizes = np.bincount(codes)
    random = np.random.default_rng(seed)
    found = np.empty(draws)
    for draw in range(draws):
        drawn = random.integers(0, len(names), len(names))
        found[draw] = sums[drawn].sum() / sizes[drawn].sum()
    return _interval(value, found)


def group_draws(groups: np.ndarray, *, draws: int, seed: int) -> Draws:
    """Resamples of whole groups; none when there is only one group."""
    names, codes = coded(groups)
    if len(names) < 2:
        return Draws(np.zeros((0, len(names)), dtype=np.int16), codes)
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    return Draws(counts.astype(np.int16), codes)


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
    if not len(label):
        return None
    if weight is not None:
        value = float(resampled(metric, label, score, weight[None, known])[0])
    else:
        order = np.argsort(-score, kind="stable")
        bad = label[order] == 1
        ends = _steps(score[order], bad)
        gained = np.diff(np.cumsum(bad)[ends], prepend=0).astype(float)
        value = float(_metric(metric, gained, ends + 1.0))
    return None if np.isnan(value) else value


def resampled(
    metric: Metric, label: np.ndarray, score: np.ndarray, weights: np.ndarray | Draws
) -> np.ndarray:
    """The metric for every resample; NaN where a class is missing.

    Parameters
    ----------
    weights : Draws or ndarray, shape (draws, n)
    """
    order = np.argsort(-score, kind="stable")
    bad = label[order] == 1
    ends = _steps(score[order], bad)
    gains: Gains
    if isinstance(weights, Draws):
        width, gains = len(ends), _gains_by_group(weights, order, bad, ends)
    else:
        width, gains = len(order), _gains_by_case(weights, order, bad, ends)
    found = np.full(len(weights), np.nan)
    step = max(1, min(100, CELLS // max(width, 1)))
    for start in range(0, len(weights), step):
        rows = slice(start, start + step)
        gained, met = gains(rows)
        found[rows] = _metric(metric, gained, np.cumsum(met, axis=1))
    return found


def _gains_by_case(
    weights: np.ndarray, order: np.ndarray, bad: np.ndarray, ends: np.ndarray
) -> Gains:
    """Weight of the bad, and of all, cases of each step."""
    starts = np.append(0, ends[:-1] + 1)

    def gains(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        drawn = weights[rows][:, order].astype(float)
        hits = np.add.reduceat(drawn * bad, starts, axis=1)
        return hits, np.add.reduceat(drawn, starts, axis=1)

    return gains


def _gains_by_group(
    draws: Draws, order: np.ndarray, bad: np.ndarray, ends: np.ndarray
) -> Gains:
    """The same from the cases of each group in each step, counted once for all draws."""
    from scipy.sparse import csr_array

    codes = draws.codes[order]
    step = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    shape = (len(ends), draws.counts.shape[1])

    def counted(at: np.ndarray | slice) -> csr_array:
        places = step[at], codes[at]
        return csr_array((np.ones(len(places[0])), places), shape=shape)

    of_bad, of_all = counted(bad), counted(slice(None))

    def gains(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        drawn = draws.counts[rows].T.astype(float)
        hits, seen = (of_bad @ drawn).T, (of_all @ drawn).T
        return np.ascontiguousarray(hits), np.ascontiguousarray(seen)

    return gains


def _steps(ordered: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Last position of each step of the curve, for scores that fall.

    Ties count together; good cases that follow one another are one step, because
    between two bad ones neither metric gains anything.
    """
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    has_bad = np.diff(np.cumsum(bad)[ends], prepend=0) > 0
    return ends[has_bad | np.append(has_bad[1:], True)]


def _metric(metric: Metric, gained: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """From the weight of the bad cases of each step, and of all cases until its end."""
    hits = np.cumsum(gained, axis=-1)
    positives, total = hits[..., -1], seen[..., -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        if metric == "average_precision":
            precision = np.where(seen > 0, hits / seen, 0.0)
            found: np.ndarray = (gained * precision).sum(axis=-1) / positives
            return found
        misses = seen - hits
        gained_misses = np.diff(misses, axis=-1, prepend=0.0)
        area = (gained_misses * (hits - gained / 2)).sum(axis=-1)
        return np.asarray(area / (positives * (total - positives)))


def _interval(value: float, draws: np.ndarray) -> Score:
    usable = draws[~np.isnan(draws)]
    if len(usable) < MIN_DRAWS:
        return Score(value=value)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Score(value=value, low=float(low), high=float(high))
