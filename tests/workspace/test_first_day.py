"""The notebook of the first day runs from top to bottom, with data and without."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest

from kamp_lib.datasets import list_datasets
from kamp_lib.runs import list_runs
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace.layout import lay_out

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "templates" / "workspace" / "처음 시작하기.ipynb"


def execute(
    company: Tenant, monkeypatch: pytest.MonkeyPatch, **parameters: object
) -> str:
    """The outputs of the notebook as it lies in the workspace."""
    monkeypatch.setenv("KAMP_TENANT_HOME", str(company.home))
    lay_out(company)
    made = papermill.execute_notebook(
        str(company.workspace / SOURCE.name),
        str(company.home / "done.ipynb"),
        parameters=parameters,
        cwd=str(company.workspace),
        kernel_name="python3",
        progress_bar=False,
    )
    return "".join(str(cell.get("outputs", "")) for cell in made.cells)


@pytest.mark.e2e
def test_without_data_it_says_what_to_do(
    company: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "아직 데이터셋이 없습니다" in execute(company, monkeypatch)


@pytest.mark.e2e
@pytest.mark.long
def test_with_practice_data_it_ends_in_a_verdict(
    company: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = execute(company, monkeypatch, practice=True)
    (data,) = list_datasets(company)
    assert data.simulated
    (bundle,) = list_runs(company)
    assert bundle.record.verdict is not None
    assert bundle.record.verdict.sentence.ko in said


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(SOURCE, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert code[0].metadata.tags == ["parameters"]
