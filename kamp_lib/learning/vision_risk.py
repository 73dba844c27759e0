"""The fitted inspection: a picture in, its risk and its suspect places out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.learning.calibration import Calibration
from kamp_lib.learning.model_io import SavedModel, write_model
from kamp_lib.learning.vision_features import measure
from kamp_lib.learning.vision_images import Pictures, read_pictures
from kamp_lib.learning.vision_models import CANDIDATES, Measured, PictureCandidate
from kamp_lib.learning.vision_patches import PatchMemory, describe

KIND = "vision-inspection"


def measure_all(pictures: Pictures) -> Measured:
    """Everything that candidates look at."""
    return Measured(measure(pictures), describe(pictures))


@dataclass
class VisionRisk:
    """A candidate, its calibration, and the memory that draws the heat map.

    Works on pictures: `risk` takes a frame whose column `image` holds paths. There is
    nothing to set on a picture, so the page has no what-if sliders for it.
    """

    candidate: PictureCandidate
    calibration: Calibration
    memory: PatchMemory
    size: int
    columns: list[str] = field(default_factory=lambda: ["image"])

    def risk(self, frame: pd.DataFrame) -> np.ndarray:
        """Calibrated probability of a bad part for each picture file, shape (n,).

        Raises
        ------
        KampError
            When no file can be read; a single unreadable one gets NaN.
        """
        paths = [Path(str(p)) for p in frame["image"]]
        pictures, readable = read_pictures(paths, self.size)
        risk = np.full(len(paths), np.nan)
        risk[readable] = self.risk_of(measure_all(pictures))
        return risk

    def risk_of(self, measured: Measured) -> np.ndarray:
        """The same for pictures that are measured already."""
        return self.calibration.probability(self.candidate.score(measured))

    def heat(self, measured: Measured) -> np.ndarray:
        """How unlike good each patch is, in limits of good patches, (n, 225)."""
        return self.memory.heat(measured.patches)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The one column's share is all there is: log-odds over even odds."""
        risk = np.clip(self.risk(frame), 1e-6, 1 - 1e-6)
        return pd.DataFrame({"image": np.log(risk / (1 - risk))}, index=frame.index)

    def save(self, folder: Path) -> None:
        """Write `model.json` and arrays, no pickle."""
        arrays = {f"candidate.{k}": v for k, v in self.candidate.arrays().items()}
        arrays |= {f"memory.{k}": v for k, v in self.memory.arrays().items()}
        facts = {
            "candidate": self.candidate.id,
            "calibration": self.calibration.to_dict(),
            "size": self.size,
        }
        write_model(folder, SavedModel(KIND, facts, arrays))

    @classmethod
    def load(cls, saved: SavedModel) -> VisionRisk:
        """Bring back what `save` wrote."""

        def part(prefix: str) -> dict[str, np.ndarray]:
            found = saved.arrays.items()
            return {k.removeprefix(prefix): v for k, v in found if k.startswith(prefix)}

        kind = next(c for c in CANDIDATES if c.id == saved.facts["candidate"])
        return cls(
            kind.from_arrays(part("candidate.")),
            Calibration.from_dict(saved.facts["calibration"]),
            PatchMemory(**part("memory.")),
            int(saved.facts["size"]),
        )
