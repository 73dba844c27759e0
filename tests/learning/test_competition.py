"""The procedure's choice: honest, simple until the complex is better beyond noise."""

import numpy as np
import pytest
from learning.quality_data import family_task, lots

from kamp_lib.learning import quality_classification as quality
from kamp_lib.learning.competition import allowed, choose


@pytest.fixture(scope="module")
def leaky():
    """Lots that are good or bad as a whole, recognisable by their level alone."""
    random = np.random.default_rng(1)
    lot = np.repeat(np.arange(24), 30)
    bad_lot = np.arange(24) % 4 == 0
    level = random.normal(size=(24, 4))[lot]
    frame = lots(groups=24, size=30, signal=0.0, seed=1)
    frame["bad"] = (bad_lot[lot] & (random.random(len(lot)) < 0.9)).astype(int)
    for i in range(3):
        frame[frame.columns[i]] = level[:, i] + 0.05 * random.normal(size=len(lot))
    task = family_task(frame, {"lot": "id"}, target="bad", group="lot", folds=4)
    return quality.judge(quality.fit(quality.split(quality.prepare(frame, task))))


def test_shuffling_flatters_where_lots_are_recognisable(leaky):
    honest = leaky.metrics["average_precision"]
    shuffled = leaky.shuffled["average_precision"]
    assert shuffled.value > 0.85
    assert honest.value < shuffled.value - 0.3


def test_the_leaky_lots_do_not_end_in_usable(leaky):
    from kamp_lib.learning.quality_decide import verdict_of

    assert verdict_of(leaky).value == "not-usable-yet"


def test_few_bad_cases_choose_nothing():
    label = np.zeros(500)
    label[:20] = 1
    group = np.arange(500) % 10
    assert allowed(label, group) == ["mahalanobis"]


def test_bad_cases_on_three_days_choose_nothing_however_many():
    label = np.zeros(500)
    label[:90] = 1
    group = np.where(label == 1, np.arange(500) % 3, np.arange(500) % 10)
    assert allowed(label, group) == ["mahalanobis"]


def test_a_clearly_better_candidate_takes_over_and_a_slightly_better_one_does_not():
    random = np.random.default_rng(0)
    group = np.arange(2000) % 10
    label = (random.random(2000) < 0.1).astype(float)
    noise = random.normal(size=2000)
    simple = noise + label
    same = simple + 0.05 * random.normal(size=2000)
    clear = noise + 4 * label
    assert choose({"mahalanobis": simple, "trees": same}, label, group) == "mahalanobis"
    assert choose({"mahalanobis": simple, "trees": clear}, label, group) == "trees"


def test_trees_win_where_only_an_interaction_tells():
    random = np.random.default_rng(2)
    frame = lots(groups=12, size=100, signal=0.0, seed=2)
    product = frame["pressure"] * frame["cushion"]
    risk = np.where(product > 0.8, 0.7, 0.01)
    frame["bad"] = (random.random(len(frame)) < risk).astype(int)
    task = family_task(frame, {"lot": "id"}, target="bad", group="lot", folds=4)
    contest = quality.fit(quality.split(quality.prepare(frame, task)))
    assert contest.method == "trees"
