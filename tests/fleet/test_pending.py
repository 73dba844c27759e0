"""What could be run, and what counts as done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fleet.stand_in import MODEL, record

from kamp_lib.catalog import resolve_parameters, standard_model
from kamp_lib.datasets import ingest, open_dataset
from kamp_lib.errors import KampError, UsageError
from kamp_lib.runs import pending
from kamp_lib.runs.context import dataset_ref, find_model
from kamp_lib.runs.pending import Pending, pending_runs
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.testbed import simulate
from kamp_lib.text import Text


@pytest.fixture(scope="module")
def moulder(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    """A company with two small data sets of one machine type."""
    home: Path = tmp_path_factory.mktemp("pending")
    tenant = add_tenant("moulder", "몰더", equipment=("injection-moulding",), home=home)
    for name in ("m1", "m2"):
        raw = simulate(MODEL, tenant.workspace / name, seed=1, size=100)
        ingest(tenant, "injection-moulding", raw.files, dataset=name)
    return tenant


@pytest.fixture(autouse=True)
def _no_runs(moulder: Tenant) -> Any:
    import shutil

    yield
    shutil.rmtree(moulder.runs)
    moulder.runs.mkdir()
    pending._read.cache_clear()  # the same names come again


def put(tenant: Tenant, number: int = 1, dataset: str = "m1", **more: Any) -> str:
    """A bundle that would be found if nothing in it were different."""
    run = f"20261126-00000{number}-injection-quality-aaaaaa"
    standard = standard_model(MODEL)
    base = record()
    values = {
        "run": run,
        "model": base.model.model_copy(update={"version": standard.version}),
        "dataset": dataset_ref(open_dataset(tenant, dataset)),
        "parameters": resolve_parameters(*find_model(MODEL), {}),
        **more,
    }
    folder = tenant.runs / run
    folder.mkdir()
    (folder / "run.json").write_text(record(**values).model_dump_json())
    return run


def first(tenant: Tenant, **more: Any) -> Pending:
    return pending_runs(tenant, [MODEL], **more)[0]


def test_every_data_set_of_the_models_machine_is_a_run(moulder: Tenant) -> None:
    found = pending_runs(moulder)
    assert [(p.model, p.dataset) for p in found] == [(MODEL, "m1"), (MODEL, "m2")]
    assert {p.done for p in found} == {None}


def test_the_same_model_data_and_parameters_are_done(moulder: Tenant) -> None:
    run = put(moulder)
    assert [p.done for p in pending_runs(moulder)] == [run, None]


@pytest.mark.parametrize(
    "more",
    [
        {"status": "failed", "reason": Text("안 됨", "no")},
        {"notes": {"by_hand": True}},
        {"parameters": {"cost_missed": 1.0}},
        {"model": record().model},
    ],
)
def test_any_other_run_is_not_it(moulder: Tenant, more: dict[str, Any]) -> None:
    put(moulder, **more)
    assert first(moulder).done is None


def test_other_content_under_the_same_version_is_not_done(moulder: Tenant) -> None:
    read = dataset_ref(open_dataset(moulder, "m1"))
    run = put(moulder)
    path = moulder.runs / run / "run.json"
    path.write_text(path.read_text().replace(read.fingerprint, "0" * 64))
    pending._read.cache_clear()
    found = first(moulder)
    assert (found.done, found.before) == (None, run)


def test_parameters_that_were_given_count(moulder: Tenant) -> None:
    resolved = resolve_parameters(*find_model(MODEL), {"cost_missed": "5"})
    run = put(moulder, parameters=resolved)
    assert first(moulder).done is None
    assert first(moulder, parameters={"cost_missed": "5"}).done == run


def test_the_newest_earlier_run_is_what_to_compare_with(moulder: Tenant) -> None:
    put(moulder, 1, parameters={})
    later = put(moulder, 2, parameters={})
    assert first(moulder).before == later


def test_a_damaged_bundle_is_no_help_and_no_hindrance(moulder: Tenant) -> None:
    folder = moulder.runs / "20261126-000009-injection-quality-ffffff"
    folder.mkdir()
    (folder / "run.json").write_text("{")
    assert first(moulder).done is None


def test_a_family_by_its_own_name_wants_the_data_set_named(moulder: Tenant) -> None:
    with pytest.raises(UsageError, match="--dataset"):
        pending_runs(moulder, ["quality-classification"])
    found = pending_runs(moulder, ["quality-classification"], dataset="m2")
    assert [p.dataset for p in found] == ["m2"]


def test_unknown_models_and_parameters_are_refused(moulder: Tenant) -> None:
    with pytest.raises(KampError):
        pending_runs(moulder, ["nothing"])
    with pytest.raises(UsageError):
        pending_runs(moulder, [MODEL], parameters={"nothing": 1})
