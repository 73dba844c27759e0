"""Vision inspection, step by step: pictures in, suspect parts and places out.

`analyse` is these steps in a row; the analysis notebook calls them one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from kamp_lib.learning.calibration import Calibration
from kamp_lib.learning.nested import Folds, Judged, fair_folds, judge
from kamp_lib.learning.scores import average_precision, roc_auc
from kamp_lib.learning.splits import grouped_folds, shuffled_folds
from kamp_lib.learning.vision_cases import VisionCases, read_cases
from kamp_lib.learning.vision_features import layout
from kamp_lib.learning.vision_models import (
    CANDIDATES,
    GoodPatches,
    Linear,
    Measured,
    PictureCandidate,
    Trees,
)
from kamp_lib.learning.vision_patches import PatchMemory
from kamp_lib.learning.vision_risk import VisionRisk, measure_all
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.learning.outcome import Outcome
    from kamp_lib.learning.task import Task

# thousands of small matrices: threads that wait for each other cost three times the time
ONE_THREAD = threadpool_limits.wrap(limits=1, user_api="blas")
KINDS = {c.id: c for c in CANDIDATES}
NAMES = {c.id: c.name for c in CANDIDATES}
JUDGING = Text("처음 보는 사진으로 평가", "Judging on unseen pictures")
ALARM = 0.99  # quantile of ordinary pictures beyond which one without labels is told


@dataclass
class Inspection:
    """What judging pictures gave: out-of-fold scores and heat, and the final model.

    `probability` is the calibrated risk; without both classes it is an alarm score
    scaled to 0-1 (`judged` is None then). `acquisition` holds the ROC area that the
    overall pattern of a picture reaches alone, and what the rest reaches without it.
    """

    probability: np.ndarray
    heat: np.ndarray
    shares: np.ndarray | None
    fold: np.ndarray
    model: VisionRisk
    judged: Judged | None
    shuffled: dict[str, float | None]
    given: dict[str, float | None]
    acquisition: dict[str, float]


@ONE_THREAD
def load(
    data: pd.DataFrame, task: Task, images_folder: Path, progress: Progress = silent
) -> VisionCases:
    """Step 1: read the pictures and find out which belong together."""
    parameters = task.parameters
    return read_cases(
        data,
        images_folder,
        target=task.target,
        bad_values=_bad_values(task),
        group=_group(data, task),
        time=task.time,
        size=int(parameters.get("image_size") or 128),
        progress=progress,
    )


@ONE_THREAD
def measure(cases: VisionCases) -> Measured:
    """Step 2: features and patches of every picture."""
    return measure_all(cases.pictures)


def split(cases: VisionCases, parameters: Mapping[str, Any]) -> Folds | None:
    """Step 3: folds that keep twins and groups whole; None without both classes."""
    rows = cases.labelled
    label = cases.label[rows].astype(int)
    if len(rows) == 0:
        return None
    groups = cases.frame["group"].to_numpy()[rows]
    folds = fair_folds(label, groups, int(parameters.get("folds") or 5))
    if folds is None:
        return None
    return [(rows[learn], rows[held]) for learn, held in folds]


@ONE_THREAD
def inspect(
    cases: VisionCases,
    measured: Measured,
    folds: Folds | None,
    seed: int = 0,
    progress: Progress = silent,
) -> Inspection:
    """Step 4: let the candidates compete and judge the procedure's choice."""
    if folds is None:
        return _without_labels(cases, measured, seed)
    rows = cases.labelled
    place = np.full(len(cases), -1)
    place[rows] = np.arange(len(rows))
    known = measured[rows]
    label = cases.label[rows].astype(int)
    groups = cases.frame["group"].to_numpy()[rows]
    fits: dict[tuple[str, bytes], PictureCandidate] = {}

    def scorer(name: str, learn: np.ndarray, held: np.ndarray) -> np.ndarray:
        fitted = KINDS[name]().fit(known[learn], label[learn], seed)
        fits[name, learn.tobytes()] = fitted
        return fitted.score(known[held])

    local = [(place[learn], place[held]) for learn, held in folds]

    def tell(done: int, total: int) -> None:
        progress(JUDGING, done=done, total=total)

    judged = judge(list(KINDS), scorer, label, groups, local, on_fold=tell)
    winner = KINDS[judged.winner]().fit(known, label, seed)
    memory = PatchMemory.fit(known.patches[label == 0], seed)
    model = VisionRisk(winner, judged.calibration, memory, cases.pictures.size)

    n = len(cases)
    probability, fold = np.full(n, np.nan), np.full(n, -1)
    probability[rows], fold[rows] = judged.probability, judged.fold
    heat = np.zeros((n, measured.patches.shape[1]))
    width = measured.features.shape[1]
    shares = None if judged.winner == GoodPatches.id else np.zeros((n, width))
    for learn, held in local:
        patches = fits[GoodPatches.id, learn.tobytes()]
        if isinstance(patches, GoodPatches):
            heat[rows[held]] = patches.memory.heat(known.patches[held])
        if shares is not None:
            fitted = fits[judged.winner, learn.tobytes()]
            told = fitted.feature_shares(known[held])
            shares[rows[held]] = 0 if told is None else told
    rest = np.setdiff1d(np.arange(n), rows)
    if len(rest):  # pictures without a label: no one learned from them
        probability[rest] = model.risk_of(measured[rest])
        heat[rest] = model.heat(measured[rest])
        if shares is not None:
            told = winner.feature_shares(measured[rest])
            shares[rest] = 0 if told is None else told
    return Inspection(
        probability,
        heat,
        shares,
        fold,
        model,
        judged,
        _shuffled(known, label, judged.winner, len(folds), seed),
        _given(cases, measured, judged.winner, seed),
        _acquisition(known, label, local, seed),
    )


