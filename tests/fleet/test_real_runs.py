"""Real runs in real walls: a worker with a kernel per run, and nothing done twice."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from fleet.conftest import plan_of, run
from runs.test_execute import SMALLEST

from kamp_lib.datasets import ingest
from kamp_lib.runs import open_run
from kamp_lib.tenancy import Registry, Tenant
from kamp_lib.testbed import simulate

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture
def smallest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis that writes a true bundle in a moment."""
    folder = tmp_path / "templates" / "analyses"
    folder.mkdir(parents=True)
    parameters = nbformat.v4.new_code_cell("bundle = None")
    parameters.metadata["tags"] = ["parameters"]
    begin = "from kamp_lib import runs\nrun = runs.begin(model='', bundle=bundle)"
    cells = [parameters, *(nbformat.v4.new_code_cell(c) for c in (begin, SMALLEST))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, folder / "quality-classification.ipynb")
    monkeypatch.setenv("KAMP_TEMPLATES", str(folder.parent))


def bring_in(tenant: Tenant, dataset: str, seed: int) -> None:
    raw = simulate(
        "injection-quality", tenant.workspace / f"raw-{seed}", seed=seed, size=100
    )
    ingest(tenant, "injection-moulding", raw.files, dataset=dataset)


@pytest.mark.usefixtures("smallest")
def test_a_batch_runs_in_walls_and_plans_again_only_what_has_new_data(
    registry: Registry, acme: Tenant
) -> None:
    for number, dataset in enumerate(("m1", "m2")):
        bring_in(acme, dataset, number)
    done = run(plan_of(registry), registry)
    assert [(o.order.tenant, o.status) for o in done.outcomes] == [
        ("acme", "succeeded"),
        ("acme", "succeeded"),
    ]
    made = [open_run(acme, str(o.run)).record.dataset for o in done.outcomes]
    assert [read.name for read in made if read is not None] == ["m1", "m2"]
    bring_in(acme, "m2", 9)
    plan = plan_of(registry)
    assert [(o.dataset, o.before) for o in plan.orders] == [
        ("m2", done.outcomes[1].run)
    ]
    assert [(o.order.dataset, o.status) for o in plan.settled] == [("m1", "known")]
