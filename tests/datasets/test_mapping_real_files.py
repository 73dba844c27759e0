"""Names, units and ranges on real files that no one on this project wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.datasets.checks import check
from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping

DOUBTS = {
    "swapped-columns",
    "implausible-values",
    "unit-suspected",
    "unit-unclear",
    "mapping-unsure",
    "shifted-columns",
}
ROWS = 4000


def frame_of(data: Path, name: str) -> pd.DataFrame:
    """The first rows of a real file under its own names."""
    if name == "cwru":
        with np.load(sorted((data / "cwru_bearing").glob("*.npz"))[0]) as file:
            arrays = {k: np.ravel(file[k])[:ROWS] for k in file.files}
        length = min(len(a) for a in arrays.values() if len(a) > 1)
        return pd.DataFrame({k: a[:length] for k, a in arrays.items() if len(a) > 1})
    if name == "cmapss":
        return pd.read_csv(
            data / "cmapss" / "train_FD001.txt", sep=r"\s+", header=None, nrows=ROWS
        ).rename(columns=lambda i: f"column_{i + 1}")
    if name == "skab":
        files = sorted((data / "skab").rglob("*.csv"))
        parts = [pd.read_csv(f, sep=";", nrows=200) for f in files]
        return pd.concat(parts, ignore_index=True)
    if name == "cnc":
        files = sorted((data / "kamp_cnc").glob("experiment_*.csv"))[:6]
        return pd.concat([pd.read_csv(f) for f in files], ignore_index=True)
    paths = {
        "ai4i": "ai4i2020/ai4i2020.csv",
        "steel": "steel_energy/Steel_industry_data.csv",
        "press": "kamp_press/press.csv",
        "melting": "kamp_melting_tank/melting_tank.csv",
        "injection": "kamp_injection_moulding/labeled_data.csv",
    }
    times = ["TimeStamp"] if name == "injection" else []
    return pd.read_csv(
        data / paths[name], nrows=ROWS, encoding="utf-8-sig", parse_dates=times
    )


def doubts(data: Path, name: str, equipment: str) -> set[str]:
    frame = frame_of(data, name)
    mapping, findings = propose_mapping(frame, equipment)
    mapped = apply_mapping(frame, mapping)
    findings += check(mapped, equipment, mapping.record_kind, mapping=mapping)
    return {f.code for f in findings} & DOUBTS


@pytest.mark.parametrize(
    ("name", "equipment"),
    [
        ("ai4i", "generic"),
        ("cmapss", "generic"),
        ("skab", "generic"),
        ("steel", "generic"),
        ("cwru", "generic"),
        ("press", "generic"),
        ("press", "press"),
        ("melting", "generic"),
        ("injection", "generic"),
    ],
)
def test_a_right_file_raises_no_doubt(real_data: Path, name: str, equipment: str):
    assert doubts(real_data, name, equipment) == set()


def test_injection_files_have_their_known_wrong_values_only(real_data: Path):
    """The cushion is stored without its sign and zone 7 is not wired; nothing else."""
    assert doubts(real_data, "injection", "injection-moulding") == {
        "implausible-values"
    }


@pytest.mark.parametrize("equipment", ["generic", "cnc-machine"])
def test_swapped_columns_of_the_mill_are_found_on_any_machine(
    real_data: Path, equipment: str
):
    assert doubts(real_data, "cnc", equipment) == {"swapped-columns"}


def test_every_standard_name_of_the_injection_file_is_given_for_sure(real_data: Path):
    mapping, _ = propose_mapping(frame_of(real_data, "injection"), "injection-moulding")
    given = {m.source: m.canonical for m in mapping.columns if m.canonical}
    assert given["PassOrFail"] == "pass_or_fail"
    assert given["Max_Injection_Pressure"] == "max_injection_pressure"
    assert len(given) >= 32
    assert all(m.confidence >= 0.85 for m in mapping.columns if m.canonical)


def test_the_shifted_parquet_gets_the_same_names_as_the_right_file(real_data: Path):
    wrong = pd.read_parquet(
        real_data / "kamp_injection_moulding" / "molding.parquet"
    ).replace({"None": None})
    moved, findings = propose_mapping(wrong, "injection-moulding")
    right, _ = propose_mapping(frame_of(real_data, "injection"), "injection-moulding")
    standard = {m.canonical for m in right.columns if m.canonical}
    assert [f.code for f in findings] == ["shifted-columns"]
    assert standard <= set(moved.names().values())
