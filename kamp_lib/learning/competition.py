"""Candidates judged inside the training part; the procedure judged outside it.

For every held-out fold the candidates meet on an inner split of the same kind that
never sees the fold; the one chosen there is refitted, calibrated on its scores of the
other folds, and meets the fold once. What is scored is therefore the *choice*, not its luckiest pick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from kamp_lib.learning.bounds import CHOSEN_ON, LEARNT, blocks, sample
from kamp_lib.learning.calibration import Calibration, fit_calibration
from kamp_lib.learning.candidates import CANDIDATES, Fitted, can_fit
from kamp_lib.learning.coded import coded
from kamp_lib.learning.inputs import Scaler
from kamp_lib.learning.scores import resampled
from kamp_lib.learning.splits import Fold, grouped_folds
from kamp_lib.progress import Progress, silent
from kamp_lib.settings import settings
from kamp_lib.text import Text

INNER_FOLDS = 4
# Choosing needs this many bad cases, in this many groups.
ENOUGH_POSITIVES = 30
ENOUGH_GROUPS = 4
DRAWS = 200
# A less simple candidate has to be better in this share of the resamples.
SURE = 0.84
Part = TypeVar("Part")
Result = TypeVar("Result")
COMPETING = Text("후보 겨루기", "Candidates compete")


@dataclass(frozen=True)
class Numbers:
    """The cases as arrays: what fitting needs and nothing else."""

    x: np.ndarray  # (n, q)
    label: np.ndarray
    group: np.ndarray  # names, or their numbers in the names' order
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
        parts = [self.fitted.score(*self._seen(numbers, some)) for some in blocks(at)]
        return np.concatenate(parts) if parts else np.array([])

    def contributions(self, numbers: Numbers, at: np.ndarray) -> np.ndarray:
        z, flags = self._seen(numbers, at)
        return self.fitted.contributions(z, flags)

    def _seen(self, numbers: Numbers, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        regime = numbers.regime[at]
        return self.scaler.apply(numbers.x[at], regime), self.scaler.flags(regime)


@dataclass(frozen=True)
class _Round:
    """A fold before calibration."""

    fold: Fold
    chosen: str
    fit: Fit
    raw: dict[str, np.ndarray]


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
    rounds: list[_Round] = []
    for result in side_by_side(lambda fold: _contest(numbers, fold, seed), folds):
        rounds.append(result)
        progress(COMPETING, done=len(rounds), total=len(folds))
    return [_calibrated(numbers, rounds, one) for one in rounds]


def side_by_side(one: Callable[[Part], Result], folds: list[Part]) -> Iterator[Result]:
    """Work on folds in as many threads as a run may use; results in the folds' order.

    Each fold computes in one thread: many small fits side by side beat one that waits.
    """

    def alone(fold: Part) -> Result:
        # OpenMP keeps its limit per thread, so it has to be set inside each of them
        with threadpool_limits(1, user_api="openmp"):
            return one(fold)

    with (
        threadpool_limits(1),
        ThreadPoolExecutor(max_workers=settings().threads) as workers,
    ):
        yield from workers.map(alone, folds)


def out_of_fold(
    numbers: Numbers,
    folds: list[Fold],
    names: list[str],
    seed: int,
    *,
    quick: bool = False,
) -> dict[str, np.ndarray]:
    """Held-out scores of candidates, NaN where one could not be fitted."""
    scores = {name: np.full(len(numbers.label), np.nan) for name in names}
    for fold in folds:
        for name, fit in fit_all(numbers, fold.train, names, seed, quick).items():
            scores[name][fold.test] = fit.score(numbers, fold.test)
    return scores


def fit_all(
    numbers: Numbers, at: np.ndarray, names: list[str], seed: int, quick: bool = False
) -> dict[str, Fit]:
    """Fit the candidates that these cases allow (`quick`: or their stand-ins)."""
    at = at[sample(numbers.label[at], LEARNT, seed).at]
    x, label, regime = numbers.x[at], numbers.label[at], numbers.regime[at]
    scaler = Scaler.fit(x, label != 1, regime)
    z, flags = scaler.apply(x, regime), scaler.flags(regime)
    fits: dict[str, Fit] = {}
    for candidate in (CANDIDATES[name] for name in names):
        if can_fit(candidate, label):
            way = candidate.stand_in if quick and candidate.stand_in else candidate.fit
            fits[candidate.name] = Fit(scaler, way(z, flags, label, seed))
    return fits


def allowed(label: np.ndarray, group: np.ndarray) -> list[str]:
    """Who may be chosen: with few bad cases only the first, fitted on good ones.

    Any choice made on a handful of bad cases from two or three days draws lots.
    """
    bad = label == 1
    rich = bad.sum() >= ENOUGH_POSITIVES and len(np.unique(group[bad])) >= ENOUGH_GROUPS
    return list(CANDIDATES) if rich else list(CANDIDATES)[:1]


def most_chosen(results: list[FoldResult]) -> str:
    """The candidate chosen in most folds; the simpler one when it is a tie."""
    votes = Counter(result.chosen for result in results)
    return max(CANDIDATES, key=lambda name: votes[name])


def choose(
    scores: dict[str, np.ndarray],
    label: np.ndarray,
    group: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    seed: int = 0,
) -> str:
    """The simplest candidate that no other beats beyond noise.

    A less simple one takes over when its figure is higher in 84 % of resamples (of
    groups, and of cases inside them): the one-standard-error rule.

    It is not too timid where bad cases come in stretches: of 325 bad strokes in 13
    stretches trees were better inside groups with 88 % confidence even when all of them
    were held against each other, and a paired test over groups chose them less often.

    Parameters
    ----------
    scores : dict
        Held-out scores per candidate, simplest first; one with NaN is left out. When
        none was scored (a single group holds nothing out) the simplest is chosen.
    weight : ndarray, shape (n,), optional
        How many cases each one stands for.
    """
    known = ~np.isnan(label)
    label, group = label[known], group[known]
    usable = {n: s[known] for n, s in scores.items() if not np.isnan(s[known]).any()}
    names = list(usable)
    if not names or not (label == 1).any():
        return next(iter(usable or scores))
    best = names[0]
    weights = _weights(group, seed)
    if weight is not None:
        weights = weights * weight[known]
    figures = {n: _figure(s, label, group, weights) for n, s in usable.items()}
    for name in names[1:]:
        gain = figures[name] - figures[best]
        gain = gain[~np.isnan(gain)]
        if len(gain) and np.quantile(gain, 1 - SURE) > 0:
            best = name
    return best


def _contest(numbers: Numbers, fold: Fold, seed: int) -> _Round:
    """Choose without the fold, then score the fold with everyone."""
    label = numbers.label[fold.train]
    names = allowed(label, numbers.group[fold.train])
    some = sample(label, CHOSEN_ON, seed)
    inside = numbers.at(fold.train[some.at])
    inner = grouped_folds(inside.group, inside.label, folds=INNER_FOLDS)
    scores = out_of_fold(inside, inner, names, seed, quick=True)
    chosen = choose(scores, inside.label, inside.group, weight=some.weight, seed=seed)
    fits = fit_all(numbers, fold.train, list(CANDIDATES), seed)
    raw = {name: fit.score(numbers, fold.test) for name, fit in fits.items()}
    return _Round(fold, chosen, fits[chosen], raw)


def _calibrated(numbers: Numbers, rounds: list[_Round], one: _Round) -> FoldResult:
    """Give a round the curve of the chosen candidate on the *other* folds."""
    others = [r for r in rounds if r is not one and one.chosen in r.raw]
    score = np.concatenate([r.raw[one.chosen] for r in others] or [np.array([])])
    label = np.concatenate(
        [numbers.label[r.fold.test] for r in others] or [np.array([])]
    )
    share = float(np.nanmean(numbers.label))
    calibration = fit_calibration(score, label, prior=share)
    return FoldResult(one.fold, one.chosen, one.fit, calibration, one.raw)


def _weights(group: np.ndarray, seed: int) -> np.ndarray:
    """Resamples of groups and of cases inside them, shape (draws, n)."""
    names, codes = coded(group)
    random = np.random.default_rng(seed)
    even = np.full(len(names), 1 / len(names))
    groups = random.multinomial(len(names), even, DRAWS)
    weights = groups.astype(np.int16)[:, codes]
    weights *= random.poisson(1.0, weights.shape).astype(np.int16)
    return weights


def _figure(
    score: np.ndarray, label: np.ndarray, group: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Mean of two average precisions per resample: over all cases, and inside groups.

    The first alone would reward telling days apart, the second telling only cases of
    one day apart; a line needs both.
    """
    over_all = resampled("average_precision", label, score, weights)
    return (over_all + _inside_groups(score, label, group, weights)) / 2


