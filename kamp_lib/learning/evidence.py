"""From judged cases to the evidence that the verdict's rules look at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.learning.coded import coded
from kamp_lib.learning.outcome import Score
from kamp_lib.learning.verdict import Evidence, Labelled, Noun
from kamp_lib.text import Text

KINDS: tuple[Labelled, ...] = ("none", "single", "both")


def evidence_of(
    label: np.ndarray,
    group: np.ndarray,
    by_group: pd.DataFrame,
    *,
    metrics: dict[str, Score],
    baseline: dict[str, Score],
    lift: Score | None,
    case: Text,
    bad: Text,
    by: Noun,
) -> Evidence:
    """Counts, scores and the figures of each group.

    Parameters
    ----------
    label : ndarray, shape (n,)
        1 bad, 0 good, NaN unknown.
    group : ndarray, shape (n,)
        What was held out together.
    by_group : DataFrame
        The bundle's table `groups`.
    """
    known = np.isfinite(label)
    areas = by_group.dropna(subset=["roc_auc", "positives"])
    pairs = zip(areas["positives"], areas["roc_auc"], strict=True)
    return Evidence(
        label=KINDS[len(np.unique(label[known]))],
        cases=int(known.sum()) or len(label),
        positives=int((label == 1).sum()),
        groups=len(coded(group[known])[0]),
        positive_groups=len(coded(group[label == 1])[0]),
        case=case,
        bad=bad,
        by=by,
        score=metrics["average_precision"],
        baseline=baseline["average_precision"],
        lift=lift,
        group_auc=[(int(positives), float(area)) for positives, area in pairs],
    )
