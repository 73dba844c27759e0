"""`kamp batch` and `kamp schedule` as people type them."""

from __future__ import annotations

import pytest
from fleet.dask_cluster import free_port
from fleet.stand_in import MODEL, Instead, furnish, machines_done
from in_process import Kamp

from kamp_lib.fleet import list_batches
from kamp_lib.tenancy import Registry, Tenant, add_tenant


def test_a_dry_run_runs_nothing(
    kamp: Kamp, workers: Instead, registry: Registry, acme: Tenant
) -> None:
    said = kamp("batch", "--dry-run", "--json")
    assert said.status == 0
    assert [o["tenant"] for o in said.json["run"]] == ["acme", "bolt"]
    assert machines_done(acme) == []
    assert list_batches() == []


def test_a_company_that_has_only_its_folder_is_run_too(
    kamp: Kamp, workers: Instead, registry: Registry
) -> None:
    furnish(add_tenant("cold", "콜드"))
    said = kamp("batch", "--dry-run", "--json")
    assert [o["tenant"] for o in said.json["run"]] == ["acme", "bolt", "cold"]


def test_a_batch_says_what_it_did(
    kamp: Kamp, workers: Instead, registry: Registry
) -> None:
    said = kamp("batch", "--json")
    assert (said.status, said.json["status"], said.json["made"]) == (0, "finished", 2)
    again = kamp("batch")
    assert again.status == 0
    assert "2 had been made on the same data." in again.out
    assert kamp("batch", "list", "--json").json[0]["known"] == 2
    assert kamp("batch", "show").status == 0


def test_a_batch_with_troubles_ends_with_1_and_one_sentence(
    kamp: Kamp, workers: Instead, registry: Registry
) -> None:
    workers("say(failed={'ko': '안 됨', 'en': 'no column'}, exit_status=1); continue")
    said = kamp("batch", "--tenant", "acme")
    assert said.status == 1
    assert "no column" in said.out
    assert "Traceback" not in said.err
    assert "1 did not succeed" in said.err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--model", "nothing"), 2),
        (("-p", "cost_missed=1"), 2),
        (("--model", MODEL, "-p", "nothing=1"), 2),
        (("--model", MODEL, "-p", "cost_missed=cheap"), 2),
        (("--workers", "0"), 2),
        (("--timeout", "1"), 2),
        (("--tenant", "nobody"), 1),
        (("--tenant", "../bolt"), 1),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_runs(
    kamp: Kamp, registry: Registry, arguments: tuple[str, ...], status: int
) -> None:
    said = kamp("batch", *arguments)
    assert said.status == status
    assert said.err.strip()
    assert list_batches() == []


def test_a_cluster_that_does_not_answer_is_one_sentence_and_no_batch(
    kamp: Kamp, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.fleet.cluster_check.CONNECT_S", 0.5)
    monkeypatch.setenv("KAMP_DASK", f"tcp://127.0.0.1:{free_port()}")
    said = kamp("batch")
    assert said.status == 1
    assert "does not answer" in said.err
    assert list_batches() == []


def test_a_workspace_has_no_batches(
    kamp: Kamp, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_TENANT_HOME", str(acme.home))
    for verb in (("batch",), ("batch", "list"), ("schedule", "list")):
        assert kamp(*verb).status == 1


def test_a_schedule_is_added_shown_run_and_removed(
    kamp: Kamp, workers: Instead, registry: Registry, acme: Tenant
) -> None:
    made = kamp("schedule", "add", "acme", MODEL, "--weekly", "월", "06:00", "--json")
    assert made.json["when"]["en"] == "every Monday at 06:00"
    assert made.json["next"] is not None
    number = str(made.json["id"])
    assert kamp("schedule", "run", number).status == 0
    assert machines_done(acme) == ["m1"]
    again = kamp("schedule", "run", number)
    assert "have not changed" in again.out
    history = kamp("schedule", "history", number, "--json").json
    assert [one["status"] for one in history] == ["skipped", "succeeded"]
    assert "every Monday" in " ".join(kamp("schedule", "list").out.split())
    assert kamp("schedule", "remove", number).status == 0
    assert kamp("schedule", "list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 2),
        (("--nightly", "--on-new-data"), 2),
        (("--nightly", "25:00"), 2),
        (("--weekly", "someday"), 2),
        (("--on-new-data", "02:00"), 2),
        (("--nightly", "-p", "nothing=1"), 2),
    ],
)
def test_what_is_no_schedule_is_refused(
    kamp: Kamp, registry: Registry, arguments: tuple[str, ...], status: int
) -> None:
    assert kamp("schedule", "add", "acme", MODEL, *arguments).status == status
    assert registry.schedules() == []


@pytest.mark.parametrize("verb", ["remove", "run", "history"])
def test_a_schedule_that_is_not_there_is_one_sentence(
    kamp: Kamp, registry: Registry, verb: str
) -> None:
    said = kamp("schedule", verb, "77")
    assert said.status == 1
    assert "77" in said.err
