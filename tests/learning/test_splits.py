"""Whole groups stay together, each is held out once, and time runs forward."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.learning.splits import forward_folds, grouped_folds, order_blocks

groups_and_labels = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from([0.0, 1.0, float("nan")])),
    min_size=2,
    max_size=200,
)


@given(groups_and_labels, st.integers(2, 12))
def test_no_group_is_on_both_sides_and_every_case_is_held_out_once(pairs, folds):
    group = np.array([g for g, _ in pairs])
    label = np.array([y for _, y in pairs])
    made = grouped_folds(group, label, folds=folds)
    if len(set(group)) < 2:
        assert made == []
        return
    held_out = np.concatenate([f.test for f in made])
    assert sorted(held_out) == list(range(len(group)))
    for fold in made:
        assert not set(group[fold.train]) & set(group[fold.test])


@given(groups_and_labels, st.integers(2, 12))
def test_forward_never_learns_from_the_future(pairs, folds):
    period = np.array([g for g, _ in pairs])
    for fold in forward_folds(period, folds=folds):
        assert period[fold.train].max() < period[fold.test].min()


def test_groups_with_bad_cases_are_spread_over_the_folds():
    group = np.repeat(np.arange(12), 10)
    label = np.zeros(120)
    label[::10] = (np.arange(12) % 3 == 0).astype(float)  # four rich groups
    bad = [int(label[f.test].sum()) for f in grouped_folds(group, label, folds=4)]
    assert bad == [1, 1, 1, 1]


def test_forward_needs_three_periods_with_bad_cases():
    period = np.repeat(np.arange(6), 10)
    label = np.zeros(60)
    label[[5, 15]] = 1
    assert forward_folds(period, label) == []


def test_blocks_of_the_order_are_consecutive_and_sortable():
    blocks = order_blocks(100, 10)
    assert list(blocks) == sorted(blocks)
    assert len(set(blocks)) == 10
