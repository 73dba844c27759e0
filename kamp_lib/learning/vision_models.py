"""Candidates for telling bad pictures from good ones, from no label needed to plenty.

Two learn from good pictures alone (patch memory, shape of good pictures), two compare
good with bad (linear, boosted trees). Each gives one number per picture, higher = worse.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from kamp_lib.learning.vision_patches import PatchMemory, picture_score
from kamp_lib.learning.vision_twins import principal_axes
from kamp_lib.text import Text

CLIP = 6.0  # spreads beyond which a feature says no more
RIDGE = 1000.0
TREES: dict[str, Any] = {
    "objective": "binary:logistic",
    "learning_rate": 0.1,
    "max_depth": 3,
    "subsample": 0.8,
    "colsample_bytree": 0.1,
    "max_bin": 64,
    # on so few rows threads wait for each other longer than they work
    "nthread": 1,
}
ROUNDS = 120


@dataclass(frozen=True)
class Measured:
    """What was measured on pictures: features (n, p) and patches (n, 225, d)."""

    features: np.ndarray
    patches: np.ndarray

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: np.ndarray) -> Measured:
        return Measured(self.features[rows], self.patches[rows])


class PictureCandidate(ABC):
    """One way to score pictures; learns from `bad` (1 bad, 0 good)."""

    id: str
    name: Text
    needs_bad = False

    @abstractmethod
    def fit(
        self, measured: Measured, bad: np.ndarray, seed: int
    ) -> PictureCandidate: ...

    @abstractmethod
    def score(self, measured: Measured) -> np.ndarray:
        """Shape (n,); higher = more likely bad."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything learned, as plain arrays for an npz file."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> PictureCandidate: ...

    def feature_shares(self, measured: Measured) -> np.ndarray | None:
        """What each feature adds to the score, (n, p); None when patches decide."""
        return None


class GoodPatches(PictureCandidate):
    """How unlike the patches of good pictures the patches are."""

    id = "good-patches"
    name = Text("양품 조각 비교", "patches of good pictures")

    def fit(self, measured: Measured, bad: np.ndarray, seed: int) -> GoodPatches:
        self.memory = PatchMemory.fit(measured.patches[bad == 0], seed)
        return self

    def score(self, measured: Measured) -> np.ndarray:
        return picture_score(self.memory.heat(measured.patches))

    def arrays(self) -> dict[str, np.ndarray]:
        return self.memory.arrays()

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> GoodPatches:
        made = cls()
        made.memory = PatchMemory(**arrays)
        return made


class GoodShape(PictureCandidate):
    """What the main variations of good pictures cannot explain (PCA residual)."""

    id = "good-shape"
    name = Text("양품 모양에서 벗어난 정도", "distance from the shape of good pictures")

    def fit(self, measured: Measured, bad: np.ndarray, seed: int) -> GoodShape:
        good = measured.features[bad == 0]
        self.mean, self.scale = _centre(good)
        unit = self._unit(good)
        self.basis = principal_axes(unit, max(1, min(40, len(good) // 4)))
        return self

    def _unit(self, features: np.ndarray) -> np.ndarray:
        return np.clip((features - self.mean) / self.scale, -CLIP, CLIP)

    def _residual(self, features: np.ndarray) -> np.ndarray:
        unit = self._unit(features)
        return (unit - unit @ self.basis.T @ self.basis) ** 2

    def score(self, measured: Measured) -> np.ndarray:
        return np.sqrt(self._residual(measured.features).mean(axis=1))

    def feature_shares(self, measured: Measured) -> np.ndarray:
        return self._residual(measured.features)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean, "scale": self.scale, "basis": self.basis}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> GoodShape:
        made = cls()
        made.mean, made.scale = arrays["mean"], arrays["scale"]
        made.basis = arrays["basis"]
        return made


class Linear(PictureCandidate):
    """A weighted sum of the features (ridge), the classes weighing the same."""

    id = "linear"
    name = Text("선형 분류", "linear classifier")
    needs_bad = True

    def fit(self, measured: Measured, bad: np.ndarray, seed: int) -> Linear:
        self.mean, self.scale = _centre(measured.features)
        unit = self._unit(measured.features)
        share = bad.mean()
        # classes of equal weight: targets 1/share and -1/(1-share), sum zero
        target = np.where(bad == 1, 0.5 / share, -0.5 / (1 - share))
        self.weights = _ridge(unit, target)
        return self

    def _unit(self, features: np.ndarray) -> np.ndarray:
        return np.clip((features - self.mean) / self.scale, -CLIP, CLIP)

    def score(self, measured: Measured) -> np.ndarray:
        return self._unit(measured.features) @ self.weights

    def feature_shares(self, measured: Measured) -> np.ndarray:
        return self._unit(measured.features) * self.weights

    def arrays(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean, "scale": self.scale, "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Linear:
        made = cls()
        made.mean, made.scale = arrays["mean"], arrays["scale"]
        made.weights = arrays["weights"]
        return made


class Trees(PictureCandidate):
    """Boosted trees (XGBoost) on the features."""

    id = "xgboost"
    name = Text("XGBoost", "XGBoost")
    needs_bad = True

    def fit(self, measured: Measured, bad: np.ndarray, seed: int) -> Trees:
        import xgboost as xgb

        matrix = xgb.DMatrix(measured.features, label=bad, nthread=1)
        self.booster = xgb.train({**TREES, "seed": seed}, matrix, ROUNDS)
        return self

    def score(self, measured: Measured) -> np.ndarray:
        import xgboost as xgb

        matrix = xgb.DMatrix(measured.features, nthread=1)
        return np.asarray(self.booster.predict(matrix, output_margin=True))

    def feature_shares(self, measured: Measured) -> np.ndarray:
        import xgboost as xgb

        matrix = xgb.DMatrix(measured.features, nthread=1)
        shares = self.booster.predict(matrix, pred_contribs=True)
        return np.asarray(shares)[:, :-1]

    def arrays(self) -> dict[str, np.ndarray]:
        raw = bytes(self.booster.save_raw("ubj"))
        return {"booster": np.frombuffer(raw, dtype=np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Trees:
        import xgboost as xgb

        made = cls()
        made.booster = xgb.Booster()
        made.booster.load_model(bytearray(arrays["booster"].tobytes()))
        return made


CANDIDATES: tuple[type[PictureCandidate], ...] = (GoodPatches, GoodShape, Linear, Trees)


def _ridge(unit: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights of a ridge regression, by the smaller of its two equal forms.

    With more features than pictures: solve for pictures, then come back to features.
    """
    n, width = unit.shape
    if n <= width:
        kernel = unit @ unit.T + RIDGE * np.eye(n)
        weights: np.ndarray = unit.T @ np.linalg.solve(kernel, target)
        return weights
    kernel = unit.T @ unit + RIDGE * np.eye(width)
    return np.asarray(np.linalg.solve(kernel, unit.T @ target))


def _centre(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of each feature; one that never moves gets spread 1."""
    scale = features.std(axis=0)
    scale[scale < 1e-6] = 1.0
    return features.mean(axis=0), scale
