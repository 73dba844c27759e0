from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kamp_lib.testbed.cnc import WORN, flank_wear, runs, tool_life


@pytest.fixture(scope="module")
def made() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return runs(np.random.default_rng(0), 36)


@pytest.fixture(scope="module")
def means(made: tuple[pd.DataFrame, ...]) -> pd.DataFrame:
    """One row per run: means while cutting, with the label and the true wear."""
    samples, labels, truth = made
    cutting = samples[samples["process_step"].str.startswith("Layer")]
    mean = cutting.groupby("run_id").mean(numeric_only=True)
    return mean.join(labels.set_index("run_id")).join(truth.set_index("run_id"))


def test_wear_grows_with_use():
    wear = [flank_wear(part) for part in np.linspace(0, 1.6, 50)]
    assert np.all(np.diff(wear) > 0)


def test_a_tool_is_worn_at_the_end_of_its_life():
    assert flank_wear(0.9) < WORN < flank_wear(1.2)


def test_a_faster_tool_lives_shorter_by_taylors_law():
    chip_load = 600.0 / 4000.0
    slow = tool_life(3600.0, 3600.0 * chip_load)
    fast = tool_life(4400.0, 4400.0 * chip_load)
    assert slow / fast == pytest.approx((4400 / 3600) ** 2.5)


def test_a_harder_fed_tool_lives_shorter():
    assert tool_life(4000.0, 720.0) < tool_life(4000.0, 420.0)


@pytest.mark.parametrize("column", ["spindle_power", "servo_load_x", "position_error"])
def test_wear_and_load_rise_together(means: pd.DataFrame, column: str):
    assert means["flank_wear"].corr(means[column], method="spearman") > 0.5


def test_power_and_current_of_the_spindle_go_together(means: pd.DataFrame):
    assert means["spindle_power"].corr(means["spindle_current"]) > 0.9


def test_a_harder_feed_draws_more_power(means: pd.DataFrame):
    young = means[means["flank_wear"] < 0.13]
    assert young["feedrate_set"].corr(young["spindle_power"]) > 0.3


def test_the_label_is_the_wear_to_within_what_a_microscope_reads(means: pd.DataFrame):
    worn = means["tool_worn"] == "worn"
    assert means.loc[worn, "flank_wear"].min() > WORN - 0.04
    assert means.loc[~worn, "flank_wear"].max() < WORN + 0.04


def test_there_are_enough_tools_with_both_states(means: pd.DataFrame):
    assert means["tool_id"].nunique() >= 10
    states = means.groupby("tool_id")["tool_worn"].nunique()
    assert (states == 2).sum() >= 8


def test_the_visual_verdict_is_not_the_tools_state(means: pd.DataFrame):
    rejected = means["visual_pass"].isin(["no"])
    assert rejected.any()
    assert (rejected != (means["tool_worn"] == "worn")).any()


def test_samples_come_every_100_ms(made: tuple[pd.DataFrame, ...]):
    samples = made[0]
    step = samples.groupby("run_id")["ts"].diff().dropna()
    assert set(step) == {pd.Timedelta("100ms")}
