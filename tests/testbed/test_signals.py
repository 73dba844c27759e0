from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.testbed.signals import chance, spells_by_day, wander


@pytest.mark.parametrize("memory", [0, 5, 50])
def test_a_wandering_signal_has_its_spread_and_memory(memory: float):
    signal = wander(np.random.default_rng(0), 100_000, sigma=2.0, memory=memory)
    assert signal.std() == pytest.approx(2.0, rel=0.1)
    expected = np.exp(-1 / memory) if memory else 0.0
    assert np.corrcoef(signal[1:], signal[:-1])[0, 1] == pytest.approx(
        expected, abs=0.02
    )


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(20, 80))
def test_spells_lie_within_one_day_and_apart(seed: int, days: int, per_day: int):
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), per_day)
    spells = spells_by_day(rng, day, ("a", "b", "c"), length=(4, 9), share_of_days=0.8)
    taken = np.zeros(len(day), dtype=int)
    for spell in spells:
        assert len(set(day[spell.start : spell.stop])) == 1
        taken[spell.start : spell.stop] += 1
    assert taken.max(initial=0) <= 1


def test_a_margin_used_up_makes_a_defect_likely():
    assert chance(np.array([0.0, 1.0, 2.0]), at=1.0, width=0.1) == pytest.approx(
        [0.0, 0.5, 1.0], abs=1e-3
    )
