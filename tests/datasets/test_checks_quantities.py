"""Columns that no standard model names, doubted by what their names and units speak of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from datasets.small_machine import found, shots

from kamp_lib.datasets.checks import check
from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
from kamp_lib.datasets.types import Finding

RANGES = ("swapped-columns", "implausible-values", "unit-suspected", "shifted-columns")


def about_ranges(frame: pd.DataFrame, equipment: str = "generic") -> list[Finding]:
    """What is said of ranges, units and names when a frame comes in."""
    mapping, findings = propose_mapping(frame, equipment)
    mapped = apply_mapping(frame, mapping)
    findings += check(mapped, equipment, mapping.record_kind, mapping=mapping)
    return [f for f in findings if f.code in RANGES]


def around(rows: int = 300, **levels: float) -> pd.DataFrame:
    """Columns that vary by some per cent around their levels."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {name: level * rng.normal(1, 0.03, rows) for name, level in levels.items()}
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"motor_current": 382.0}, {"mains_voltage": 14.2}),
        ({"모터 전류": 382.0}, {"전원 전압": 14.2}),
        ({"용접전류": 24.0}, {"용접전압": 185.0}),
        ({"작동유 온도": 210.0}, {"유압": 46.0}),
        ({"spindle_load": 3200.0}, {"spindle_rpm": 140.0}),
        ({"부하율(%)": 1750.0}, {"회전수": 130.0}),
    ],
)
def test_two_quantities_that_changed_places_are_found(
    one: dict[str, float], other: dict[str, float]
):
    frame = around(**{"line speed": 12.0, **one, **other, "load_left": 800.0})
    said = about_ranges(frame)
    assert [f.code for f in said] == ["swapped-columns"]
    assert set(said[0].columns) == {*one, *other}


@pytest.mark.parametrize(
    "levels",
    [
        {"motor_current": 14.2, "mains_voltage": 382.0},
        {"oil_temp": 46.0, "유압": 210.0, "실내온도": 24.0, "습도(%)": 45.0},
        {"spindle_load": 35.0, "spindle_rpm": 3200.0},
        {"Air temperature [K]": 300.0, "Process temperature [K]": 310.0},
        {"냉각수 입구온도(℉)": 68.0, "외기온도": 33.0, "수온": 18.0},
        {"Flow": -0.02, "진공도": -95.0, "pH": 7.1, "CO2(tCO2)": 0.03},
        {"CH1(℃)": 180.0, "CH2(bar)": 6.2, "CH3(rpm)": 1450.0},
    ],
)
def test_quantities_in_their_places_raise_nothing(levels: dict[str, float]):
    assert about_ranges(around(**levels)) == []


def test_one_column_that_cannot_be_is_doubted_alone():
    said = about_ranges(around(**{"습도": 180.0, "온도": 24.0}))
    assert [(f.code, f.columns) for f in said] == [("implausible-values", ["습도"])]


def test_only_its_unit_may_tell_that_a_column_cannot_be():
    said = about_ranges(around(**{"CH1(℃)": -400.0, "CH2": -400.0}))
    assert [f.columns for f in said] == [["CH1(℃)"]]


def test_many_columns_that_changed_places_are_no_shifted_header():
    rng = np.random.default_rng(0)
    frame = around(X_position=50.0, feed=3.0)
    for axis in "XYZ":
        frame[f"{axis}_DCBusVoltage"] = rng.uniform(0, 0.4, len(frame))
        frame[f"{axis}_OutputCurrent"] = rng.uniform(320, 331, len(frame))
        frame[f"{axis}_Position"] = rng.normal(0, 80, len(frame))
    assert [f.code for f in about_ranges(frame)] == ["swapped-columns"]


@pytest.mark.parametrize(
    ("column", "factor", "offset", "unit"),
    [
        ("injection_pressure", 10, 0, "bar"),
        ("injection_pressure", 10.197, 0, "kgf/cm²"),
        ("cycle_time", 1000, 0, "ms"),
        ("barrel_temperature", 1.8, 32, "°F"),
    ],
)
def test_a_well_known_factor_is_a_suspected_unit(
    column: str, factor: float, offset: float, unit: str
):
    frame = shots()
    frame[column] = frame[column] * factor + offset
    said = found(frame, "unit-suspected")
    assert [f.columns for f in said] == [[column]]
    assert unit in said[0].message_ko
    assert "unit: " in said[0].action_ko
    assert found(frame, "implausible-values") == []


def test_values_that_fit_no_common_unit_are_only_implausible():
    frame = shots().assign(cycle_time=lambda f: f["cycle_time"] * 9e7)
    assert found(frame, "unit-suspected") == []
    assert len(found(frame, "implausible-values")) == 1


def test_a_unit_that_was_told_is_not_doubted_in_favour_of_another():
    frame = around(**{"사출압력(MPa)": 1400.0, "사이클타임": 31.0})
    codes = [f.code for f in about_ranges(frame, "injection-moulding")]
    assert codes == ["implausible-values"]
