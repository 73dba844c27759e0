"""From a nested judgement to the evidence that the verdict's rules look at."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from kamp_lib.learning.outcome import Score
from kamp_lib.learning.scores import paired_difference
from kamp_lib.learning.verdict import Evidence, Noun
from kamp_lib.text import Text


def evidence_of(
    label: np.ndarray,
    probability: np.ndarray,
    groups: np.ndarray,
    metrics: dict[str, Score],
    baseline: dict[str, Score],
    by_group: pd.DataFrame,
    *,
    case: Text,
    bad: Text,
    by: Noun,
    seed: int = 0,
) -> Evidence:
    """Counts, scores and the per-group figures of labelled and unlabelled cases.

    Parameters
    ----------
    label : ndarray
        1 bad, 0 good, NaN unknown.
    by_group : DataFrame
        The bundle's `groups` table.
    """
    known = np.isfinite(label)
    classes = len(np.unique(label[known]))
    kind: Literal["both", "single", "none"] = (
        "both" if classes == 2 else "single" if classes == 1 else "none"
    )
    lift = None
    if kind == "both" and metrics["average_precision"].value is not None:
        constant = np.zeros(len(label))
        lift = paired_difference(
            "average_precision", label, probability, constant, groups, seed=seed
        )
    areas = by_group.dropna(subset=["roc_auc"]) if len(by_group) else by_group
    return Evidence(
        label=kind,
        cases=int(known.sum()) or len(label),
        positives=int((label == 1).sum()),
        groups=len(np.unique(groups[known])),
        positive_groups=len(np.unique(groups[label == 1])),
        case=case,
        bad=bad,
        by=by,
        score=metrics["average_precision"],
        baseline=baseline["average_precision"],
        lift=lift,
        group_auc=[
            (int(p), float(a))
            for p, a in zip(areas["positives"], areas["roc_auc"], strict=True)
        ]
        if len(areas)
        else [],
    )
