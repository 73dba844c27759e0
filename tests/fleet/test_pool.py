"""The pool of workers: who is kept for the next deed, and how many may be alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from fleet import stand_in
from fleet.stand_in import Instead

from kamp_lib.fleet import Outcome, Wanted, make_plan
from kamp_lib.fleet.display import watching
from kamp_lib.fleet.local import run_here
from kamp_lib.fleet.pool import Pool
from kamp_lib.hub import workers as hub_workers
from kamp_lib.hub.jobs import JobLimits
from kamp_lib.tenancy import Registry, Tenant, tenant_named

ALL = {"models": None, "dataset": None, "parameters": {}}


class Counted:
    """Workers that were started, and how many were alive at once."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.alive = self.most_alive = 0
        self.lock = threading.Lock()


@pytest.fixture
def three(registry: Registry) -> list[Tenant]:
    registry.add_sme("cord", "코드")
    return [tenant_named(slug) for slug in ("acme", "bolt", "cord")]


@pytest.fixture
def counted(workers: Instead, monkeypatch: pytest.MonkeyPatch) -> Counted:
    count, real = Counted(), hub_workers._started

    @contextmanager
    def started(tenant: Tenant, argv: list[str], limits: JobLimits) -> Iterator[object]:
        with real(tenant, argv, limits) as process:
            with count.lock:
                count.started.append(tenant.slug)
                count.alive += 1
                count.most_alive = max(count.most_alive, count.alive)
            try:
                yield process
            finally:
                with count.lock:
                    count.alive -= 1

    monkeypatch.setattr(hub_workers, "_started", started)
    return count


def ask(pool: Pool, tenant: Tenant) -> None:
    with pool.worker(tenant) as worker:
        worker.plan(dict(ALL))


def test_who_was_asked_for_a_plan_is_there_for_the_runs(
    three: list[Tenant], counted: Counted
) -> None:
    with Pool(2) as pool:
        for tenant in [*three, *three]:
            ask(pool, tenant)
    assert counted.started == [tenant.slug for tenant in three]
    assert counted.alive == 0


def test_no_more_are_alive_than_twice_those_at_work(
    three: list[Tenant], counted: Counted
) -> None:
    with Pool(1) as pool, ThreadPoolExecutor(1) as threads:
        for tenant in [*three, *three]:
            threads.submit(ask, pool, tenant).result()
    assert len(counted.started) == 6, "each has to make room for the next but one"
    assert counted.most_alive <= 2
    assert counted.alive == 0


def test_threads_that_start_workers_at_once_keep_to_the_number(
    three: list[Tenant], counted: Counted
) -> None:
    with Pool(2) as pool, ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda tenant: ask(pool, tenant), [*three, *three, *three]))
    assert counted.most_alive <= 4
    assert counted.alive == 0


def test_a_company_with_nothing_left_lets_its_worker_go(
    three: list[Tenant], registry: Registry, counted: Counted
) -> None:
    for tenant in three:
        stand_in.furnish(tenant)

    def ended(outcome: Outcome) -> None:
        assert outcome.status == "succeeded"

    with Pool(2) as pool:
        plan = make_plan(registry, Wanted(), pool)
        assert counted.alive == 3
        with watching(len(plan.orders)) as watch:
            run_here(plan.orders, registry, pool=pool, watch=watch, ended=ended)
        assert counted.alive == 2, "as many as may be at work wait for what comes"
    assert sorted(counted.started) == ["acme", "bolt", "cord"]
