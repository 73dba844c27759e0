from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from datasets.small_machine import check, found, samples, shots

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import checks
from kamp_lib.datasets.types import Finding


def generic(frame: pd.DataFrame, code: str) -> list[Finding]:
    findings = checks.check(frame, equipment_type("generic"), "record")
    return [f for f in findings if f.code == code]


def test_a_sensor_that_stands_still_while_others_move_is_frozen():
    frame = shots(1000)
    frame.loc[400:549, "mould_temperature"] = frame.loc[400, "mould_temperature"]
    frozen = found(frame, "frozen-sensor")
    assert [f.columns for f in frozen] == [["mould_temperature"]]
    assert frozen[0].count == pytest.approx(150, abs=2)
    assert "row 402" in frozen[0].message_en


def test_a_machine_that_rests_has_no_frozen_sensor():
    frame = shots(1000)
    moving = [c for c in frame.columns if frame[c].dtype == float]
    frame.loc[400:549, moving] = frame.loc[400, moving].to_numpy()
    assert found(frame, "frozen-sensor") == []


def test_a_coarse_sensor_that_often_repeats_is_not_frozen():
    frame = shots(1000)
    slow = np.repeat(np.random.default_rng(0).normal(55, 2, 50).round(1), 20)
    frame["mould_temperature"] = slow
    frame.loc[400:480, "mould_temperature"] = 55.0
    assert found(frame, "frozen-sensor") == []


def test_a_valve_that_rests_at_zero_again_and_again_is_not_frozen():
    rng = np.random.default_rng(0)
    on = np.repeat(rng.random(20) < 0.5, 100)
    frame = shots(2000).assign(flow=np.where(on, rng.normal(5, 1, 2000).round(3), 0.0))
    assert found(frame, "frozen-sensor") == []


def test_a_spindle_that_is_off_is_not_frozen():
    frame = shots(1000).assign(spindle=np.random.default_rng(0).normal(3000, 2, 1000))
    frame.loc[300:699, "spindle"] = 0.0
    assert found(frame, "frozen-sensor") == []


def test_a_stretch_over_two_runs_is_not_taken_for_one():
    frame = samples(runs=6, n=300)
    frame.loc[280:319, "vibration"] = 0.5
    assert found(frame, "frozen-sensor", "sample") == []


@pytest.mark.parametrize(("side", "word"), [("high", "highest"), ("low", "lowest")])
def test_values_that_pile_up_at_the_end_of_the_scale_are_saturated(
    side: str, word: str
):
    frame = shots(1000)
    column = frame["injection_pressure"]
    frame["injection_pressure"] = (
        column.clip(upper=142.5) if side == "high" else column.clip(lower=137.5)
    )
    saturated = found(frame, "saturation")
    assert [f.columns for f in saturated] == [["injection_pressure"]]
    assert word in saturated[0].message_en


def test_a_percentage_may_end_at_100():
    rng = np.random.default_rng(0)
    share = np.minimum(100, rng.normal(98, 3, 1000)).round(2)
    assert found(shots(1000).assign(**{"효율(%)": share}), "saturation") == []


def test_a_column_on_a_few_levels_is_not_saturated():
    rng = np.random.default_rng(0)
    speed = rng.choice([500.0, 800.0, 1200.0], 1000) + np.where(
        rng.random(1000) < 0.2, rng.normal(0, 9, 1000).round(1), 0
    )
    frame = shots(1000).assign(speed=np.minimum(speed, 1200))
    assert found(frame, "saturation") == []


def test_a_change_of_resolution_is_found_at_its_row():
    frame = shots(1000)
    frame.loc[600:, "filling_time"] = frame.loc[600:, "filling_time"].round(1)
    changed = found(frame, "quantisation-change")
    assert [f.columns for f in changed] == [["filling_time"]]
    assert changed[0].count == pytest.approx(400, abs=5)
    assert "0.1 instead of 0.001" in changed[0].message_en


def test_six_digits_of_large_and_small_numbers_are_no_change_of_resolution():
    rng = np.random.default_rng(0)
    value = np.concatenate([rng.normal(20, 1, 500), rng.normal(200, 10, 500)])
    frame = shots(1000).assign(level=[float(f"{v:.6g}") for v in value])
    assert found(frame, "quantisation-change") == []


@pytest.mark.parametrize(
    ("column", "convert", "known"),
    [
        ("back_pressure", lambda v: 10 * v, "bar ↔ MPa"),
        ("injection_pressure", lambda v: 145.04 * v, "psi ↔ MPa"),
        ("barrel_temperature", lambda v: 1.8 * v + 32, "°F ↔ °C"),
        ("mould_temperature", lambda v: v + 273.15, "K ↔ °C"),
        ("filling_time", lambda v: 1000 * v, "ms ↔ s"),
    ],
)
def test_another_unit_from_some_row_on_is_named(column, convert, known):
    frame = shots(1000)
    frame.loc[700:, column] = convert(frame.loc[700:, column]).round(2)
    changed = found(frame, "unit-change")
    assert [f.columns for f in changed] == [[column]]
    assert known in changed[0].message_ko
    assert "row 702" in changed[0].message_en


