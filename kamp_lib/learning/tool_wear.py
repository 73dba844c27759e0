"""Tool condition, step by step: samples of runs in, "change the tool?" per run out.

`analyse` is these steps in a row; the analysis notebook calls them one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from kamp_lib.learning.calibration import Calibration
from kamp_lib.learning.nested import Folds, Judged, fair_folds, judge
from kamp_lib.learning.scores import average_precision, roc_auc
from kamp_lib.learning.splits import shuffled_folds
from kamp_lib.learning.task import Task
from kamp_lib.learning.tool_cases import ToolCases, read_runs
from kamp_lib.learning.tool_models import (
    RUN_CANDIDATES,
    Levelling,
    LoadIndex,
    RunCandidate,
    Runs,
    SampleTrees,
)
from kamp_lib.learning.tool_risk import ToolRisk
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.learning.outcome import Outcome

# thousands of small matrices: threads that wait for each other cost three times the time
ONE_THREAD = threadpool_limits.wrap(limits=1, user_api="blas")
KINDS = {c.id: c for c in RUN_CANDIDATES}
NAMES = {**{c.id: c.name for c in RUN_CANDIDATES}, SampleTrees.id: SampleTrees.name}
JUDGING = Text("처음 보는 회차로 평가", "Judging on unseen runs")
SAMPLES = 12_000  # learned from at most; runs are thinned evenly beyond
SHUFFLED = 8_000  # samples for the warning figure
ALARM = 0.95  # quantile of ordinary runs beyond which one without labels is told


@dataclass
class ToolJudgement:
    """Out-of-fold scores and shares of every run, and the final model.

    `inputs` are what the final model sees (levelled features, then settings), or mean
    signals when samples decide; `shares` what each of its columns adds.
    """

    probability: np.ndarray
    inputs: pd.DataFrame
    shares: np.ndarray
    fold: np.ndarray
    model: ToolRisk
    judged: Judged | None
    shuffled: dict[str, float | None]


def load(data: pd.DataFrame, task: Task) -> ToolCases:
    """Step 1: samples to runs; copies and columns that know the answer are taken out."""
    return read_runs(data, task)


def split(cases: ToolCases, task: Task) -> Folds | None:
    """Step 2: hold out whole tools (runs, when no tool is named); None when impossible."""
    rows = np.flatnonzero(np.isfinite(cases.label))
    if len(rows) == 0:
        return None
    folds = fair_folds(cases.label[rows].astype(int), cases.groups[rows], task.folds)
    return folds and [(rows[learn], rows[held]) for learn, held in folds]


@ONE_THREAD
def compete(
    cases: ToolCases, folds: Folds | None, seed: int = 0, progress: Progress = silent
) -> ToolJudgement:
    """Step 3: let the candidates compete and judge the procedure's choice."""
    runs = Runs.of(cases.table, _thinned(cases.samples))
    names = _columns(cases, runs)
    if folds is None:
        return _without_labels(cases, runs, names)
    rows = np.flatnonzero(np.isfinite(cases.label))
    place = np.full(len(cases), -1)
    place[rows] = np.arange(len(rows))
    known, label = runs[rows], cases.label[rows].astype(int)
    wear_up = np.concatenate(
        [runs.wear_up, np.zeros(runs.settings.shape[1], dtype=bool)]
    )

    on_samples: dict[bytes, SampleTrees] = {}

    def fitted(name: str, learn: np.ndarray) -> tuple[Levelling, RunCandidate]:
        level = Levelling.fit(known[learn])
        made = KINDS[name]().fit(level(known[learn]), label[learn], wear_up, seed)
        return level, made

    def scorer(name: str, learn: np.ndarray, held: np.ndarray) -> np.ndarray:
        if name == SampleTrees.id:
            trees = SampleTrees().fit(known[learn].samples, label[learn], seed)
            on_samples[learn.tobytes()] = trees
            return trees.score(known[held].samples)
        level, made = fitted(name, learn)
        return made.score(level(known[held]))

    def tell(done: int, total: int) -> None:
        progress(JUDGING, done=done, total=total)

    local = [(place[learn], place[held]) for learn, held in folds]
    groups = cases.groups[rows]
    judged = judge(list(NAMES), scorer, label, groups, local, on_fold=tell)
    probability, fold = np.full(len(cases), np.nan), np.full(len(cases), -1)
    probability[rows], fold[rows] = judged.probability, judged.fold

    winner: RunCandidate | SampleTrees
    if judged.winner == SampleTrees.id:
        winner = SampleTrees().fit(known.samples, label, seed)
        inputs = pd.DataFrame(
            [s.mean(axis=0) for s in runs.samples], columns=cases.signals
        )
        shares = winner.shares(runs.samples)
        raw = winner.score(runs.samples)
    else:
        level, winner = fitted(judged.winner, np.arange(len(rows)))
        inputs = pd.DataFrame(level(runs), columns=names)
        shares = winner.shares(level(runs))
        raw = winner.score(level(runs))
    model = ToolRisk(winner, judged.calibration, list(inputs.columns))
    rest = np.setdiff1d(np.arange(len(cases)), rows)
    probability[rest] = judged.calibration.probability(raw[rest])
    # reasons come from a model that had not seen the run, as its score does
    for learn, held in local:
        if isinstance(winner, SampleTrees):
            trees = on_samples[learn.tobytes()]
            shares[rows[held]] = trees.shares(known[held].samples)
        else:
            level, made = fitted(judged.winner, learn)
            shares[rows[held]] = made.shares(level(known[held]))
    shuffled = _shuffled(known.samples, label, seed)
    return ToolJudgement(probability, inputs, shares, fold, model, judged, shuffled)


