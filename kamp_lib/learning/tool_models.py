"""Candidates for telling worn tools from good ones, run by run.

Few runs carry labels, so the simple ones are serious: a load index that only knows what
wear does to a machine, a distance from good runs, a strongly held-back logistic
regression. Boosted trees compete on runs and on single samples averaged over the run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from kamp_lib.learning.signal_features import LOAD, RunTable
from kamp_lib.text import Text

CLIP = 4.0  # spreads beyond which a feature says no more
HOLD_BACK = 0.1  # C of the logistic regression: few runs, many features
RUN_TREES: dict[str, Any] = {
    "objective": "binary:logistic",
    "learning_rate": 0.1,
    "max_depth": 2,
    "min_child_weight": 0.5,
    "subsample": 0.8,
    "colsample_bytree": 0.3,
    "nthread": 1,
}
RUN_ROUNDS = 60
SAMPLE_TREES: dict[str, Any] = {
    "objective": "binary:logistic",
    "max_depth": 6,
    "max_bin": 64,
    "nthread": 1,
}
SAMPLE_ROUNDS = 60


@dataclass(frozen=True)
class Runs:
    """Runs as numbers: one row per run, and the samples behind each of them.

    Attributes
    ----------
    values : ndarray, shape (runs, p)
        Run features, setpoints apart; NaN where a run never had that step.
    settings : ndarray, shape (runs, s)
        What people set.
    wear_up : ndarray of bool, shape (p,)
        Features that physics says rise with wear: spread and peak of load signals.
    samples : list of ndarray, each (samples of the run, q)
    """

    values: np.ndarray
    settings: np.ndarray
    wear_up: np.ndarray
    samples: list[np.ndarray]

    @classmethod
    def of(cls, table: RunTable, samples: list[np.ndarray]) -> Runs:
        """From a run table; `samples` in the table's order of runs."""
        told = table.without_places()
        measured = [f for f in told.features if not f.setpoint]
        chosen = [f.name for f in told.features if f.setpoint]
        rises = [
            bool(LOAD.search(f.source)) and f.name.endswith(("_spread", "_peak"))
            for f in measured
        ]
        return cls(
            told.frame[[f.name for f in measured]].to_numpy(dtype=float),
            told.frame[chosen].to_numpy(dtype=float),
            np.array(rises, dtype=bool),
            samples,
        )

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: np.ndarray) -> Runs:
        picked = [self.samples[int(k)] for k in np.arange(len(self))[rows]]
        return Runs(self.values[rows], self.settings[rows], self.wear_up, picked)


class Levelling:
    """Brings every run to the average settings, so that only the tool is left.

    A worn tool and a faster feed both raise the load. The effect of the settings is
    fitted without looking at labels; few runs pull it towards no effect.
    """

    def __init__(
        self, middle: np.ndarray, offset: np.ndarray, slope: np.ndarray
    ) -> None:
        self.middle, self.offset, self.slope = middle, offset, slope

    @classmethod
    def fit(cls, runs: Runs) -> Levelling:
        # a column that no known run has is of no use, and told as zero everywhere
        empty = np.isnan(runs.values).all(axis=0)
        middle = np.zeros(runs.values.shape[1])
        middle[~empty] = np.nanmedian(runs.values[:, ~empty], axis=0)
        filled = np.where(np.isnan(runs.values), middle, runs.values)
        offset = runs.settings.mean(axis=0)
        spread = runs.settings.std(axis=0)
        spread[spread < 1e-9] = np.inf  # never varied: no effect to learn
        design = (runs.settings - offset) / spread
        gram = design.T @ design + np.eye(design.shape[1])
        slope = np.linalg.solve(gram, design.T @ (filled - filled.mean(axis=0)))
        return cls(middle, offset, slope / spread[:, None])

    def __call__(self, runs: Runs) -> np.ndarray:
        """Inputs of the candidates: levelled features, then settings; (runs, p + s)."""
        filled = np.where(np.isnan(runs.values), self.middle, runs.values)
        level = filled - (runs.settings - self.offset) @ self.slope
        return np.column_stack([level, runs.settings])


