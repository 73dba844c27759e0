"""Control charts when nobody wrote down what was bad: T² and Q in two phases.

Phase I learns the usual state from the first part of the record (trimmed of its own
outliers); phase II holds everything later against its limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamp_lib.learning.bounds import blocks
from kamp_lib.learning.candidates import FittedCharts
from kamp_lib.learning.cases import Cases
from kamp_lib.learning.detectors import Components
from kamp_lib.learning.inputs import Encoder, Scaler

PHASE_ONE = 0.4
MIN_PHASE_ONE = 200
# Three-sigma practice: one false alarm in about 370 cases.
COVERAGE = 0.9973
TRIMMINGS = 3
# A page draws no more points than this per statistic; the worst are always kept.
POINTS = 2_000
WORST = 300


@dataclass(frozen=True)
class Charts:
    """The fitted charts and both statistics of every case.

    Attributes
    ----------
    phase_one : ndarray of bool
        Cases from which the usual state was learnt.
    t2, q : ndarray
        Each over its limit: above 1 is out of control.
    """

    scaler: Scaler
    fitted: FittedCharts
    phase_one: np.ndarray
    t2: np.ndarray
    q: np.ndarray

    @property
    def out(self) -> np.ndarray:
        """Cases out of control in either statistic."""
        outside: np.ndarray = np.maximum(self.t2, self.q) >= 1
        return outside

    def table(self, cases: Cases) -> pd.DataFrame:
        """The bundle's table `control_chart`, thinned to what a page can draw."""
        values = {
            "T2": (self.t2, self.fitted.t2_limit),
            "Q": (self.q, self.fitted.q_limit),
        }
        parts = []
        for statistic, (ratio, limit) in values.items():
            at = _drawn(ratio)
            parts.append(
                pd.DataFrame(
                    {
                        "case": cases.case[at],
                        "time": cases.time.iloc[at].to_numpy(),
                        "group": cases.group[at],
                        "statistic": statistic,
                        "value": ratio[at] * limit,
                        "limit": limit,
                        "out": ratio[at] >= 1,
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)


def fit_charts(cases: Cases, encoder: Encoder) -> Charts:
    """Learn the usual state from phase I and hold all cases against it."""
    from threadpoolctl import threadpool_limits

    x = encoder.encode(cases.frame)
    phase_one = _first_part(cases)
    kept = phase_one.copy()
    with threadpool_limits(1):
        for _ in range(TRIMMINGS):
            scaler = Scaler.fit(x[kept], np.ones(kept.sum(), bool), cases.regime[kept])
            learnt = np.flatnonzero(kept)
            own = np.vstack(
                [scaler.apply(x[at], cases.regime[at]) for at in blocks(learnt)]
            )
            detector = Components.fit(own)
            t2, q = _statistics(detector, scaler, x, cases.regime)
            fitted = FittedCharts(
                detector,
                _limit(t2[kept], len(detector.variances)),
                _limit(q[kept], None),
            )
            inside = (t2 <= fitted.t2_limit) & (q <= fitted.q_limit)
            trimmed = phase_one & inside
            # trimming away the state itself would leave nothing to compare with
            if trimmed.sum() < 0.8 * phase_one.sum() or (trimmed == kept).all():
                break
            kept = trimmed
    limits = fitted.t2_limit, fitted.q_limit
    return Charts(scaler, fitted, phase_one, t2 / limits[0], q / limits[1])


def _statistics(
    detector: Components, scaler: Scaler, x: np.ndarray, regime: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """T² and Q of all cases, some at a time."""
    t2, q = np.empty(len(x)), np.empty(len(x))
    for at in blocks(np.arange(len(x))):
        z = scaler.apply(x[at], regime[at])
        t2[at], q[at] = detector.t2(z), detector.q(z)
    return t2, q


def _first_part(cases: Cases) -> np.ndarray:
    good = np.flatnonzero(cases.good)
    count = min(max(MIN_PHASE_ONE, int(PHASE_ONE * len(good))), len(good))
    mask = np.zeros(len(cases), dtype=bool)
    mask[good[:count]] = True
    return mask


def _limit(values: np.ndarray, dimensions: int | None) -> float:
    """The wider of theory and what phase I itself showed; real signals have tails."""
    from scipy.stats import chi2

    observed = float(np.quantile(values, COVERAGE))
    if dimensions is not None:
        theory = float(chi2.ppf(COVERAGE, dimensions))
    else:  # Box's approximation of a sum of squares
        mean, variance = float(values.mean()), float(values.var())
        if mean <= 0 or variance <= 0:
            return max(observed, 1e-9)
        scale, freedom = variance / (2 * mean), 2 * mean**2 / variance
        theory = float(scale * chi2.ppf(COVERAGE, freedom))
    return max(observed, theory, 1e-9)


def _drawn(ratio: np.ndarray) -> np.ndarray:
    if len(ratio) <= POINTS:
        return np.arange(len(ratio))
    even = np.linspace(0, len(ratio) - 1, POINTS - WORST).astype(int)
    worst = np.argsort(-ratio, kind="stable")[:WORST]
    return np.unique(np.concatenate([even, worst]))