def outcome(cases: VisionCases, inspection: Inspection, task: Task) -> Outcome:
    """Step 5: threshold by cost, verdict, tables, pictures for the page."""
    from kamp_lib.learning.vision_outcome import outcome as build

    return build(cases, inspection, task)


def analyse(
    data: pd.DataFrame,
    task: Task,
    *,
    images_folder: Path | None = None,
    progress: Progress = silent,
) -> Outcome:
    """All steps in a row.

    Parameters
    ----------
    data : DataFrame
        One row per picture, column `image` names the file.
    task : Task
    images_folder : Path
        Where the data set keeps its pictures.
    """
    cases = load(data, task, images_folder or Path(), progress)
    measured = measure(cases)
    folds = split(cases, task.parameters)
    seed = int(task.parameters.get("seed") or 0)
    return outcome(cases, inspect(cases, measured, folds, seed, progress), task)


def _bad_values(task: Task) -> list[str]:
    """Only what a person said; else every class that does not say good is bad."""
    said = task.parameters.get("bad_value")
    return [v.strip() for v in str(said).split(",")] if said else []


def _group(data: pd.DataFrame, task: Task) -> str | None:
    """The column that holds pictures together, when it has something to hold apart."""
    said = task.parameters.get("group")
    if said:
        return str(said)
    for column in task.groups:
        if column in data and 2 <= data[column].nunique() <= len(data) / 2:
            return column
    return None


def _without_labels(cases: VisionCases, measured: Measured, seed: int) -> Inspection:
    """Good pictures alone (or none said to be anything): how unlike the others each is.

    Pictures known to be bad are measured too, but never learned from.
    """
    label = cases.label
    learnable = np.flatnonzero(label != 1)
    if len(learnable) == 0:
        learnable = np.arange(len(cases))
    groups = cases.frame["group"].to_numpy()[learnable]
    n = len(cases)
    raw, fold = np.full(n, np.nan), np.full(n, -1)
    heat = np.zeros((n, measured.patches.shape[1]))

    def learn_from(rows: np.ndarray) -> GoodPatches:
        return GoodPatches().fit(measured[rows], np.zeros(len(rows), dtype=int), seed)

    whole = learn_from(learnable)
    for k, part in enumerate(grouped_folds(groups, folds=5)):
        fitted = learn_from(learnable[part.train])
        rows = learnable[part.test]
        heat[rows] = fitted.memory.heat(measured.patches[rows])
        raw[rows], fold[rows] = fitted.score(measured[rows]), k
    rest = np.flatnonzero(np.isnan(raw))
    if len(rest):  # pictures known to be bad
        heat[rest] = whole.memory.heat(measured.patches[rest])
        raw[rest] = whole.score(measured[rest])
    # an alarm score: even odds at the limit that one ordinary picture in 100 crosses
    ordinary = raw[learnable]
    limit = float(np.quantile(ordinary, ALARM))
    spread = max(limit - float(np.median(ordinary)), 1e-6)
    alarm = Calibration("sigmoid", limit, spread, 3.0, 0.0)
    model = VisionRisk(whole, alarm, whole.memory, cases.pictures.size)
    return Inspection(alarm.probability(raw), heat, None, fold, model, None, {}, {}, {})


def _shuffled(
    known: Measured, label: np.ndarray, winner: str, folds: int, seed: int
) -> dict[str, float | None]:
    """What a split that ignores twins and groups would have claimed."""
    folds = min(folds, int(np.bincount(label).min()))
    if folds < 2:
        return {}
    score = np.zeros(len(label))
    for part in shuffled_folds(label, folds=folds, seed=seed):
        fitted = KINDS[winner]().fit(known[part.train], label[part.train], seed)
        score[part.test] = fitted.score(known[part.test])
    return _plain(label, score)


def _given(
    cases: VisionCases, measured: Measured, winner: str, seed: int
) -> dict[str, float | None]:
    """The score on the test folder that came with the data, learned on its other one."""
    label, given = cases.label, cases.frame["given"]
    known = np.isfinite(label)
    learn = np.flatnonzero((given == "train").to_numpy() & known)
    held = np.flatnonzero((given == "test").to_numpy() & known)
    both = all(len(np.unique(label[rows])) == 2 for rows in (learn, held))
    if not both:
        return {}
    fitted = KINDS[winner]().fit(measured[learn], label[learn].astype(int), seed)
    return _plain(label[held], fitted.score(measured[held]))


def _plain(label: np.ndarray, score: np.ndarray) -> dict[str, float | None]:
    return {
        "average_precision": average_precision(label, score),
        "roc_auc": roc_auc(label, score),
    }


def _acquisition(
    known: Measured, label: np.ndarray, folds: Folds, seed: int
) -> dict[str, float]:
    """Does the pattern of the whole picture tell the label without any detail?

    Pictures of good and bad parts that were taken, cut or compressed differently can be
    told apart with no look at the part; detail has to do as well without the pattern.
    """
    pattern = layout().kind == "pattern"
    found = {}
    for name, chosen, kind in (("pattern", pattern, Trees), ("rest", ~pattern, Linear)):
        some = Measured(known.features[:, chosen], known.patches)
        score = np.zeros(len(label))
        for learn, held in folds:
            score[held] = kind().fit(some[learn], label[learn], seed).score(some[held])
        found[f"{name}_roc_auc"] = roc_auc(label, score) or 0.5
    return found