class RunCandidate(ABC):
    """One way to score runs from their inputs; learns from `worn` (1 worn, 0 good)."""

    id: str
    name: Text
    needs_worn = False

    def fit(
        self, inputs: np.ndarray, worn: np.ndarray, wear_up: np.ndarray, seed: int
    ) -> RunCandidate:
        """Learn; `wear_up` marks the inputs that physics says rise with wear."""
        good = inputs[worn == 0]
        reference = good if len(good) >= 2 else inputs
        self.mean = reference.mean(axis=0)
        self.scale = reference.std(axis=0)
        # an input that good runs never vary is judged by all runs' spread
        flat = self.scale < 1e-9
        self.scale[flat] = inputs.std(axis=0)[flat]
        self.scale[self.scale < 1e-9] = 1.0
        self.weights = np.zeros(inputs.shape[1])
        self._learn(self._unit(inputs), worn, wear_up, seed)
        return self

    def _unit(self, inputs: np.ndarray) -> np.ndarray:
        return np.clip((inputs - self.mean) / self.scale, -CLIP, CLIP)

    @abstractmethod
    def _learn(
        self, unit: np.ndarray, worn: np.ndarray, wear_up: np.ndarray, seed: int
    ) -> None: ...

    def score(self, inputs: np.ndarray) -> np.ndarray:
        """Shape (n,); higher = more likely worn."""
        return self.shares(inputs).sum(axis=1)

    def shares(self, inputs: np.ndarray) -> np.ndarray:
        """What each input adds to the score, shape (n, p + s)."""
        return self._unit(inputs) * self.weights

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything learned, as plain arrays for an npz file."""
        return {"mean": self.mean, "scale": self.scale, "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> RunCandidate:
        made = cls()
        for name, values in arrays.items():
            setattr(made, name, values)
        return made


class LoadIndex(RunCandidate):
    """Mean rise of load spread and peaks over good runs; learns nothing from bad ones."""

    id = "load-index"
    name = Text("부하 지수(물리)", "load index (physics)")

    def _learn(
        self, unit: np.ndarray, worn: np.ndarray, wear_up: np.ndarray, seed: int
    ) -> None:
        self.weights = wear_up / max(1, int(wear_up.sum()))


class GoodRuns(RunCandidate):
    """Squared Mahalanobis distance from good runs, covariance after Ledoit and Wolf."""

    id = "good-runs"
    name = Text("정상 회차와의 거리", "distance from good runs")

    def _learn(
        self, unit: np.ndarray, worn: np.ndarray, wear_up: np.ndarray, seed: int
    ) -> None:
        from sklearn.covariance import ledoit_wolf

        good = unit[worn == 0]
        covariance, _ = ledoit_wolf(good if len(good) >= 3 else unit)
        ridge = 1e-3 * np.eye(unit.shape[1])
        self.precision = np.linalg.inv(covariance + ridge)

    def shares(self, inputs: np.ndarray) -> np.ndarray:
        unit = self._unit(inputs)
        return unit * (unit @ self.precision) / unit.shape[1]

    def arrays(self) -> dict[str, np.ndarray]:
        return {**super().arrays(), "precision": self.precision}


class RunLogistic(RunCandidate):
    """Logistic regression on run features, strongly held back."""

    id = "run-logistic"
    name = Text("로지스틱 회귀(회차)", "logistic regression on runs")
    needs_worn = True

    def _learn(
        self, unit: np.ndarray, worn: np.ndarray, wear_up: np.ndarray, seed: int
    ) -> None:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=HOLD_BACK, class_weight="balanced", max_iter=1000)
        self.weights = model.fit(unit, worn).coef_[0]


class RunTrees(RunCandidate):
    """Small boosted trees (XGBoost) on run features."""

    id = "run-xgboost"
    name = Text("XGBoost(회차)", "XGBoost on runs")
    needs_worn = True

    def _learn(
        self, unit: np.ndarray, worn: np.ndarray, wear_up: np.ndarray, seed: int
    ) -> None:
        import xgboost as xgb

        matrix = xgb.DMatrix(unit, label=worn, nthread=1)
        self.booster = xgb.train({**RUN_TREES, "seed": seed}, matrix, RUN_ROUNDS)

    def shares(self, inputs: np.ndarray) -> np.ndarray:
        import xgboost as xgb

        matrix = xgb.DMatrix(self._unit(inputs), nthread=1)
        shares = np.asarray(self.booster.predict(matrix, pred_contribs=True))
        # the constant is shared out, so that the sum stays the margin
        return shares[:, :-1] + shares[:, -1:] / (shares.shape[1] - 1)

    def arrays(self) -> dict[str, np.ndarray]:
        raw = np.frombuffer(bytes(self.booster.save_raw("ubj")), dtype=np.uint8)
        return {**super().arrays(), "booster": raw}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> RunCandidate:
        made = cls()
        made.mean, made.scale = arrays["mean"], arrays["scale"]
        made.weights = arrays["weights"]
        made.booster = booster_of(arrays["booster"])
        return made


class SampleTrees:
    """Boosted trees on single samples; a run's score is the mean over its samples.

    `fit` takes one label per run, or one per sample when all samples come as one.
    """

    id = "sample-xgboost"
    name = Text("XGBoost(센서값 평균)", "XGBoost on samples, averaged")
    needs_worn = True

    def fit(
        self, samples: list[np.ndarray], worn: np.ndarray, seed: int
    ) -> SampleTrees:
        import xgboost as xgb

        lengths = [len(s) for s in samples]
        label = np.repeat(worn, lengths) if len(lengths) > 1 else worn
        matrix = xgb.DMatrix(np.concatenate(samples), label=label, nthread=1)
        self.booster = xgb.train({**SAMPLE_TREES, "seed": seed}, matrix, SAMPLE_ROUNDS)
        return self

    def score(self, samples: list[np.ndarray]) -> np.ndarray:
        """Mean margin of each run, shape (runs,)."""
        scores = self.sample_scores(np.concatenate(samples))
        return _means(scores[:, None], [len(s) for s in samples])[:, 0]

    def sample_scores(self, samples: np.ndarray) -> np.ndarray:
        """Margin of each sample."""
        import xgboost as xgb

        matrix = xgb.DMatrix(samples, nthread=1)
        return np.asarray(self.booster.predict(matrix, output_margin=True))

    def shares(self, samples: list[np.ndarray], most: int = 200) -> np.ndarray:
        """What each signal adds, mean over up to `most` samples of each run."""
        import xgboost as xgb

        some = [run[:: max(1, len(run) // most)] for run in samples]
        matrix = xgb.DMatrix(np.concatenate(some), nthread=1)
        told = np.asarray(self.booster.predict(matrix, pred_contribs=True))
        return _means(told[:, :-1], [len(s) for s in some])

    def arrays(self) -> dict[str, np.ndarray]:
        raw = bytes(self.booster.save_raw("ubj"))
        return {"booster": np.frombuffer(raw, dtype=np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> SampleTrees:
        made = cls()
        made.booster = booster_of(arrays["booster"])
        return made


def _means(values: np.ndarray, lengths: list[int]) -> np.ndarray:
    """Mean over consecutive stretches of rows, shape (stretches, columns)."""
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return np.add.reduceat(values, starts, axis=0) / np.array(lengths)[:, None]


def booster_of(raw: np.ndarray) -> Any:
    """The XGBoost model kept as bytes in an npz file."""
    import xgboost as xgb

    booster = xgb.Booster()
    booster.load_model(bytearray(raw.tobytes()))
    return booster


RUN_CANDIDATES: tuple[type[RunCandidate], ...] = (
    LoadIndex,
    GoodRuns,
    RunLogistic,
    RunTrees,
)
