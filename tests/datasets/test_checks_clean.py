from __future__ import annotations

import pytest
from small_machine import check, samples, shots


@pytest.mark.parametrize("seed", range(5))
def test_clean_shots_raise_nothing(seed: int):
    assert check(shots(seed=seed)) == []


@pytest.mark.parametrize("seed", range(5))
def test_clean_runs_raise_nothing(seed: int):
    assert check(samples(seed=seed), "sample") == []


def test_a_handful_of_rows_raises_nothing():
    assert check(shots(3)) == []
