from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from datasets.small_machine import check, samples, shots

from kamp_lib import testbed
from kamp_lib.catalog import standard_models
from kamp_lib.datasets import ingest
from kamp_lib.tenancy import Tenant

MODELS = {
    "injection-quality": 700,
    "cnc-machining-quality": 12,
    "press-die-breakage": 700,
    "machine-vision-surface": 30,
}
# What is so in every working plant, and is told as a note: breaks, several products.
TRUE_OF_CLEAN_DATA = {"time-gaps", "product-change"}


@pytest.mark.parametrize("seed", range(5))
def test_clean_shots_raise_nothing(seed: int):
    assert check(shots(seed=seed)) == []


@pytest.mark.parametrize("seed", range(5))
def test_clean_runs_raise_nothing(seed: int):
    assert check(samples(seed=seed), "sample") == []


def test_a_handful_of_rows_raises_nothing():
    assert check(shots(3)) == []


def test_every_simulator_is_held_against_false_findings():
    assert set(MODELS) == {m.id for m in standard_models().values() if m.simulator}


@pytest.mark.parametrize("model", MODELS)
def test_clean_simulated_files_raise_no_false_finding(
    model: str, tenant: Tenant, tmp_path: Path
):
    false: Counter[str] = Counter()
    for seed in range(3):
        made = testbed.simulate(
            model, tmp_path / f"{seed}", seed=seed, size=MODELS[model]
        )
        result = ingest(
            tenant,
            made.equipment,
            made.files,
            labels=made.labels,
            on=made.on,
            dry_run=True,
        )
        false.update(f.code for f in result.findings)
    assert not set(false) - TRUE_OF_CLEAN_DATA, false
