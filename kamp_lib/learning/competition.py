"""Candidates judged inside the training part; the procedure judged outside it.

For every held-out fold the candidates meet on an inner split of the same kind that
never sees the fold; the one chosen there is calibrated there, refitted, and meets the
fold once. What is scored is therefore the *choice*, not its luckiest pick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from kamp_lib.learning.calibration import Calibration, fit_calibration
from kamp_lib.learning.candidates import CANDIDATES, Fitted, can_fit
from kamp_lib.learning.inputs import Scaler
from kamp_lib.learning.scores import average_precision, resampled
from kamp_lib.learning.splits import Fold, grouped_folds
from kamp_lib.progress import Progress, silent
from kamp_lib.settings import settings
from kamp_lib.text import Text

INNER_FOLDS = 5
# Learning from bad cases needs this many of them, in this many groups.
ENOUGH_POSITIVES = 30
ENOUGH_GROUPS = 4
DRAWS = 200
# A less simple candidate has to be better in this share of the resamples.
SURE = 0.95
Result = TypeVar("Result")
COMPETING = Text("후보 겨루기", "Candidates compete")


@dataclass(frozen=True)
class Numbers:
    """The cases as arrays: what fitting needs and nothing else."""

    x: np.ndarray  # (n, q)
    label: np.ndarray
    group: np.ndarray
    regime: np.ndarray

    def at(self, positions: np.ndarray) -> Numbers:
        """The numbers of some cases (or of rows, each by its case)."""
        parts = (self.x, self.label, self.group, self.regime)
        x, label, group, regime = (part[positions] for part in parts)
        return Numbers(x, label, group, regime)


@dataclass(frozen=True)
class Fit:
    """A candidate fitted on some cases, with the scale those cases gave."""

    scaler: Scaler
    fitted: Fitted

    def score(self, numbers: Numbers, at: np.ndarray) -> np.ndarray:
        z, flags = self._seen(numbers, at)
        return self.fitted.score(z, flags)

    def contributions(self, numbers: Numbers, at: np.ndarray) -> np.ndarray:
        z, flags = self._seen(numbers, at)
        return self.fitted.contributions(z, flags)

    def _seen(self, numbers: Numbers, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        regime = numbers.regime[at]
        return self.scaler.apply(numbers.x[at], regime), self.scaler.flags(regime)


@dataclass(frozen=True)
class FoldResult:
    """One held-out fold: who was chosen without it, and how everyone scored on it."""

    fold: Fold
    chosen: str
    fit: Fit
    calibration: Calibration
    raw: dict[str, np.ndarray]  # candidate -> scores of the held-out cases

    @property
    def probability(self) -> np.ndarray:
        return self.calibration.probability(self.raw[self.chosen])


def compete(
    numbers: Numbers,
    folds: list[Fold],
    *,
    seed: int,
    progress: Progress = silent,
) -> list[FoldResult]:
    """Judge the procedure on every fold."""
    results: list[FoldResult] = []
    for result in side_by_side(lambda fold: _judge(numbers, fold, seed), folds):
        results.append(result)
        progress(COMPETING, done=len(results), total=len(folds))
    return results


def side_by_side(one: Callable[[Fold], Result], folds: list[Fold]) -> Iterator[Result]:
    """Work on folds in as many threads as a run may use; results in the folds' order.

    Each fold computes in one thread: many small fits side by side beat one that waits.
    """
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(max_workers=settings().threads) as workers,
    ):
        yield from workers.map(one, folds)


def out_of_fold(
    numbers: Numbers, folds: list[Fold], names: list[str], seed: int
) -> dict[str, np.ndarray]:
    """Held-out scores of candidates, NaN where one could not be fitted."""
    scores = {name: np.full(len(numbers.label), np.nan) for name in names}
    for fold in folds:
        for name, fit in fit_all(numbers, fold.train, names, seed).items():
            scores[name][fold.test] = fit.score(numbers, fold.test)
    return scores


def fit_all(
    numbers: Numbers, at: np.ndarray, names: list[str], seed: int
) -> dict[str, Fit]:
    """Fit the candidates that these cases allow."""
    label, regime = numbers.label[at], numbers.regime[at]
    scaler = Scaler.fit(numbers.x[at], label != 1, regime)
    z, flags = scaler.apply(numbers.x[at], regime), scaler.flags(regime)
    return {
        name: Fit(scaler, CANDIDATES[name].fit(z, flags, label, seed))
        for name in names
        if can_fit(CANDIDATES[name], label)
    }


def allowed(label: np.ndarray, group: np.ndarray) -> list[str]:
    """Who may be chosen: with few bad cases only detectors fitted on good ones."""
    bad = label == 1
    rich = bad.sum() >= ENOUGH_POSITIVES and len(np.unique(group[bad])) >= ENOUGH_GROUPS
    return [n for n, c in CANDIDATES.items() if rich or not c.needs_bad]


def choose(
    scores: dict[str, np.ndarray],
    label: np.ndarray,
    group: np.ndarray,
    *,
    seed: int = 0,
) -> str:
    """The simplest candidate that no other beats beyond noise.

    A less simple one takes over when its average precision over all cases is higher in
    95 % of resamples (groups, and cases inside them) and, inside the groups, no lower.

    Parameters
    ----------
    scores : dict
        Held-out scores per candidate, simplest first; one with NaN is left out.
    """
    known = ~np.isnan(label)
    label, group = label[known], group[known]
    usable = {n: s[known] for n, s in scores.items() if not np.isnan(s[known]).any()}
    names = list(usable)
    best = names[0]
    if not (label == 1).any():
        return best
    weights = _weights(group, seed)
    for name in names[1:]:
        if _better(usable[name], usable[best], label, group, weights):
            best = name
    return best


def _judge(numbers: Numbers, fold: Fold, seed: int) -> FoldResult:
    """Choose and calibrate without the fold, then score it with everyone."""
    inside = numbers.at(fold.train)
    names = allowed(inside.label, inside.group)
    inner = grouped_folds(inside.group, inside.label, folds=INNER_FOLDS)
    scores = out_of_fold(inside, inner, names, seed)
    chosen = choose(scores, inside.label, inside.group, seed=seed)
    held_out = scores[chosen]
    at = ~np.isnan(held_out)
    share = float(np.nanmean(numbers.label))
    calibration = fit_calibration(held_out[at], inside.label[at], prior=share)
    fits = fit_all(numbers, fold.train, list(CANDIDATES), seed)
    raw = {name: fit.score(numbers, fold.test) for name, fit in fits.items()}
    return FoldResult(fold, chosen, fits[chosen], calibration, raw)


def _weights(group: np.ndarray, seed: int) -> np.ndarray:
    """Resamples of groups and of cases inside them, shape (draws, n)."""
    names, codes = np.unique(group.astype(str), return_inverse=True)
    random = np.random.default_rng(seed)
    even = np.full(len(names), 1 / len(names))
    groups = random.multinomial(len(names), even, DRAWS)
    return groups[:, codes] * random.poisson(1.0, (DRAWS, len(codes)))


def _better(
    new: np.ndarray,
    old: np.ndarray,
    label: np.ndarray,
    group: np.ndarray,
    weights: np.ndarray,
) -> bool:
    gain = resampled("average_precision", label, new, weights) - resampled(
        "average_precision", label, old, weights
    )
    gain = gain[~np.isnan(gain)]
    if not len(gain) or np.quantile(gain, 1 - SURE) <= 0:
        return False
    return _inside(new, label, group) >= _inside(old, label, group)


def _inside(score: np.ndarray, label: np.ndarray, group: np.ndarray) -> float:
    """Average precision inside groups, weighted by their bad cases."""
    total, weight = 0.0, 0.0
    for name in np.unique(group[label == 1]):
        at = group == name
        bad = float((label[at] == 1).sum())
        total += bad * (average_precision(label[at], score[at]) or 0.0)
        weight += bad
    return total / weight if weight else 0.0
