"""A real worker inside real walls: asked more than once, it answers more than once."""

from __future__ import annotations

from pathlib import Path

import pytest
from fleet.stand_in import MODEL, Instead

from kamp_lib.datasets import ingest
from kamp_lib.errors import KampError
from kamp_lib.hub.workers import WorkerLost, at_work
from kamp_lib.progress import silent
from kamp_lib.tenancy import Tenant
from kamp_lib.testbed import simulate

ALL = {"models": None, "dataset": None, "parameters": {}}


@pytest.mark.e2e
def test_a_worker_plans_refuses_and_lives_on(acme: Tenant, tmp_path: Path) -> None:
    raw = simulate(MODEL, tmp_path / "raw", seed=1, size=100)
    ingest(acme, "injection-moulding", raw.files, dataset="m1")
    with at_work(acme) as worker:
        found = worker.plan(dict(ALL))
        assert [(f.model, f.dataset, f.version) for f in found] == [(MODEL, "m1", 1)]
        wrong = {"model": MODEL, "dataset": "nothing", "parameters": {}}
        with pytest.raises(KampError, match="데이터셋"):
            worker.run(wrong, silent)
        assert worker.alive
        assert worker.plan(dict(ALL)) == found


def test_a_worker_that_has_ended_is_lost_for_whoever_asks(
    acme: Tenant, workers: Instead
) -> None:
    with at_work(acme) as worker:
        worker.end()
        assert worker.wait(10)
        with pytest.raises(WorkerLost):
            worker.plan(dict(ALL))


def test_a_worker_that_speaks_without_end_is_ended(
    acme: Tenant, workers: Instead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.hub.workers.GRACE_S", -1799.0)
    workers("while True: say(step={'ko': 'x', 'en': 'x'})")
    heard = []
    with at_work(acme) as worker, pytest.raises(WorkerLost, match="제한 시간"):
        worker.run(
            {"model": MODEL, "dataset": "m1", "parameters": {}},
            lambda step, **_: heard.append(1),
        )
    assert heard