def outcome(cases: ToolCases, judgement: ToolJudgement, task: Task) -> Outcome:
    """Step 4: threshold by cost, verdict, tables."""
    from kamp_lib.learning.tool_outcome import outcome as build

    return build(cases, judgement, task)


def analyse(data: pd.DataFrame, task: Task, *, progress: Progress = silent) -> Outcome:
    """All steps in a row.

    Parameters
    ----------
    data : DataFrame
        Samples; one column tells the run, one (maybe) the tool.
    task : Task
    """
    cases = load(data, task)
    judgement = compete(cases, split(cases, task), task.seed, progress)
    return outcome(cases, judgement, task)


def _columns(cases: ToolCases, runs: Runs) -> list[str]:
    told = cases.table.without_places().features
    names = [f.name for f in told if not f.setpoint]
    return names + [f.name for f in told if f.setpoint]


def _thinned(samples: list[np.ndarray]) -> list[np.ndarray]:
    step = max(1, -(-sum(len(s) for s in samples) // SAMPLES))
    return [s[::step] for s in samples]


def thinned_to(cases: ToolCases) -> int:
    """How many samples are learned from; 0 = all of them."""
    left = sum(len(s) for s in _thinned(cases.samples))
    return left if left < sum(len(s) for s in cases.samples) else 0


def _without_labels(cases: ToolCases, runs: Runs, names: list[str]) -> ToolJudgement:
    """No worn (or no good) runs are known: the load index against the other runs."""
    label = cases.label
    usual = np.flatnonzero(label != 1)
    usual = usual if len(usual) else np.arange(len(cases))
    level = Levelling.fit(runs[usual])
    inputs = level(runs)
    wear_up = np.concatenate(
        [runs.wear_up, np.zeros(runs.settings.shape[1], dtype=bool)]
    )
    index = LoadIndex().fit(inputs[usual], np.zeros(len(usual), dtype=int), wear_up, 0)
    raw = index.score(inputs)
    limit = float(np.quantile(raw[usual], ALARM))
    spread = max(limit - float(np.median(raw[usual])), 1e-6)
    alarm = Calibration("sigmoid", limit, spread, 3.0, 0.0)
    return ToolJudgement(
        alarm.probability(raw),
        pd.DataFrame(inputs, columns=names),
        index.shares(inputs),
        np.full(len(cases), -1),
        ToolRisk(index, alarm, names),
        None,
        {},
    )


def _shuffled(
    samples: list[np.ndarray], label: np.ndarray, seed: int
) -> dict[str, float | None]:
    """What rows dealt out at random would have claimed: the usual published figure."""
    step = max(1, sum(len(s) for s in samples) // SHUFFLED)
    parts = [s[::step] for s in samples]
    worn = np.repeat(label, [len(p) for p in parts])
    rows = np.concatenate(parts)
    score = np.zeros(len(rows))
    for fold in shuffled_folds(worn, folds=3, seed=seed):
        trees = SampleTrees().fit([rows[fold.train]], worn[fold.train], seed)
        score[fold.test] = trees.sample_scores(rows[fold.test])
    return {
        "average_precision": average_precision(worn.astype(float), score),
        "roc_auc": roc_auc(worn.astype(float), score),
    }
