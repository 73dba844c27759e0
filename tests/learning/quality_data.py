"""Constructed shots for the tests of quality classification, and the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.catalog import (
    equipment_type,
    families,
    resolve_parameters,
    standard_model,
)
from kamp_lib.datasets.types import StoredColumn
from kamp_lib.learning import Task, task_for

REAL = Path(__file__).parents[2].parent / "shared" / "data"
FAMILY = "quality-classification"


def real(name: str) -> Path:
    """A real file; the test is skipped where the folder is absent."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"real data not here: {path}")
    return path


def number_columns(frame: pd.DataFrame, **kinds: str) -> list[StoredColumn]:
    """Plain stored columns; `name="time"` or `name="id"` gives that kind and role."""
    columns = []
    for name in frame:
        kind = kinds.get(str(name), "number")
        role = {"time": "time", "id": "id"}.get(kind, "extra")
        kind = {"id": "category"}.get(kind, kind)
        columns.append(
            StoredColumn(name=name, source=name, ko=name, en=name, kind=kind, role=role)
        )
    return columns


def family_task(frame: pd.DataFrame, kinds: dict[str, str], **given: object) -> Task:
    """The bare family on a frame."""
    family = families()[FAMILY]
    parameters = resolve_parameters(family, None, given)
    columns = number_columns(frame, **kinds)
    zone = "Asia/Seoul"
    return task_for(family, None, columns, parameters, time_zone=zone, simulated=False)


def lots(
    *, groups: int = 12, size: int = 60, bad: float = 0.12, signal: float = 2.0, seed=0
) -> pd.DataFrame:
    """Lots whose level wanders; bad parts have a higher pressure and a lower cushion."""
    random = np.random.default_rng(seed)
    n = groups * size
    lot = np.repeat(np.arange(groups), size)
    label = (random.random(n) < bad).astype(int)
    level = random.normal(size=(groups, 3))[lot]
    frame = pd.DataFrame(
        level * 0.3 + random.normal(size=(n, 3)),
        columns=["pressure", "cushion", "temperature"],
    )
    frame["pressure"] += signal * label
    frame["cushion"] -= signal * label
    frame["lot"] = [f"L{i:02d}" for i in lot]
    frame["bad"] = label
    return frame


def kamp_injection(product: str | None = None) -> tuple[pd.DataFrame, Task]:
    """The real KAMP shots under their standard names."""
    file = real("kamp_injection_moulding/labeled_data.csv")
    frame = pd.read_csv(file)
    known = {
        word.casefold(): column
        for column in equipment_type("injection-moulding").columns
        for word in (column.name, *column.synonyms)
    }
    columns = []
    names = {}
    for name in frame:
        standard = known.get(str(name).casefold())
        if standard is None:
            columns.append(
                StoredColumn(
                    name=name, source=name, ko=name, en=name, kind="text", role="extra"
                )
            )
        else:
            names[name] = standard.name
            columns.append(
                StoredColumn.of(standard.name, standard.kind, None, standard)
            )
    frame = frame.rename(columns=names)
    local = pd.to_datetime(frame["ts"]).dt.tz_localize("Asia/Seoul")
    frame["ts"] = local.dt.tz_convert("UTC")
    model = standard_model("injection-quality")
    family = families()[model.family]
    given = {"product": product} if product else {}
    parameters = resolve_parameters(family, model, given)
    zone = "Asia/Seoul"
    task = task_for(family, model, columns, parameters, time_zone=zone, simulated=False)
    return frame, task
