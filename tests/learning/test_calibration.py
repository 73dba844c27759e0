"""Probabilities can be believed, and the order of scores survives."""

import numpy as np
import pytest

from kamp_lib.learning.calibration import (
    Calibration,
    calibration_error,
    calibration_table,
    fit_calibration,
)


def world(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    score = random.normal(size=n)
    truth = 1 / (1 + np.exp(3 - 1.5 * score))
    return score * 7 + 40, (random.random(n) < truth).astype(float)


@pytest.mark.parametrize("n", [3_000, 30_000], ids=["sigmoid", "isotonic"])
def test_predicted_and_observed_shares_agree_on_new_cases(n):
    curve = fit_calibration(*world(n, seed=1))
    score, label = world(20_000, seed=2)
    assert calibration_error(label, curve.probability(score)) < 0.01


def test_many_bad_cases_earn_a_freer_curve():
    assert fit_calibration(*world(3_000, 1)).kind == "sigmoid"
    assert fit_calibration(*world(30_000, 1)).kind == "isotonic"


def test_a_higher_score_never_means_less_risk():
    for n in (100, 30_000):
        curve = fit_calibration(*world(n, seed=4))
        line = np.linspace(-20, 100, 500)
        assert (np.diff(curve.probability(line)) >= 0).all()


def test_three_bad_cases_that_score_low_do_not_turn_the_curve_over():
    score = np.arange(100.0)
    label = (score < 3).astype(float)
    curve = fit_calibration(score, label)
    assert curve.probability(np.array([90.0])) > curve.probability(np.array([5.0]))


def test_the_expected_share_of_bad_is_met():
    score, label = world(3_000, seed=1)
    half = fit_calibration(score, label, prior=label.mean() / 2)
    assert half.probability(score).mean() < 0.75 * label.mean()


def test_a_curve_survives_being_written_down():
    curve = fit_calibration(*world(30_000, seed=1))
    again = Calibration.from_dict(curve.to_dict())
    score = np.linspace(0, 80, 50)
    assert (again.probability(score) == curve.probability(score)).all()


def test_the_bins_hold_every_case():
    score, label = world(3_000, seed=1)
    table = calibration_table(label, fit_calibration(score, label).probability(score))
    assert table["count"].sum() == 3_000
    assert (table["low"] <= table["observed"]).all()
    assert (table["observed"] <= table["high"]).all()
