"""Units of a file's columns: read, held against the standard column, converted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets.small_machine import MACHINE, shots

from kamp_lib.datasets.mapping.file import load_mapping, save_mapping
from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
from kamp_lib.datasets.types import ColumnMatch, Mapping
from kamp_lib.errors import KampError


def match_of(mapping: Mapping, source: str) -> ColumnMatch:
    return next(m for m in mapping.columns if m.source == source)


def in_kgf(name: str) -> pd.DataFrame:
    """Shots whose injection pressure is written in kgf/cm²."""
    frame = shots().rename(columns={"injection_pressure": name})
    return frame.assign(**{name: (frame[name] / 0.0980665).round(1)})


def test_the_unit_in_a_name_is_converted_into_the_standard_one():
    frame = in_kgf("사출압력(kgf/cm2)")
    mapping, findings = propose_mapping(frame, MACHINE)
    match = match_of(mapping, "사출압력(kgf/cm2)")
    assert (match.canonical, match.unit, match.stored_unit) == (
        "injection_pressure",
        "kgf/cm2",
        "MPa",
    )
    stored = apply_mapping(frame, mapping)["injection_pressure"]
    np.testing.assert_allclose(stored, shots()["injection_pressure"], atol=0.01)
    assert [f.code for f in findings] == ["unit-converted"]
    assert "kgf/cm² → MPa" in findings[0].message_ko


def test_a_line_of_units_or_the_cells_tell_the_unit_too():
    frame = shots()
    frame["barrel_temperature"] = frame["barrel_temperature"] * 1.8 + 32
    mapping, findings = propose_mapping(
        frame, MACHINE, units={"barrel_temperature": "℉"}
    )
    stored = apply_mapping(frame, mapping)["barrel_temperature"]
    np.testing.assert_allclose(stored, shots()["barrel_temperature"], atol=1e-9)
    assert [f.code for f in findings] == ["unit-converted"]


def test_the_standard_unit_itself_is_no_finding():
    frame = shots().rename(columns={"injection_pressure": "사출압력[MPa]"})
    assert propose_mapping(frame, MACHINE)[1] == []


def test_the_unit_of_something_else_makes_the_column_a_question():
    frame = shots().rename(columns={"back_pressure": "배압(mm)"})
    mapping, findings = propose_mapping(frame, MACHINE)
    match = match_of(mapping, "배압(mm)")
    assert (match.canonical, match.maybe) == (None, "back_pressure")
    assert {f.code for f in findings} == {"unit-unclear", "mapping-unsure"}


def test_a_unit_that_nobody_knows_is_said_and_nothing_converted():
    frame = shots()
    mapping, findings = propose_mapping(frame, MACHINE, units={"back_pressure": "zz"})
    assert [f.code for f in findings] == ["unit-unclear"]
    pd.testing.assert_series_equal(
        apply_mapping(frame, mapping)["back_pressure"], frame["back_pressure"]
    )


def test_a_column_of_ones_own_keeps_its_unit():
    frame = shots().assign(**{"오일(℃)": 40.0})
    match = match_of(propose_mapping(frame, MACHINE)[0], "오일(℃)")
    assert (match.canonical, match.unit, match.stored_unit) == (None, "Cel", "Cel")


def test_the_unit_settles_which_column_is_meant():
    frame = shots().rename(
        columns={"cycle_time": "사이클(s)", "barrel_temperature": "배럴(℃)"}
    )
    names = propose_mapping(frame, MACHINE)[0].names()
    assert names["사이클(s)"] == "cycle_time"
    assert names["배럴(℃)"] == "barrel_temperature"


def test_a_person_mends_the_unit_in_the_mapping_file(tmp_path: Path):
    path = tmp_path / "m.yaml"
    frame = in_kgf("사출압력(MPa)")  # the header is wrong
    save_mapping(propose_mapping(frame, MACHINE)[0], path)
    path.write_text(path.read_text().replace("unit: MPa\n", "unit: kgf/㎠\n", 1))
    mapping, _ = propose_mapping(frame, MACHINE, remembered=load_mapping(path))
    match = match_of(mapping, "사출압력(MPa)")
    assert (match.unit, match.unit_by_hand) == ("kgf/cm2", True)
    stored = apply_mapping(frame, mapping)["injection_pressure"]
    np.testing.assert_allclose(stored, shots()["injection_pressure"], atol=0.01)


def test_what_the_file_tells_goes_before_what_was_remembered():
    first, _ = propose_mapping(shots(), MACHINE, units={"back_pressure": "bar"})
    later, _ = propose_mapping(
        shots(), MACHINE, remembered=first, units={"back_pressure": "MPa"}
    )
    assert match_of(later, "back_pressure").unit == "MPa"


def test_units_come_back_from_the_mapping_file(tmp_path: Path):
    frame = in_kgf("사출압력(kgf/cm2)").assign(**{"진동(g)": 1.0, "유량(L/min)": 2.0})
    mapping, _ = propose_mapping(frame, MACHINE, units={"shot_no": "회"})
    save_mapping(mapping, tmp_path / "m.yaml")
    assert load_mapping(tmp_path / "m.yaml") == mapping


def test_a_wrong_unit_in_a_mapping_file_is_answered_with_one_sentence(tmp_path: Path):
    path = tmp_path / "m.yaml"
    path.write_text("columns:\n- {source: 압력, name: back_pressure, unit: furlong}\n")
    with pytest.raises(KampError, match="furlong"):
        load_mapping(path)