def test_a_pressure_that_says_no_unit_may_change_it():
    frame = shots(1000).assign(압력=5 + 0.1 * np.sin(np.arange(1000)))
    frame.loc[500:, "압력"] *= 14.504
    assert "psi ↔ bar" in found(frame, "unit-change")[0].message_ko


def test_another_unit_for_a_while_is_found():
    frame = shots(1000)
    frame.loc[300:499, "back_pressure"] *= 10
    assert found(frame, "unit-change")[0].count == 200


def test_a_lost_decimal_point_here_and_there_is_found():
    frame = shots(1000)
    lost = np.random.default_rng(0).random(1000) < 0.3
    frame["torque"] = np.where(lost, 10, 1) * (29 + 0.1 * np.arange(1000) % 0.7).round(
        1
    )
    assert "decimal point" in found(frame, "unit-change")[0].message_en


def test_another_product_is_not_another_unit():
    frame = shots(1000)
    for name in ("injection_pressure", "back_pressure", "filling_time"):
        frame.loc[700:, name] *= 1.7
    frame.loc[700:, "torque"] = 10.0
    frame["torque"] = np.where(frame.index < 700, 3, 30) + frame["back_pressure"] / 100
    assert found(frame, "unit-change") == []


def test_idling_and_running_are_not_two_units():
    rng = np.random.default_rng(0)
    on = rng.random(2000) < 0.4
    speed = np.where(on, rng.normal(1730, 30, 2000), rng.normal(150, 60, 2000)).round()
    assert found(shots(2000).assign(motor=speed), "unit-change") == []


def set_and_actual(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    setting = np.repeat(rng.choice([1200, 1500, 1800], n // 100), 100).astype(float)
    return pd.DataFrame(
        {
            "spindle speed set": setting,
            "spindle speed actual": (setting + rng.normal(0, 6, n)).round(1),
            "load": rng.normal(40, 3, n).round(1),
        }
    )


def test_a_scattering_setpoint_beside_a_still_actual_value_is_swapped():
    frame = set_and_actual()
    names = {
        "spindle speed set": "spindle speed actual",
        "spindle speed actual": "spindle speed set",
    }
    swapped = generic(frame.rename(columns=names), "setpoint-actual-swapped")
    assert set(swapped[0].columns) == set(names)
    assert generic(frame, "setpoint-actual-swapped") == []


def test_korean_names_of_setpoint_and_actual_value_are_known():
    frame = set_and_actual()
    frame.columns = ["사출속도실측", "사출속도설정", "부하"]
    assert generic(frame, "setpoint-actual-swapped")


def moved(n: int = 1000) -> pd.DataFrame:
    frame = shots(n)
    for name in ("injection_pressure", "back_pressure", "filling_time"):
        frame.loc[600:, name] *= 1.3
    return frame


def test_several_levels_that_change_at_once_are_a_change_of_regime():
    regime = found(moved(), "regime-change")
    assert regime[0].severity == "info"
    assert {"injection_pressure", "back_pressure", "filling_time"} == set(
        regime[0].columns
    )


def test_a_product_that_explains_the_levels_is_named_instead():
    frame = moved()
    frame["품명"] = pd.array(np.where(frame.index < 600, "커버", "하우징"), "string")
    assert found(frame, "product-change")[0].columns[0] == "품명"
    assert found(frame, "regime-change") == []


def test_a_slow_drift_is_no_change_of_regime():
    frame = shots(1000)
    for name in ("injection_pressure", "back_pressure", "filling_time"):
        frame[name] *= np.linspace(1, 1.5, 1000)
    assert found(frame, "regime-change") == []


def test_a_column_that_hardly_moves_is_named():
    frame = shots(1000)
    frame["force"] = np.where(np.arange(1000) % 8 == 0, 276.0, 275.0)
    assert found(frame, "near-constant-column")[0].columns == ["force"]


@pytest.mark.parametrize("seed", range(8))
def test_steady_columns_of_every_kind_raise_nothing(seed: int):
    """Random walks, counters, cycles and noise: what machines write all day."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(150, 3000))
    frame = shots(n, seed)
    frame["walk"] = rng.normal(0, 1, n).cumsum().round(2)
    frame["cycle"] = (10 * np.sin(np.arange(n) / rng.uniform(3, 90))).round(2)
    frame["wear"] = np.linspace(0, 3, n).round(3)
    frame["skewed"] = rng.lognormal(0, 1, n).round(2)
    frame["counts"] = rng.poisson(3, n)
    frame["heat"] = (200 + 5 * np.exp(-np.arange(n) / 200) + rng.normal(size=n)).round(
        1
    )
    graver = [f for f in check(frame) if f.severity != "info"]
    assert graver == []
    assert not {f.code for f in check(frame)} & {"regime-change", "quantisation-change"}
