"""A company with simulated data, and analysis templates that misbehave on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from kamp_lib.datasets import ingest
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.testbed import simulate

MODEL = "injection-quality"


@pytest.fixture(scope="session")
def stocked_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A KAMP_HOME whose company `moulder` has one small simulated data set."""
    home = tmp_path_factory.mktemp("stocked")
    tenant = add_tenant("moulder", "몰더", equipment=("injection-moulding",), home=home)
    raw = simulate(MODEL, tenant.workspace / "raw", seed=1, size="fast")
    ingest(tenant, "injection-moulding", raw.files)
    return home


@pytest.fixture
def moulder(
    stocked_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Tenant:
    """That company, with a folder of runs of this test alone."""
    import shutil

    home = tmp_path / "kamp"
    shutil.copytree(stocked_home, home, dirs_exist_ok=True)
    from kamp_lib.tenancy import tenant_named

    return tenant_named("moulder", home=home)


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put an analysis of our own in the place of the family's template."""

    def put(*cells: str) -> None:
        folder = tmp_path / "templates" / "analyses"
        folder.mkdir(parents=True, exist_ok=True)
        parameters = nbformat.v4.new_code_cell("bundle = None")
        parameters.metadata["tags"] = ["parameters"]
        begin = "from kamp_lib import runs\nrun = runs.begin(model='', bundle=bundle)"
        steps = [
            nbformat.v4.new_markdown_cell("## 1. 첫 단계 · First step"),
            *(nbformat.v4.new_code_cell(cell) for cell in (begin, *cells)),
        ]
        notebook = nbformat.v4.new_notebook(cells=[parameters, *steps])
        nbformat.write(notebook, folder / "quality-classification.ipynb")
        monkeypatch.setenv("KAMP_TEMPLATES", str(folder.parent))

    return put
