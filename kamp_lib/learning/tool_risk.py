"""The fitted judgement of a tool: a run's figures in, the risk that it is worn out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.learning.calibration import Calibration
from kamp_lib.learning.model_io import SavedModel, write_model
from kamp_lib.learning.tool_models import RUN_CANDIDATES, RunCandidate, SampleTrees

KIND = "tool-wear-rul"


@dataclass
class ToolRisk:
    """A candidate and its calibration.

    `columns` are run features at average settings, then settings; when samples decide
    they are the signals, and each row is one sample.
    """

    candidate: RunCandidate | SampleTrees
    calibration: Calibration
    columns: list[str]

    def risk(self, frame: pd.DataFrame) -> np.ndarray:
        """Calibrated probability of a worn tool for each row, shape (n,)."""
        return self.calibration.probability(self._score(self._values(frame)))

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the score of each row."""
        values = self._values(frame)
        if isinstance(self.candidate, SampleTrees):
            shares = self.candidate.shares([row[None, :] for row in values])
        else:
            shares = self.candidate.shares(values)
        return pd.DataFrame(shares, columns=self.columns, index=frame.index)

    def _values(self, frame: pd.DataFrame) -> np.ndarray:
        return frame[self.columns].to_numpy(dtype=float)

    def _score(self, values: np.ndarray) -> np.ndarray:
        if isinstance(self.candidate, SampleTrees):
            return self.candidate.sample_scores(values)
        return self.candidate.score(values)

    def save(self, folder: Path) -> None:
        """Write `model.json` and arrays, no pickle."""
        facts = {
            "candidate": self.candidate.id,
            "calibration": self.calibration.to_dict(),
            "columns": self.columns,
        }
        write_model(folder, SavedModel(KIND, facts, self.candidate.arrays()))

    @classmethod
    def load(cls, saved: SavedModel) -> ToolRisk:
        """Bring back what `save` wrote."""
        kinds: dict[str, type[RunCandidate] | type[SampleTrees]] = {
            c.id: c for c in RUN_CANDIDATES
        }
        kinds[SampleTrees.id] = SampleTrees
        kind = kinds[saved.facts["candidate"]]
        return cls(
            kind.from_arrays(saved.arrays),
            Calibration.from_dict(saved.facts["calibration"]),
            list(saved.facts["columns"]),
        )
