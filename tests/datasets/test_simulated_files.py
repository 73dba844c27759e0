"""Clean simulated files raise nothing; files with a defect raise the finding it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamp_lib import testbed
from kamp_lib.catalog import standard_models
from kamp_lib.datasets import Finding, ingest
from kamp_lib.tenancy import add_tenant

MODELS = [m.id for m in standard_models().values() if m.simulator]


def findings_of(folder: Path, model: str, seed: int, *defects: str) -> list[Finding]:
    tenant = add_tenant("sim", "모의", home=folder / "home")
    files = testbed.simulate(
        model, folder / "files", seed=seed, size="fast", defects=defects
    )
    result = ingest(
        tenant,
        files.equipment,
        files.files,
        labels=files.labels,
        on=files.on,
        dry_run=True,
    )
    return result.findings


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("model", MODELS)
def test_clean_simulated_files_raise_no_more_than_notes(
    model: str, seed: int, tmp_path: Path
):
    graver = [f for f in findings_of(tmp_path, model, seed) if f.severity != "info"]
    assert graver == []


@pytest.mark.parametrize(
    ("model", "defect"), [(m, d) for m in MODELS for d in testbed.defects_of(m)]
)
def test_a_defect_that_was_put_in_is_found(model: str, defect: str, tmp_path: Path):
    assert defect in {f.code for f in findings_of(tmp_path, model, 0, defect)}
