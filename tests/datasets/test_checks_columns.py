from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from datasets.small_machine import check, found, shots

from kamp_lib.datasets import checks
from kamp_lib.datasets.checks.derived import find_formulas


@pytest.mark.parametrize("value", [-999, 9999, 65535])
def test_a_placeholder_is_found_even_in_a_few_rows(value: int):
    frame = shots()
    frame.loc[[5, 50, 200], "mould_temperature"] = value
    sentinel = found(frame, "sentinel-value")
    assert [(f.columns, f.count) for f in sentinel] == [(["mould_temperature"], 3)]
    assert found(frame, "implausible-values") == []


def test_a_temperature_of_exactly_zero_is_a_placeholder():
    frame = shots()
    frame.loc[[5, 50], "barrel_temperature"] = 0.0
    assert found(frame, "sentinel-value")[0].count == 2


def test_a_machine_that_warms_up_from_zero_has_no_placeholder():
    frame = shots()
    frame["mould_temperature"] = np.linspace(0, 60, len(frame)).round(1)
    assert found(frame, "sentinel-value") == []


def test_a_counter_that_passes_9999_has_no_placeholder():
    frame = shots().assign(strokes=np.arange(9800, 10200.0))
    assert found(frame, "sentinel-value") == []


def test_a_sensor_of_zeros_is_a_warning_and_a_constant_extra_a_note():
    frame = shots().assign(mould_temperature=0.0, humidity=40.0)
    severities = {f.columns[0]: f.severity for f in found(frame, "dead-column")}
    assert severities == {"mould_temperature": "warning", "humidity": "info"}


def test_standardised_values_are_found_and_not_held_against_ranges():
    frame = shots()
    number = frame.select_dtypes("number").columns.difference(["_row", "shot_no"])
    frame[number] = (frame[number] - frame[number].mean()) / frame[number].std()
    codes = {f.code for f in check(frame)}
    assert "already-standardised" in codes
    assert "implausible-values" not in codes


def test_spellings_of_one_word_are_found():
    frame = shots().assign(
        step=pd.array(["end", "End", "prep", "prep"] * 100, "string")
    )
    variants = found(frame, "category-variants")
    assert variants[0].columns == ["step"]
    assert variants[0].severity == "info"


def test_a_sum_of_two_columns_is_found_within_their_rounding():
    rng = np.random.default_rng(0)
    parts = rng.normal(275, 3, (500, 2))
    table = np.column_stack([parts.round(), parts.sum(axis=1).round(1)])
    formula = find_formulas(table)[2]
    assert formula.terms == {0: 1.0, 1: 1.0}


def test_a_multiple_and_a_change_of_units_are_found():
    rng = np.random.default_rng(0)
    celsius = rng.normal(200, 5, 500).round(1)
    table = np.column_stack([celsius, (1.8 * celsius + 32).round(2), rng.random(500)])
    found_ = find_formulas(table)
    assert list(found_) == [1]
    assert found_[1].terms[0] == pytest.approx(1.8, abs=1e-3)
    assert found_[1].constant == pytest.approx(32, abs=0.1)


def test_a_setpoint_and_its_actual_value_are_not_derived():
    rng = np.random.default_rng(0)
    setpoint = rng.normal(100, 5, 500).round()
    actual = (setpoint + rng.normal(0, 0.3, 500)).round()
    assert find_formulas(np.column_stack([setpoint, actual])) == {}


def test_row_numbers_of_a_program_are_an_index_column():
    frame = shots()
    frame.insert(0, "Unnamed: 0", np.arange(400))
    assert found(frame, "index-column")[0].columns == ["Unnamed: 0"]


def test_blank_cells_are_counted():
    frame = shots()
    frame.loc[:6, "mould_temperature"] = np.nan
    assert found(frame, "blank-cells")[0].count == 7


def test_a_blank_beside_zeros_is_said_to_be_no_zero():
    rng = np.random.default_rng(0)
    sold = pd.DataFrame(rng.poisson(0.5, (200, 4)).astype(float)).add_prefix("month ")
    sold.iloc[:9, 2] = np.nan
    findings = checks.check(sold, "generic", "record")
    blank = [f for f in findings if f.code == "blank-cells"]
    assert (blank[0].count, blank[0].columns) == (9, ["month 2"])
    assert "not a zero" in blank[0].message_en


def test_wear_that_climbs_and_falls_back_tells_that_rows_stand_in_time_order():
    wear = np.concatenate([np.arange(k) for k in (90, 120, 80, 110)]).astype(float)
    frame = shots().drop(columns=["ts", "shot_no"]).assign(wear=wear)
    assert found(frame, "rows-in-time-order")[0].count == 3
    assert found(frame.sample(frac=1, random_state=0), "rows-in-time-order") == []


def test_a_sum_of_three_columns_is_found():
    rng = np.random.default_rng(0)
    parts = rng.gamma(4, 20, (60, 3)).round(3)
    table = np.column_stack([parts, parts.sum(axis=1).round(3), rng.random(60)])
    assert find_formulas(table)[3].terms == {0: 1.0, 1: 1.0, 2: 1.0}


def test_a_coarse_copy_in_another_unit_is_found():
    rng = np.random.default_rng(0)
    energy = rng.gamma(2, 20, 2000).round(2)
    table = np.column_stack([energy, (0.000477 * energy).round(2), rng.random(2000)])
    assert find_formulas(table)[1].terms[0] == pytest.approx(0.000477, rel=0.05)


def test_a_power_factor_is_derived_from_active_and_reactive_power():
    rng = np.random.default_rng(0)
    active, reactive = rng.gamma(3, 20, (2, 500)).round(2)
    factor = (100 * active / np.hypot(active, reactive)).round(2)
    frame = pd.DataFrame(
        {
            "Usage_kWh": active,
            "Reactive_Power_kVarh": reactive,
            "Power_Factor": factor,
        }
    )
    findings = checks.check(frame, "generic", "record")
    derived = [f for f in findings if f.code == "derived-column"]
    assert set(derived[0].columns) == set(frame.columns)
