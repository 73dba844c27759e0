"""Detectors that only know what good looks like: Mahalanobis, neighbours, PCA T²/Q.

All take numbers without gaps, shape (n, p), and give a distance that rises with
strangeness and what each input adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 5
# Good cases that the neighbour detector keeps; more cost time and change nothing.
MAX_KEPT = 4000
MANY = 20_000
VARIANCE_KEPT = 0.95
TINY = 1e-12


@dataclass(frozen=True)
class Mahalanobis:
    """Distance from the centre of good cases in units of their (shrunk) spread.

    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
    matrices", J. Multivariate Analysis 88 (2004): stays invertible with few cases.
    """

    centre: np.ndarray  # (p,)
    precision: np.ndarray  # (p, p)

    @classmethod
    def fit(cls, good: np.ndarray) -> Mahalanobis:
        from sklearn.covariance import ledoit_wolf

        centre = good.mean(axis=0)
        covariance, _ = ledoit_wolf(good - centre, assume_centered=True)
        lifted = covariance + TINY * np.eye(len(centre))
        return cls(centre, np.linalg.pinv(lifted, hermitian=True))

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """What each input adds to the squared distance, shape (n, p); sums to T²."""
        away = x - self.centre
        return away * (away @ self.precision)

    def squared(self, x: np.ndarray) -> np.ndarray:
        """T², shape (n,)."""
        return np.maximum(self.contributions(x).sum(axis=1), 0.0)

    def score(self, x: np.ndarray) -> np.ndarray:
        """Logarithm of the distance: tails short enough to calibrate."""
        return 0.5 * np.log(self.squared(x) + TINY)


@dataclass(frozen=True)
class Neighbours:
    """Distance to the nearest good cases that were kept."""

    kept: np.ndarray  # (m, p)
    count: int = NEIGHBOURS

    @classmethod
    def fit(cls, good: np.ndarray, *, seed: int = 0) -> Neighbours:
        if len(good) > MAX_KEPT:
            chosen = np.random.default_rng(seed).permutation(len(good))[:MAX_KEPT]
            good = good[np.sort(chosen)]
        return cls(good, min(NEIGHBOURS, len(good)))

    def _near(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.neighbors import NearestNeighbors

        # few cases: exact to the last bit; many: plain products, thrice as fast from
        # a dozen inputs on, where a tree of distances rules hardly anything out
        way = "brute" if len(x) > MANY else "auto"
        index = NearestNeighbors(n_neighbors=self.count, algorithm=way).fit(self.kept)
        distance, which = index.kneighbors(x)
        return distance, which

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """Squared distance per input from the middle of the nearest good cases."""
        _, which = self._near(x)
        return (x - self.kept[which].mean(axis=1)) ** 2

    def score(self, x: np.ndarray) -> np.ndarray:
        """Logarithm of the distance to the k-th nearest good case."""
        distance, _ = self._near(x)
        return np.log(distance[:, -1] + 1e-6)


@dataclass(frozen=True)
class Components:
    """PCA of good cases: T² inside the usual pattern, Q (SPE) away from it."""

    centre: np.ndarray  # (p,)
    axes: np.ndarray  # (k, p)
    variances: np.ndarray  # (k,)

    @classmethod
    def fit(cls, good: np.ndarray, *, kept: float = VARIANCE_KEPT) -> Components:
        centre = good.mean(axis=0)
        covariance = np.cov(good - centre, rowvar=False).reshape(good.shape[1], -1)
        values, vectors = np.linalg.eigh(covariance)
        values, vectors = values[::-1].clip(0), vectors[:, ::-1]
        share = np.cumsum(values) / max(values.sum(), TINY)
        count = min(int(np.searchsorted(share, kept)) + 1, len(values))
        count = max(min(count, int((values > TINY).sum())), 1)
        return cls(centre, vectors[:, :count].T, values[:count])

    def t2(self, x: np.ndarray) -> np.ndarray:
        """Hotelling's T² of the kept components, shape (n,)."""
        along = (x - self.centre) @ self.axes.T
        return (along**2 / np.maximum(self.variances, TINY)).sum(axis=1)

    def q(self, x: np.ndarray) -> np.ndarray:
        """Squared distance to the plane of the kept components, shape (n,)."""
        return self.q_contributions(x).sum(axis=1)

    def t2_contributions(self, x: np.ndarray) -> np.ndarray:
        away = x - self.centre
        along = away @ self.axes.T / np.maximum(self.variances, TINY)
        return away * (along @ self.axes)

    def q_contributions(self, x: np.ndarray) -> np.ndarray:
        away = x - self.centre
        return (away - (away @ self.axes.T) @ self.axes) ** 2
