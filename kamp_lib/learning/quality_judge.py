"""Third step: scores with intervals, what shuffling would have claimed, the threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

import numpy as np
import pandas as pd

from kamp_lib.brief import Brief
from kamp_lib.learning.bounds import SHUFFLED, sample
from kamp_lib.learning.calibration import calibration_error, calibration_table
from kamp_lib.learning.candidates import CANDIDATES
from kamp_lib.learning.competition import Numbers, out_of_fold, side_by_side
from kamp_lib.learning.outcome import Score
from kamp_lib.learning.quality_fit import Contest
from kamp_lib.learning.scores import (
    METRICS,
    average_precision,
    base_rate,
    grouped_mean,
    lift,
    roc_auc,
    score_with_interval,
)
from kamp_lib.learning.splits import Fold, shuffled_folds
from kamp_lib.learning.tables import groups_table
from kamp_lib.learning.thresholds import Choice, cheapest, threshold_table
from kamp_lib.text import Text

SHUFFLED_FOLDS = 5
# Charts have no prices to weigh: their threshold is the control limit.
AT_LIMIT = 0.5


@dataclass(frozen=True, repr=False)
class Judged(Brief):
    """Scores of the procedure on groups it had never seen.

    Attributes
    ----------
    lift
        Average precision minus that of the baseline, on the same resamples.
    forward_lift
        The same forward in time, against the share of bad cases of those periods.
    choice
        The cheapest threshold; None without labels.
    """

    contest: Contest
    metrics: dict[str, Score]
    baseline: dict[str, Score]
    lift: Score | None
    shuffled: dict[str, Score]
    forward: dict[str, Score]
    forward_lift: Score | None
    threshold: float
    choice: Choice | None
    groups: pd.DataFrame
    thresholds: pd.DataFrame
    calibration: pd.DataFrame
    calibration_error: float | None

    def table(self) -> pd.DataFrame:
        """Honest, baseline, forward and shuffled figures side by side."""
        columns = {
            Text("처음 보는 자료(정직한 성능)", "unseen groups (honest)"): self.metrics,
            Text("기준(단순) 방법", "baseline"): self.baseline,
            Text("시간 순서", "forward in time"): self.forward,
            Text("섞어서 나눔(부풀려짐)", "shuffled (flatters)"): self.shuffled,
        }
        return pd.DataFrame(
            {
                str(name): {m: _said(scores[m]) for m in METRICS if m in scores}
                for name, scores in columns.items()
            }
        ).fillna("–")

    def _repr_html_(self) -> str:
        line = Text(
            f"판정 기준값 {self.threshold:.4f}", f"threshold {self.threshold:.4f}"
        )
        return (
            f"{self.table().to_html()}<p>{escape(str(line))}</p>"
            f"{self.groups.drop(columns='first_time').round(3).to_html(index=False)}"
        )


def judge(contest: Contest) -> Judged:
    """Score what the folds produced; nothing is fitted to the held-out labels here
    but the threshold, which is chosen by cost."""
    cases, task = contest.plan.cases, contest.plan.task
    if contest.charts is not None:
        return _without_labels(contest)
    label, score, group, seed = cases.label, contest.score, cases.group, task.seed
    metrics: dict[str, Score] = {
        m: score_with_interval(m, label, score, group, seed=seed) for m in METRICS
    }
    metrics["brier_score_loss"] = _brier(label, contest.unseen, group, seed)
    baseline = base_rate(label, group, seed=seed)
    share = np.full(len(label), float(np.nanmean(label)))
    baseline["brier_score_loss"] = _brier(label, share, group, seed)
    choice = cheapest(
        label,
        score,
        cost_missed=task.number("cost_missed"),
        cost_false_alarm=task.number("cost_false_alarm"),
    )
    forward, forward_lift = _forward(contest)
    return Judged(
        contest=contest,
        metrics=metrics,
        baseline=baseline,
        lift=lift(label, score, group, seed=seed),
        shuffled=_shuffled(contest),
        forward=forward,
        forward_lift=forward_lift,
        threshold=choice.threshold,
        choice=choice,
        groups=_groups(contest, choice.threshold),
        thresholds=threshold_table(label, score, keep=choice.threshold),
        calibration=calibration_table(label, contest.unseen),
        calibration_error=calibration_error(label, contest.unseen),
    )


def _without_labels(contest: Contest) -> Judged:
    nothing: dict[str, Score] = {m: Score(value=None) for m in METRICS}
    return Judged(
        contest=contest,
        metrics=nothing,
        baseline=dict(nothing),
        lift=None,
        shuffled={},
        forward={},
        forward_lift=None,
        threshold=AT_LIMIT,
        choice=None,
        groups=_groups(contest, AT_LIMIT),
        thresholds=_alarms(contest.score),
        calibration=calibration_table(np.array([]), np.array([])),
        calibration_error=None,
    )


def _alarms(score: np.ndarray) -> pd.DataFrame:
    """How many cases each threshold flags; what it misses nobody can say."""
    table = threshold_table(np.zeros(len(score)), score, keep=AT_LIMIT)
    unknown = pd.Series(pd.NA, index=table.index, dtype="Int64")
    for column in ("missed", "false_alarms", "true_alarms"):
        table[column] = unknown
    return table


def _brier(label: np.ndarray, score: np.ndarray, group: np.ndarray, seed: int) -> Score:
    known = ~np.isnan(label)
    squared = (label[known] - score[known]) ** 2
    return grouped_mean(squared, group[known], seed=seed)


def _shuffled(contest: Contest) -> dict[str, Score]:
    """What shuffled rows and the luckiest candidate would have claimed.

    Rows, not cases: the left and the right part of one shot land on both sides. Of very
    many cases a sample, with all rows of each.
    """
    cases, seed = contest.plan.cases, contest.plan.task.seed
    some = sample(cases.label, SHUFFLED, seed)
    weight_of = np.zeros(len(cases))
    weight_of[some.at] = 1.0 if some.weight is None else some.weight
    rows = weight_of[cases.row_case] > 0
    label, of = cases.row_label[rows], cases.row_case[rows]
    weight = weight_of[of]
    counts = np.bincount(label[~np.isnan(label)].astype(int), minlength=2)
    if counts.min() < SHUFFLED_FOLDS:
        return {}
    # an unknown label is dealt out like a good one; it is not scored
    dealt = shuffled_folds(np.nan_to_num(label), folds=SHUFFLED_FOLDS, seed=seed)
    numbers = replace(contest.numbers.at(of), label=label)
    scores = _held_out(numbers, dealt, list(CANDIDATES), seed)
    claims = {name: average_precision(label, s, weight) for name, s in scores.items()}
    best = scores[max(claims, key=lambda name: claims[name] or 0.0)]
    return {
        "average_precision": Score(value=average_precision(label, best, weight)),
        "roc_auc": Score(value=roc_auc(label, best, weight)),
    }


def _forward(contest: Contest) -> tuple[dict[str, Score], Score | None]:
    """The kept candidate, always fitted on the past and judged on the next period.

    With its lift: average precision minus that of knowing nothing, on the same cases.
    """
    plan, method, seed = contest.plan, contest.method, contest.plan.task.seed
    if not plan.forward:
        return {}, None
    score = _held_out(contest.numbers, plan.forward, [method], seed)[method]
    at = ~np.isnan(score)
    if not at.any():
        return {}, None
    label, group, score = plan.cases.label[at], plan.cases.group[at], score[at]
    scores: dict[str, Score] = {
        m: score_with_interval(m, label, score, group, seed=seed) for m in METRICS
    }
    return scores, lift(label, score, group, seed=seed)


def _held_out(
    numbers: Numbers, folds: list[Fold], names: list[str], seed: int
) -> dict[str, np.ndarray]:
    """Held-out scores, folds side by side."""
    parts = side_by_side(lambda f: out_of_fold(numbers, [f], names, seed), folds)
    scores = {name: np.full(len(numbers.label), np.nan) for name in names}
    for fold, part in zip(folds, parts, strict=True):
        for name in names:
            scores[name][fold.test] = part[name][fold.test]
    return scores


def _groups(contest: Contest, threshold: float) -> pd.DataFrame:
    cases = contest.plan.cases
    return groups_table(cases.group, cases.label, contest.score, threshold, cases.time)


def _said(score: Score) -> str:
    if score.value is None:
        return "–"
    if score.low is None or score.high is None:
        return f"{score.value:.3f}"
    return f"{score.value:.3f} ({score.low:.3f}–{score.high:.3f})"
