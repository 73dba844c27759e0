"""Where to draw the line: what each threshold misses and alarms, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

ROWS = 200
COLUMNS = ["threshold", "flagged", "missed", "false_alarms", "true_alarms"]


@dataclass(frozen=True)
class Choice:
    """The cheapest threshold and what the two ways of not looking would cost, in KRW."""

    threshold: float
    cost: float
    never_alarm: float
    always_alarm: float


def threshold_table(
    label: np.ndarray,
    score: np.ndarray,
    *,
    keep: float | None = None,
    rows: int = ROWS,
) -> pd.DataFrame:
    """Counts over all labelled cases for about `rows` thresholds, rising.

    A case is flagged when its score is at or above the threshold. `keep` is a threshold
    that must be among the rows.
    """
    label, score = _labelled(label, score)
    every = _counts(label, score)
    if len(every) > rows:
        # even steps in rank at the top, where the decisions are, and in score below
        ranks = np.unique(np.geomspace(1, len(every), rows * 3 // 4).astype(int)) - 1
        wanted = np.quantile(score, np.linspace(0, 1, rows // 4))
        near = np.searchsorted(every["threshold"], wanted).clip(0, len(every) - 1)
        chosen = np.concatenate([len(every) - 1 - ranks, near, [0]])
        if keep is not None:
            chosen = np.append(chosen, np.searchsorted(every["threshold"], keep))
        every = every.iloc[np.unique(chosen.clip(0, len(every) - 1))]
    return every.reset_index(drop=True)


def cheapest(
    label: np.ndarray,
    score: np.ndarray,
    *,
    cost_missed: float,
    cost_false_alarm: float,
) -> Choice:
    """The threshold with the least cost over the labelled cases.

    Among equally cheap ones the highest, so that a line is stopped as rarely as can be.
    """
    label, score = _labelled(label, score)
    every = _counts(label, score)
    cost = every["missed"] * cost_missed + every["false_alarms"] * cost_false_alarm
    best = int(np.flatnonzero(cost == cost.min())[-1])
    return Choice(
        threshold=float(every["threshold"].iloc[best]),
        cost=float(cost.iloc[best]),
        never_alarm=float((label == 1).sum() * cost_missed),
        always_alarm=float((label == 0).sum() * cost_false_alarm),
    )


def _labelled(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = ~np.isnan(label)
    return label[known], score[known]


def _counts(label: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    """One row per different score, and one above all of them (nothing is flagged)."""
    values, first = np.unique(np.sort(score), return_index=True)
    ordered = label[np.argsort(score, kind="stable")] == 1
    bad_below = np.concatenate([[0], np.cumsum(ordered)])
    above = float(np.nextafter(values[-1], np.inf)) if len(values) else 1.0
    start = np.append(first, len(score))
    missed = bad_below[start]
    flagged = len(score) - start
    caught = bad_below[-1] - missed
    return pd.DataFrame(
        {
            "threshold": np.append(values, above),
            "flagged": flagged,
            "missed": missed,
            "false_alarms": flagged - caught,
            "true_alarms": caught,
        }
    )[COLUMNS]
