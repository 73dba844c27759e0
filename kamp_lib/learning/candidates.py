"""What competes: two detectors of strangeness, a straight line, and boosted trees.

All see the same numbers (spreads from the product's centre) and can say what each of
them added. Simple first: the order of `CANDIDATES` is the order of trust.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kamp_lib.learning.detectors import Components, Mahalanobis, Neighbours
from kamp_lib.text import Text

if TYPE_CHECKING:
    from xgboost import Booster

# The recipe of research on small factories' data: careful, fixed, no search.
TREES: dict[str, Any] = {
    "objective": "binary:logistic",
    "learning_rate": 0.05,
    "max_depth": 4,
    "subsample": 0.8,
    "colsample_bytree": 0.7,
    "min_child_weight": 3,
    "tree_method": "hist",
    # one thread per fit: folds run side by side, and small fits wait more than they work
    "nthread": 1,
}
ROUNDS = 400
# Fewer, larger steps: a stand-in that is good enough to tell who would win.
QUICK: dict[str, Any] = {"learning_rate": 0.15}
QUICK_ROUNDS = 120
# More good cases than this teach the classifiers nothing new and cost time.
MAX_LEARNT = 20_000


class Fitted(Protocol):
    """A fitted candidate: a score that rises with risk, and its reasons.

    `z` has shape (n, q); `flags` has one 0/1 number per product.
    """

    @property
    def name(self) -> str: ...

    def score(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray: ...

    def contributions(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        """What each number adds, shape (n, q)."""
        ...

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Booster]]:
        """Arrays and trees to save."""
        ...


@dataclass(frozen=True)
class FittedMahalanobis:
    detector: Mahalanobis
    name: str = "mahalanobis"

    @classmethod
    def fit(
        cls, z: np.ndarray, flags: np.ndarray, label: np.ndarray, seed: int
    ) -> FittedMahalanobis:
        return cls(Mahalanobis.fit(_good(z, label)))

    def score(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        return self.detector.score(z)

    def contributions(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        return self.detector.contributions(z)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Booster]]:
        d = self.detector
        return {"centre": d.centre, "precision": d.precision}, {}

    @classmethod
    def load(cls, arrays: dict[str, np.ndarray], trees: Any) -> FittedMahalanobis:
        return cls(Mahalanobis(arrays["centre"], arrays["precision"]))


@dataclass(frozen=True)
class FittedNeighbours:
    detector: Neighbours
    name: str = "neighbours"

    @classmethod
    def fit(
        cls, z: np.ndarray, flags: np.ndarray, label: np.ndarray, seed: int
    ) -> FittedNeighbours:
        return cls(Neighbours.fit(_good(z, label), seed=seed))

    def score(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        return self.detector.score(z)

    def contributions(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        return self.detector.contributions(z)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Booster]]:
        return {"kept": self.detector.kept}, {}

    @classmethod
    def load(cls, arrays: dict[str, np.ndarray], trees: Any) -> FittedNeighbours:
        from kamp_lib.learning.detectors import NEIGHBOURS

        kept = arrays["kept"]
        return cls(Neighbours(kept, min(NEIGHBOURS, len(kept))))


@dataclass(frozen=True)
class FittedLogistic:
    weights: np.ndarray  # (q,)
    flag_weights: np.ndarray
    offset: float
    name: str = "logistic"

    @classmethod
    def fit(
        cls, z: np.ndarray, flags: np.ndarray, label: np.ndarray, seed: int
    ) -> FittedLogistic:
        from sklearn.linear_model import LogisticRegression

        both, label = _learnt(np.hstack([z, flags]), label, seed)
        line = LogisticRegression(class_weight="balanced", C=0.5, max_iter=400)
        line.fit(both, label)
        weights = line.coef_[0]
        q = z.shape[1]
        return cls(weights[:q], weights[q:], float(line.intercept_[0]))

    def score(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        along: np.ndarray = z @ self.weights + flags @ self.flag_weights
        return along + self.offset

    def contributions(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        return z * self.weights

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Booster]]:
        offset = np.array([self.offset])
        return {
            "weights": self.weights,
            "flag_weights": self.flag_weights,
            "offset": offset,
        }, {}

    @classmethod
    def load(cls, arrays: dict[str, np.ndarray], trees: Any) -> FittedLogistic:
        offset = float(arrays["offset"][0])
        return cls(arrays["weights"], arrays["flag_weights"], offset)


@dataclass(frozen=True)
class FittedTrees:
    booster: Booster
    name: str = "trees"

    @classmethod
    def fit(
        cls, z: np.ndarray, flags: np.ndarray, label: np.ndarray, seed: int
    ) -> FittedTrees:
        import xgboost

        both, label = _learnt(np.hstack([z, flags]), label, seed)
        data = xgboost.DMatrix(both, label)
        return cls(xgboost.train({**TREES, "seed": seed}, data, ROUNDS))

    @classmethod
    def fit_quick(
        cls, z: np.ndarray, flags: np.ndarray, label: np.ndarray, seed: int
    ) -> FittedTrees:
        """A third of the work, for choosing among candidates."""
        import xgboost

        both, label = _learnt(np.hstack([z, flags]), label, seed)
        data = xgboost.DMatrix(both, label)
        return cls(xgboost.train({**TREES, **QUICK, "seed": seed}, data, QUICK_ROUNDS))

    def score(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        import xgboost

        data = xgboost.DMatrix(np.hstack([z, flags]))
        return self.booster.predict(data, output_margin=True).astype(float)

    def contributions(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        """Exact SHAP values, by XGBoost itself.

        Its approximation is much faster and names another top reason in every fourth
        row: it is never used. Whoever has very many rows asks for a sample of them.
        """
        import xgboost

        data = xgboost.DMatrix(np.hstack([z, flags]))
        values = self.booster.predict(data, pred_contribs=True)
        return values[:, : z.shape[1]].astype(float)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Booster]]:
        return {}, {"trees": self.booster}

    @classmethod
    def load(cls, arrays: Any, trees: dict[str, Booster]) -> FittedTrees:
        return cls(trees["trees"])


@dataclass(frozen=True)
class FittedCharts:
    """T² and Q of the good state, each in units of its control limit."""

    detector: Components
    t2_limit: float
    q_limit: float
    name: str = "charts"

    def ratios(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """T² and Q over their limits; above 1 is out of control."""
        t2, q = self.detector.t2(z), self.detector.q(z)
        return t2 / self.t2_limit, q / self.q_limit

    def score(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        t2, q = self.ratios(z)
        return np.log(np.maximum(t2, q) + 1e-12)

    def contributions(self, z: np.ndarray, flags: np.ndarray) -> np.ndarray:
        """Of whichever statistic is further out."""
        t2, q = self.ratios(z)
        of_t2 = self.detector.t2_contributions(z) / self.t2_limit
        of_q = self.detector.q_contributions(z) / self.q_limit
        return np.where((t2 >= q)[:, None], of_t2, of_q)

    def parts(self) -> tuple[dict[str, np.ndarray], dict[str, Booster]]:
        d = self.detector
        return {
            "centre": d.centre,
            "axes": d.axes,
            "variances": d.variances,
            "limits": np.array([self.t2_limit, self.q_limit]),
        }, {}

    @classmethod
    def load(cls, arrays: dict[str, np.ndarray], trees: Any) -> FittedCharts:
        parts = Components(arrays["centre"], arrays["axes"], arrays["variances"])
        t2, q = (float(v) for v in arrays["limits"])
        return cls(parts, t2, q)


Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, int], Fitted]


@dataclass(frozen=True)
class Candidate:
    """One way to score, what people call it, and whether it learns from bad cases.

    `stand_in` is a quicker fit of the same kind, used only to choose.
    """

    name: str
    label: Text
    fit: Fit
    needs_bad: bool
    stand_in: Fit | None = None


CANDIDATES: dict[str, Candidate] = {
    c.name: c
    for c in (
        Candidate(
            "mahalanobis",
            Text("양품 기준 거리", "distance from good cases (Mahalanobis)"),
            FittedMahalanobis.fit,
            False,
        ),
        Candidate(
            "neighbours",
            Text(
                "가장 비슷한 양품과의 거리", "distance to the nearest good cases (kNN)"
            ),
            FittedNeighbours.fit,
            False,
        ),
        Candidate(
            "logistic",
            Text("로지스틱 회귀", "logistic regression"),
            FittedLogistic.fit,
            True,
        ),
        Candidate(
            "trees",
            Text("부스팅 나무(XGBoost)", "boosted trees (XGBoost)"),
            FittedTrees.fit,
            True,
            FittedTrees.fit_quick,
        ),
    )
}
CHARTS = Text("관리도(T²·Q)", "control charts (T², Q)")
LOADERS: dict[str, Callable[[Any, Any], Fitted]] = {
    "mahalanobis": FittedMahalanobis.load,
    "neighbours": FittedNeighbours.load,
    "logistic": FittedLogistic.load,
    "trees": FittedTrees.load,
    "charts": FittedCharts.load,
}


def can_fit(candidate: Candidate, label: np.ndarray) -> bool:
    """Whether these labels hold what the candidate learns from."""
    if not candidate.needs_bad:
        return bool((label != 1).sum() >= 2)
    return bool((label == 1).any() and (label == 0).any())


def _good(z: np.ndarray, label: np.ndarray) -> np.ndarray:
    return z[label != 1]


def _learnt(
    x: np.ndarray, label: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Labelled cases; of very many good ones a fixed sample, of bad ones all."""
    known = np.flatnonzero(~np.isnan(label))
    good = known[label[known] == 0]
    if len(known) > MAX_LEARNT:
        bad = known[label[known] == 1]
        room = max(MAX_LEARNT - len(bad), len(bad))
        if room < len(good):
            random = np.random.default_rng(seed)
            good = np.sort(random.choice(good, room, replace=False))
        known = np.sort(np.concatenate([bad, good]))
    return x[known], label[known]
