from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from datasets.small_machine import MACHINE, shots
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets.checks import check
from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
from kamp_lib.datasets.quality import quality_score
from kamp_lib.datasets.storage.duplicates import duplicate_rows

ROWS = 60
KINDS = {
    "nothing": lambda r: pd.Series([None] * ROWS, dtype="string"),
    "nan": lambda r: pd.Series(np.full(ROWS, np.nan)),
    "infinite": lambda r: pd.Series(np.where(r.random(ROWS) < 0.1, np.inf, 1.5)),
    "huge": lambda r: pd.Series(r.normal(size=ROWS) * 1e300),
    "tiny": lambda r: pd.Series(r.normal(size=ROWS) * 1e-300),
    "whole": lambda r: pd.Series(r.integers(0, 5, ROWS)),
    "gappy": lambda r: pd.Series(r.integers(0, 5, ROWS), dtype="Int64").mask(
        r.random(ROWS) < 0.5
    ),
    "float32": lambda r: pd.Series(r.normal(size=ROWS).astype("float32")),
    "flag": lambda r: pd.Series(r.random(ROWS) < 0.5),
    "maybe": lambda r: pd.Series(r.random(ROWS) < 0.5, dtype="boolean").mask(
        r.random(ROWS) < 0.5
    ),
    "word": lambda r: pd.Series(r.choice(["a", "A", "", "한글"], ROWS), dtype="string"),
    "time": lambda r: pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(
        r.integers(0, 99, ROWS), unit="h")),
    "zoned": lambda r: pd.Series(pd.date_range("2026", periods=ROWS, tz="UTC")),
    "never": lambda r: pd.Series([pd.NaT] * ROWS, dtype="datetime64[ns]"),
    "category": lambda r: pd.Series(r.choice(["x", "y"], ROWS), dtype="category"),
    "objects": lambda r: pd.Series([1, "a", None, 2.5] * (ROWS // 4), dtype=object),
}  # fmt: skip
NAMES = [
    *shots(1).columns[2:],
    "label",
    "temperature",
    "번호",
    "",
    "0",
    "id",
    "x__source",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(KINDS)), min_size=1),
    st.integers(0, 9),
)
def test_no_frame_is_too_odd_for_the_door(kinds: dict[str, str], seed: int):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: KINDS[kind](rng) for name, kind in kinds.items()})
    frame["_file"], frame["_row"] = "a.csv", np.arange(2, ROWS + 2)
    mapping, _ = propose_mapping(frame, MACHINE)
    stored = apply_mapping(frame, mapping)
    kind = mapping.record_kind
    assert stored.columns.is_unique
    findings = check(stored, MACHINE, kind, mapping=mapping)
    duplicate_rows(stored, MACHINE, kind)
    quality = quality_score(
        stored,
        findings,
        rows_read=ROWS,
        rows_quarantined=0,
        rows_duplicate=0,
        equipment=MACHINE,
        record_kind=kind,
    )
    assert 0 <= quality.score <= 100


@pytest.mark.parametrize("equipment", ["generic", "cnc-machine", "machine-vision"])
def test_a_machine_whose_columns_are_all_foreign_keeps_them_all(equipment: str):
    frame = shots().rename(columns=lambda c: c if c.startswith("_") else f"zz {c} qq")
    mapping, findings = propose_mapping(frame, equipment_type(equipment))
    assert findings == []
    assert len(set(mapping.names().values())) == len(frame.columns) - 2
