from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kamp_lib.testbed.press import MECHANISMS, WARNING, strokes


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    frame, truth = strokes(np.random.default_rng(0), 6000)
    return frame.join(truth.drop(columns="stroke_no"))


def shift(log: pd.DataFrame, mechanism: str, values: pd.Series) -> float:
    """How far warning strokes lie from calm ones of the same lots, in calm spreads."""
    late = log["cause"] == mechanism
    lots = log.loc[late, "lot_id"].unique()
    calm = (log["mechanism"] == "") & log["lot_id"].isin(lots)
    usual = values[calm].groupby(log["lot_id"]).agg(["mean", "std"])
    of_lot = log["lot_id"].map(usual["mean"]), log["lot_id"].map(usual["std"])
    return float(((values - of_lot[0]) / of_lot[1])[late].mean())


def test_a_crack_drives_left_and_right_apart(log: pd.DataFrame):
    lean = (log["tonnage_left"] - log["tonnage_right"]) / log["peak_tonnage"]
    crack = log[log["cause"] == "crack"]
    usual = lean[log["mechanism"] == ""].groupby(log["lot_id"]).mean()
    apart = (lean - log["lot_id"].map(usual)).abs()
    assert apart[crack.index].mean() > 3 * apart[log["mechanism"] == ""].mean()


@pytest.mark.parametrize(
    ("mechanism", "column"),
    [
        ("crack", "acoustic_emission"),
        ("galling", "acoustic_emission"),
        ("galling", "peak_tonnage"),
        ("galling", "die_temperature"),
        ("galling", "peak_angle"),
        ("chipping", "blank_thickness"),
        ("chipping", "peak_tonnage"),
    ],
)
def test_a_mechanism_raises_what_a_press_setter_expects(
    log: pd.DataFrame, mechanism: str, column: str
):
    assert shift(log, mechanism, log[column]) > 0.5


def test_galling_comes_with_too_little_lubricant(log: pd.DataFrame):
    assert shift(log, "galling", log["lubricant_flow"]) < -1


def test_warnings_stand_right_before_their_event(log: pd.DataFrame):
    warned = (log["die_event"] == "이상").to_numpy()
    edges = np.flatnonzero(np.diff(np.r_[0, warned, 0].astype(int)))
    lengths = edges[1::2] - edges[::2]
    assert set(lengths) == {WARNING}


def test_every_mechanism_ends_in_events_of_several_lots(log: pd.DataFrame):
    for mechanism in MECHANISMS:
        assert log.loc[log["cause"] == mechanism, "lot_id"].nunique() >= 3


def test_after_an_event_the_die_is_repaired_and_counts_anew(log: pd.DataFrame):
    last = (log["die_event"] == "이상") & (log["die_event"].shift(-1) != "이상")
    following = np.flatnonzero(last)[:-1] + 1
    same_lot = (
        log["lot_id"].to_numpy()[following] == log["lot_id"].to_numpy()[following - 1]
    )
    assert same_lot.any()
    assert (log["strokes_since_maintenance"].to_numpy()[following][same_lot] == 0).all()


def test_the_peak_is_the_two_sides_but_not_their_exact_sum(log: pd.DataFrame):
    both = log["tonnage_left"] + log["tonnage_right"]
    assert (log["peak_tonnage"] / both).between(0.98, 1.0).all()
    assert not np.allclose(log["peak_tonnage"], both, rtol=1e-3)
