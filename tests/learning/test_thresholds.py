"""The threshold is the cheapest one there is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.learning.thresholds import cheapest, threshold_table

cases = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 12)), min_size=1, max_size=60
)


@given(cases, st.integers(0, 100_000), st.integers(0, 100_000))
def test_no_other_threshold_costs_less(pairs, missed, false_alarm):
    label = np.array([y for y, _ in pairs])
    score = np.array([s / 12 for _, s in pairs])
    found = cheapest(label, score, cost_missed=missed, cost_false_alarm=false_alarm)

    def cost(threshold: float) -> float:
        flagged = score >= threshold
        lost = ((label == 1) & ~flagged).sum() * missed
        return float(lost + ((label == 0) & flagged).sum() * false_alarm)

    every = [cost(t) for t in np.linspace(-0.01, 1.01, 200)]
    assert found.cost == cost(found.threshold) == min(every)
    assert found.never_alarm == cost(2.0)
    assert found.always_alarm == cost(-1.0)


@given(cases)
def test_every_row_of_the_table_adds_up(pairs):
    label = np.array([y for y, _ in pairs])
    score = np.array([float(s) for _, s in pairs])
    table = threshold_table(label, score)
    assert (table["flagged"] == table["false_alarms"] + table["true_alarms"]).all()
    assert (table["missed"] + table["true_alarms"] == (label == 1).sum()).all()


def test_a_long_table_is_thinned_but_keeps_the_chosen_threshold():
    random = np.random.default_rng(0)
    score = random.random(20_000)
    label = (random.random(20_000) < score**4).astype(float)
    best = cheapest(label, score, cost_missed=50_000, cost_false_alarm=2_000).threshold
    table = threshold_table(label, score, keep=best)
    assert 100 <= len(table) <= 210
    assert best in set(table["threshold"])
