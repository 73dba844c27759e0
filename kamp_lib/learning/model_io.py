"""Models on disk without pickle: `model.json`, `arrays.npz`, and XGBoost's own UBJSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kamp_lib.errors import KampError

if TYPE_CHECKING:
    from xgboost import Booster

    from kamp_lib.learning.outcome import RiskModel

# kind in `model.json` -> the class whose `load(saved)` brings it back
KINDS = {
    "quality-classification": "kamp_lib.learning.quality_model:QualityModel",
    "tool-wear-rul": "kamp_lib.learning.tool_risk:ToolRisk",
    "vision-inspection": "kamp_lib.learning.vision_risk:VisionRisk",
}


@dataclass
class SavedModel:
    """What a model is made of: plain facts, arrays, and boosted trees by name."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    trees: Mapping[str, Booster] = field(default_factory=dict)


def write_model(folder: Path, saved: SavedModel) -> None:
    """Write a model; floats survive to the last bit, text arrays are stored as text."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "kind": saved.kind,
        "facts": saved.facts,
        "trees": sorted(saved.trees),
    }
    text = json.dumps(about, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "model.json").write_text(text, encoding="utf-8")
    if saved.arrays:
        with (folder / "arrays.npz").open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **saved.arrays)
    for name, booster in saved.trees.items():
        booster.save_model(folder / f"{name}.ubj")


def read_model(folder: Path) -> SavedModel:
    """Read what `write_model` wrote; never unpickles anything.

    Raises
    ------
    KampError
        When a file is missing or is not what it should be.
    """
    try:
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        arrays = {}
        if (folder / "arrays.npz").is_file():
            with np.load(folder / "arrays.npz", allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
        trees = {str(name): _trees(folder, str(name)) for name in about["trees"]}
        return SavedModel(str(about["kind"]), about["facts"], arrays, trees)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KampError(
            f"모델 파일을 읽을 수 없습니다: {folder} ({error})",
            f"cannot read the model in {folder} ({error})",
        ) from error


def load_model(folder: Path) -> RiskModel:
    """The model of a bundle's `model/` folder, of whichever family."""
    saved = read_model(Path(folder))
    if saved.kind not in KINDS:
        raise KampError(
            f"이 판의 워크벤치는 '{saved.kind}' 모델을 모릅니다. 워크벤치를 올려 주세요.",
            f"this workbench does not know models of kind {saved.kind!r}; update it.",
        )
    module, _, name = KINDS[saved.kind].partition(":")
    model: RiskModel = getattr(import_module(module), name).load(saved)
    return model


def _trees(folder: Path, name: str) -> Booster:
    from xgboost import Booster
    from xgboost.core import XGBoostError

    file = folder / f"{Path(name).name}.ubj"
    if not file.is_file():
        raise FileNotFoundError(file)
    try:
        return Booster(model_file=file)
    except XGBoostError as error:
        raise ValueError(str(error).splitlines()[0]) from error
