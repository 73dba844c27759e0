from __future__ import annotations

import numpy as np
import pandas as pd
from datasets.small_machine import shots

from kamp_lib.datasets import checks
from kamp_lib.datasets.types import Finding


def impossible(frame: pd.DataFrame, equipment: str, kind: str) -> list[Finding]:
    findings = checks.check(frame, equipment, kind)
    return [f for f in findings if f.code == "impossible-physics"]


def moulding() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return shots()[["_file", "_row", "ts", "shot_no"]].assign(
        injection_time=rng.normal(7, 0.1, 400).round(2),
        cooling_time=25.0,
        cycle_time=rng.normal(59, 0.3, 400).round(2),
        max_back_pressure=rng.normal(9, 0.1, 400).round(2),
        average_back_pressure=rng.normal(8, 0.1, 400).round(2),
    )


def test_possible_shots_break_no_rule():
    assert impossible(moulding(), "injection-moulding", "shot") == []


def test_a_cycle_shorter_than_its_parts_cannot_be():
    frame = moulding()
    frame.loc[[3, 9], "cycle_time"] = 20.0
    broken = impossible(frame, "injection-moulding", "shot")
    assert [(f.count, set(f.columns)) for f in broken] == [
        (2, {"cycle_time", "injection_time", "cooling_time"})
    ]
    assert "사이클" in broken[0].message_ko
    assert "cycle_time = 20" in broken[0].message_en


def test_an_average_above_the_maximum_cannot_be():
    frame = moulding().assign(average_back_pressure=60.0)
    assert impossible(frame, "injection-moulding", "shot")[0].count == 400


def test_a_missing_value_breaks_no_rule():
    frame = moulding()
    frame.loc[[3, 9], "cycle_time"] = np.nan
    assert impossible(frame, "injection-moulding", "shot") == []


def test_max_and_mean_of_one_quantity_are_known_by_name_on_any_machine():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "최대압력(bar)": rng.normal(90, 1, 100),
            "평균압력(bar)": rng.normal(95, 1, 100),
        }
    )
    assert len(impossible(frame, "generic", "record")) == 1
    right = frame.rename(
        columns={"최대압력(bar)": "평균압력(bar)", "평균압력(bar)": "최대압력(bar)"}
    )
    assert len(impossible(right.clip(upper=93), "generic", "record")) <= 1


def test_a_load_without_a_turning_spindle_cannot_be():
    n = 200
    frame = pd.DataFrame(
        {
            "run_id": pd.array(["1"] * n, "string"),
            "spindle_load": np.full(n, 60.0) + np.arange(n) % 7,
            "spindle_speed": np.where(np.arange(n) < 190, 3000.0, 0.0),
            "feedrate": 500.0 + np.arange(n) % 5,
        }
    )
    assert impossible(frame, "cnc-machine", "run-sample")[0].count == 10
