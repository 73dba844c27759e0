"""The fitted quality model: frame in, calibrated probability and contributions out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.learning.calibration import Calibration
from kamp_lib.learning.candidates import LOADERS, Fitted
from kamp_lib.learning.cases import OTHER
from kamp_lib.learning.inputs import Encoder, Scaler
from kamp_lib.learning.model_io import SavedModel, write_model

KIND = "quality-classification"
# Without labels there is nothing to calibrate on: the alarm score is ratio / (1 + ratio)
# of the statistic to its control limit, so that 0.5 is the limit.
AT_THE_LIMIT = Calibration("sigmoid", 0.0, 1.0, 1.0, 0.0)


@dataclass(frozen=True)
class QualityModel:
    """A candidate with its inputs' scale and its calibration.

    Attributes
    ----------
    columns : list of str
        Inputs; a missing column or value reads as typical of good cases.
    product : str or None
        Column that names the product; without it cases count as `main_regime`.
    """

    encoder: Encoder
    scaler: Scaler
    fitted: Fitted
    calibration: Calibration
    product: str | None
    products: dict[str, str]
    main_regime: str

    @property
    def columns(self) -> list[str]:
        return self.encoder.columns

    def risk(self, frame: pd.DataFrame) -> np.ndarray:
        """Calibrated probability of a bad case, shape (n,)."""
        z, flags = self._seen(frame)
        return self.calibration.probability(self.fitted.score(z, flags))

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the score of each case."""
        z, flags = self._seen(frame)
        return pd.DataFrame(
            by_column(self.fitted.contributions(z, flags), self.encoder),
            columns=self.columns,
            index=frame.index,
        )

    def save(self, folder: Path) -> None:
        """Write the model: JSON, npz and XGBoost's UBJSON."""
        arrays, trees = self.fitted.parts()
        facts = {
            "method": self.fitted.name,
            "columns": self.columns,
            "levels": self.encoder.levels,
            "regimes": self.scaler.regimes,
            "calibration": self.calibration.to_dict(),
            "product": self.product,
            "products": self.products,
            "main_regime": self.main_regime,
        }
        scale = {"scale_centre": self.scaler.centre, "scale_spread": self.scaler.spread}
        write_model(folder, SavedModel(KIND, facts, {**scale, **arrays}, trees))

    @classmethod
    def load(cls, saved: SavedModel) -> QualityModel:
        """Bring back what `save` wrote."""
        facts, arrays = saved.facts, saved.arrays
        scaler = Scaler(
            facts["regimes"], arrays["scale_centre"], arrays["scale_spread"]
        )
        return cls(
            encoder=Encoder(facts["columns"], facts["levels"]),
            scaler=scaler,
            fitted=LOADERS[facts["method"]](arrays, saved.trees),
            calibration=Calibration.from_dict(facts["calibration"]),
            product=facts["product"],
            products=facts["products"],
            main_regime=facts["main_regime"],
        )

    def _seen(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        regime = self._regime(frame)
        z = self.scaler.apply(self.encoder.encode(frame), regime)
        return z, self.scaler.flags(regime)

    def _regime(self, frame: pd.DataFrame) -> np.ndarray:
        if self.product is None or self.product not in frame:
            return np.full(len(frame), self.main_regime)
        named = frame[self.product].astype("string").fillna("-")
        return named.map(self.products).fillna(OTHER).to_numpy(dtype=str)


def by_column(values: np.ndarray, encoder: Encoder) -> np.ndarray:
    """Sum the numbers of each column: (n, q) -> (n, p)."""
    owner = encoder.owner
    summed = np.zeros((len(values), len(encoder.columns)))
    for j, column in enumerate(owner):
        summed[:, column] += values[:, j]
    return summed
