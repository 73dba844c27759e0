"""The bundle's tables `groups` and `candidates`, the same for every family."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kamp_lib.learning.coded import coded, members
from kamp_lib.learning.scores import average_precision, roc_auc
from kamp_lib.text import Text

ALL = "all"
GROUPS = [
    "group",
    "first_time",
    "cases",
    "positives",
    "average_precision",
    "roc_auc",
    "baseline",
    "flagged",
    "missed",
    "false_alarms",
]
CANDIDATES = [
    "candidate",
    "ko",
    "en",
    "group",
    "average_precision",
    "roc_auc",
    "chosen",
]
COUNTS = ["positives", "missed", "false_alarms"]


def groups_table(
    group: np.ndarray,
    label: np.ndarray,
    score: np.ndarray,
    threshold: float,
    time: pd.Series,
) -> pd.DataFrame:
    """How it went on each held-out group.

    Parameters
    ----------
    group, label, score : ndarray, shape (n,)
        Label 1 bad, 0 good, NaN unknown: what needs a label is null without one.
    threshold : float
        A case is flagged at or above it.
    time : Series of UTC times, shape (n,), may be all missing
    """
    rows = []
    codes, names = pd.factorize(pd.Series(group))
    for name, at in zip(names, members(codes, len(names)), strict=True):
        known = ~np.isnan(label[at])
        judged, own = label[at][known], score[at][known]
        said = bool(known.any())
        bad, alarm = judged == 1, own >= threshold
        rows.append(
            {
                "group": str(name),
                "first_time": time.iloc[at].min(),
                "cases": len(at),
                "positives": int(bad.sum()) if said else None,
                "average_precision": average_precision(judged, own),
                "roc_auc": roc_auc(judged, own),
                "baseline": float(bad.mean()) if said else None,
                "flagged": int((score[at] >= threshold).sum()),
                "missed": int((bad & ~alarm).sum()) if said else None,
                "false_alarms": int((~bad & alarm).sum()) if said else None,
            }
        )
    table = pd.DataFrame(rows, columns=GROUPS)
    numbers = ["average_precision", "roc_auc", "baseline"]
    table[COUNTS] = table[COUNTS].astype("Int64")
    table[numbers] = table[numbers].astype("float64")
    table["first_time"] = pd.to_datetime(table["first_time"], utc=True)
    return table


def candidates_table(
    names: Mapping[str, Text],
    scores: Mapping[str, np.ndarray],
    label: np.ndarray,
    part: np.ndarray,
    chosen: np.ndarray,
    kept: str,
) -> pd.DataFrame:
    """Every candidate in every part, after its figure over all of them.

    Parameters
    ----------
    scores : mapping of candidate to ndarray, shape (n,)
        Held-out scores; NaN where a candidate could not be fitted.
    label : ndarray, shape (n,)
        NaN unknown.
    part : ndarray, shape (n,)
        What the rows are told by: the group, or the held-out part.
    chosen : ndarray of str, shape (n,)
        The candidate that was chosen without the case.
    kept : str
        The candidate that is kept in the end.
    """
    rows = []
    parts, codes = coded(part)
    places = dict(zip(parts.tolist(), members(codes, len(parts)), strict=True))
    everywhere = {ALL: np.arange(len(label)), **places}
    for candidate, score in scores.items():
        title = names[candidate]
        scored = ~np.isnan(score) & ~np.isnan(label)
        for name, at in everywhere.items():
            here = at[scored[at]]
            both = label[here], score[here]
            won = candidate == (kept if name == ALL else chosen[at][0])
            figures = average_precision(*both), roc_auc(*both)
            rows.append((candidate, title.ko, title.en, name, *figures, won))
    table = pd.DataFrame(rows, columns=CANDIDATES)
    return table.astype({"average_precision": float, "roc_auc": float})