def _inside_groups(
    score: np.ndarray, label: np.ndarray, group: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Average precision of each group, weighed by its bad cases, per resample.

    All groups at once: cases sorted group by group, curves that start anew with each.
    """
    codes = coded(group)[1]
    with_bad = np.isin(codes, codes[label == 1])
    order = np.flatnonzero(with_bad)
    order = order[np.lexsort((-score[order], codes[order]))]
    bad, codes, score = label[order] == 1, codes[order], score[order]
    tied = (codes[1:] == codes[:-1]) & (score[1:] == score[:-1])
    ends = np.flatnonzero(np.append(~tied, True))
    # step at which the group of each step begins
    new = np.append(True, codes[ends][1:] != codes[ends][:-1])
    begin = np.flatnonzero(new)[np.cumsum(new) - 1]
    found = np.full(len(weights), np.nan)
    for draw, drawn in enumerate(weights):
        weight = drawn[order].astype(float)
        seen = np.append(0.0, np.cumsum(weight)[ends])
        hits = np.append(0.0, np.cumsum(weight * bad)[ends])
        gained = np.diff(hits)
        here, out_of = hits[1:] - hits[begin], seen[1:] - seen[begin]
        at = gained > 0
        with np.errstate(invalid="ignore"):
            found[draw] = (gained[at] * here[at] / out_of[at]).sum() / hits[-1]
    return found
