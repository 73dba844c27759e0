from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kamp_lib.testbed.injection import MECHANISMS, shots


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """4,000 shots with their truth, each number as its deviation within the product."""
    frame, truth = shots(np.random.default_rng(0), 4000)
    number = frame.select_dtypes("number").columns.drop("shot_no")
    by = frame.groupby("product_code")[number]
    scaled = (frame[number] - by.transform("median")) / by.transform("std")
    return scaled.assign(
        ts=frame["ts"],
        verdict=frame["pass_or_fail"],
        mechanism=truth["mechanism"],
        cause=truth["cause"],
    )


@pytest.mark.parametrize(
    ("mechanism", "column", "sign"),
    [
        ("cold-melt", "barrel_temperature_2", -1),
        ("cold-melt", "max_injection_pressure", +1),
        ("cold-melt", "filling_time", +1),
        ("cold-melt", "cushion_position", +1),
        ("starved-feed", "plasticizing_time", +1),
        ("starved-feed", "plasticizing_position", -1),
        ("starved-feed", "cushion_position", -1),
        ("check-ring-leak", "cushion_position", -1),
        ("low-holding", "switch_over_pressure", -1),
        ("late-switch-over", "switch_over_position", -1),
        ("late-switch-over", "switch_over_pressure", +1),
        ("worn-clamp", "clamp_force", -1),
        ("fast-injection", "max_injection_speed", +1),
    ],
)
def test_a_mechanism_moves_what_a_process_engineer_expects(
    log: pd.DataFrame, mechanism: str, column: str, sign: int
):
    at_work = log.loc[log["cause"] == mechanism, column].mean()
    assert sign * at_work > 0.5


def test_stiffer_melt_needs_more_pressure(log: pd.DataFrame):
    calm = log[log["mechanism"] == ""]
    assert calm["barrel_temperature_1"].corr(calm["max_injection_pressure"]) < -0.1


def test_three_to_seven_shots_in_a_hundred_are_bad(log: pd.DataFrame):
    assert 0.03 <= (log["verdict"] == "불량").mean() <= 0.07


def test_bad_shots_are_spread_over_most_days(log: pd.DataFrame):
    bad = log[log["verdict"] == "불량"]
    assert bad["ts"].dt.date.nunique() >= 10


def test_every_mechanism_is_the_cause_of_some_bad_shots(log: pd.DataFrame):
    assert set(MECHANISMS) <= set(log["cause"])


def test_a_shot_is_bad_only_for_a_cause(log: pd.DataFrame):
    assert ((log["cause"] != "") == (log["verdict"] == "불량")).all()


def test_shots_follow_each_other_on_working_days(log: pd.DataFrame):
    assert log["ts"].is_monotonic_increasing
    assert log["ts"].is_unique
    assert (log["ts"].dt.day_of_week < 5).all()
