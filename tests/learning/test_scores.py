"""Scores agree with scikit-learn; intervals resample whole groups."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from kamp_lib.learning.scores import (
    average_precision,
    base_rate,
    group_draws,
    grouped_mean,
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


def test_weights_by_group_equal_weights_by_case(cases):
    label, score, group = cases
    draws = group_draws(group, draws=60, seed=2)
    table = draws.counts[:, draws.codes]
    for metric in ("average_precision", "roc_auc"):
        by_group = resampled(metric, label, score, draws)
        np.testing.assert_array_equal(by_group, resampled(metric, label, score, table))


def test_the_interval_of_a_mean_equals_that_of_resampled_cases(cases):
    _, score, group = cases
    found = grouped_mean(score, group, seed=1)
    random = np.random.default_rng(1)
    names = np.unique(group)
    means = []
    for _ in range(500):
        drawn = random.integers(0, len(names), len(names))
        at = [np.flatnonzero(group == names[g]) for g in drawn]
        means.append(score[np.concatenate(at)].mean())
    low, high = np.quantile(means, [0.025, 0.975])
    assert (found.value, found.low, found.high) == pytest.approx(
        (score.mean(), low, high), abs=1e-12
    )


def test_average_precision_inside_groups_is_that_of_each_group_by_its_bad_cases(cases):
    from kamp_lib.learning.competition import _inside_groups

    label, score, group = cases
    weights = np.random.default_rng(5).poisson(1.0, (20, len(label)))
    total, bad = np.zeros(20), np.zeros(20)
    for name in np.unique(group[label == 1]):
        at = group == name
        own = resampled("average_precision", label[at], score[at], weights[:, at])
        here = weights[:, at] @ (label[at] == 1)
        total += np.where(here > 0, np.nan_to_num(own) * here, 0.0)
        bad += here
    np.testing.assert_allclose(
        _inside_groups(score, label, group, weights), total / bad, atol=1e-12
    )
