"""Scores agree with scikit-learn; intervals resample whole groups."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from kamp_lib.learning.scores import (
    average_precision,
    base_rate,
    paired_difference,
    resampled,
    roc_auc,
    score_with_interval,
)


@pytest.fixture
def cases():
    random = np.random.default_rng(3)
    label = (random.random(400) < 0.2).astype(float)
    score = np.round(random.normal(size=400) + label, 1)  # with ties
    group = random.integers(0, 20, 400)
    return label, score, group


def test_scores_equal_scikit_learn_with_ties(cases):
    label, score, _ = cases
    assert average_precision(label, score) == pytest.approx(
        average_precision_score(label, score), abs=1e-12
    )
    assert roc_auc(label, score) == pytest.approx(
        roc_auc_score(label, score), abs=1e-12
    )


def test_a_weighted_resample_equals_scikit_learn_with_sample_weights(cases):
    label, score, _ = cases
    weight = np.random.default_rng(0).integers(0, 4, len(label)).astype(float)
    for metric, reference in (
        ("average_precision", average_precision_score),
        ("roc_auc", roc_auc_score),
    ):
        ours = resampled(metric, label, score, weight[None, :])[0]
        kept = weight > 0
        theirs = reference(label[kept], score[kept], sample_weight=weight[kept])
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_without_a_bad_case_there_is_no_score():
    assert average_precision(np.zeros(5), np.arange(5.0)) is None
    assert roc_auc(np.ones(5), np.arange(5.0)) is None


def test_one_group_gives_no_interval(cases):
    label, score, _ = cases
    one = score_with_interval("roc_auc", label, score, np.zeros(len(label)))
    assert one.value is not None
    assert one.low is None


def test_the_grouped_interval_holds_the_truth_about_as_often_as_it_says():
    # every group has its own level, so cases of a group are not independent
    random = np.random.default_rng(5)

    def world(groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        group = np.repeat(np.arange(groups), 30)
        level = random.normal(size=groups)[group]
        label = (random.random(len(group)) < 0.3).astype(float)
        return label, random.normal(size=len(group)) + label + level, group

    truth = roc_auc(*world(3000)[:2])
    inside = 0
    for seed in range(60):
        label, score, group = world(25)
        found = score_with_interval(
            "roc_auc", label, score, group, seed=seed, draws=200
        )
        inside += found.low <= truth <= found.high
    assert inside >= 50


def test_the_same_score_does_not_differ_from_itself(cases):
    label, score, group = cases
    gain = paired_difference("average_precision", label, score, score, group)
    assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_the_baseline_is_the_share_of_bad_cases(cases):
    label, _, group = cases
    assert base_rate(label, group)["average_precision"].value == pytest.approx(
        label.mean()
    )
