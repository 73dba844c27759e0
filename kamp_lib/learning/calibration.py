"""From scores to probabilities that can be believed, learnt on held-out scores only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

# Below this many bad cases a smooth curve with two numbers is all the data can carry:
# measured on AI4I (339 bad cases, held-out stretches) isotonic was worse in every score.
ISOTONIC_POSITIVES = 1000
# How strongly the slope is held towards a prior of one logit per spread of the score.
SLOPE_PRECISION = 4.0
MIN_SLOPE = 0.05
# Isotonic steps have flat parts; this share of the smooth curve keeps the order.
KEEP_ORDER = 1e-3
Z = 1.959963984540054


@dataclass(frozen=True)
class Calibration:
    """A rising curve from score to probability."""

    kind: Literal["sigmoid", "isotonic"]
    centre: float
    spread: float
    slope: float
    offset: float
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    shift: float = 0.0  # logits between the share of bad learnt from and expected

    def probability(self, score: np.ndarray) -> np.ndarray:
        """Probability of bad for each score, shape (n,)."""
        z = (np.asarray(score, dtype=float) - self.centre) / self.spread
        smooth = _logistic(self.slope * z + self.offset)
        if self.kind == "sigmoid":
            return self._moved(smooth)
        steps = np.interp(score, self.x, self.y)
        return self._moved((1 - KEEP_ORDER) * steps + KEEP_ORDER * smooth)

    def _moved(self, p: np.ndarray) -> np.ndarray:
        return p if self.shift == 0.0 else _logistic(_logit(p) + self.shift)

    def to_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Calibration:
        return cls(**saved)


def fit_calibration(
    score: np.ndarray, label: np.ndarray, *, prior: float | None = None
) -> Calibration:
    """Learn the curve from scores that were made without seeing their own group.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Held-out scores, higher = worse.
    label : ndarray, shape (n,)
        1 bad, 0 good; NaN is left out.
    prior : float, optional
        Share of bad cases to expect where the curve is used. Leaving out the one day
        with many bad cases would otherwise tell the curve that bad is rare on just
        that day, and the pooled ranking would punish every model for it.

    Notes
    -----
    Platt's sigmoid with his smoothed targets, the slope held towards a prior so that a
    handful of bad cases cannot turn it over; isotonic from 1,000 bad cases on.
    """
    known = ~np.isnan(label)
    score, label = np.asarray(score, dtype=float)[known], label[known]
    centre = float(np.mean(score)) if len(score) else 0.0
    spread = float(np.std(score)) if len(score) else 1.0
    spread = spread if spread > 1e-12 else 1.0
    z = (score - centre) / spread
    positives = float((label == 1).sum())
    negatives = float((label == 0).sum())
    high = (positives + 1) / (positives + 2)
    low = 1 / (negatives + 2)
    slope, offset = _platt(z, np.where(label == 1, high, low))
    slope = max(slope, MIN_SLOPE)
    shift = 0.0
    if prior is not None and len(label):
        shift = float(_logit(prior) - _logit((positives + 0.5) / (len(label) + 1)))
    if positives < ISOTONIC_POSITIVES:
        return Calibration("sigmoid", centre, spread, slope, offset, shift=shift)
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression(out_of_bounds="clip").fit(score, label)
    return Calibration(
        "isotonic",
        centre,
        spread,
        slope,
        offset,
        [float(v) for v in steps.X_thresholds_],
        [float(v) for v in steps.y_thresholds_],
        shift,
    )


def calibration_table(
    label: np.ndarray, probability: np.ndarray, bins: int = 8
) -> pd.DataFrame:
    """Predicted against observed share of bad per bin, with Wilson's 95 % interval.

    Bins are cut so that the rare high risks are not lost among a thousand good cases:
    each holds an equal part of the sum of square roots of the probabilities.
    """
    known = ~np.isnan(label)
    label, probability = label[known], probability[known]
    columns = ["predicted", "observed", "low", "high", "count"]
    if not len(label):
        return pd.DataFrame(columns=columns)
    order = np.argsort(probability, kind="stable")
    mass = np.cumsum(np.sqrt(probability[order]))
    bin_of = np.minimum((mass / mass[-1] * bins).astype(int), bins - 1)
    rows = []
    for b in np.unique(bin_of):
        inside = order[bin_of == b]
        rows.append(_bin(probability[inside], label[inside]))
    return pd.DataFrame(rows, columns=columns)


def calibration_error(label: np.ndarray, probability: np.ndarray) -> float | None:
    """Mean distance between predicted and observed share, weighted by cases."""
    table = calibration_table(label, probability)
    if table.empty:
        return None
    gap = (table["predicted"] - table["observed"]).abs()
    return float(np.average(gap, weights=table["count"]))


def _bin(probability: np.ndarray, label: np.ndarray) -> tuple[float, ...]:
    n, share = len(label), float(np.mean(label == 1))
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return (float(np.mean(probability)), share, low, high, n)


def _platt(z: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the sigmoid, by Newton's method."""
    share = float(target.mean()) if len(target) else 0.5
    slope, offset = 1.0, float(np.log(share / (1 - share)))
    for _ in range(60):
        p = _logistic(slope * z + offset)
        w = p * (1 - p) + 1e-12
        gradient = np.array(
            [
                np.sum((p - target) * z) + SLOPE_PRECISION * (slope - 1.0),
                np.sum(p - target),
            ]
        )
        curve = np.array(
            [
                [np.sum(w * z * z) + SLOPE_PRECISION, np.sum(w * z)],
                [np.sum(w * z), np.sum(w) + 1e-9],
            ]
        )
        step = np.clip(np.linalg.solve(curve, gradient), -1.0, 1.0)
        slope, offset = slope - float(step[0]), offset - float(step[1])
        if np.abs(step).max() < 1e-10:
            break
    return slope, offset


def _logit(p: np.ndarray | float) -> np.ndarray:
    inside = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(inside / (1 - inside))


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -40, 40)))
