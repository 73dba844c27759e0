"""Schedules: due once, made up for once, skipped without new data, never two at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from fleet.stand_in import MODEL, Instead, furnish, machines_done
from fleet.test_datamark import commit

from kamp_lib.fleet.datamark import data_mark
from kamp_lib.fleet.firing import fire, sweep
from kamp_lib.fleet.pool import Pool
from kamp_lib.fleet.scheduler import Scheduler
from kamp_lib.tenancy import Registry, Tenant, open_registry, tenant_named
from kamp_lib.tenancy.types import Schedule, When

NIGHTLY = When("nightly", 120)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def later(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> Iterator[Registry]:
    made = open_registry(now=clock)
    made.add_sme("acme", "에이스")
    furnish(tenant_named("acme"))
    yield made
    made.close()


@pytest.fixture
def nightly(registry: Registry) -> Schedule:
    return registry.add_schedule("acme", MODEL, NIGHTLY)


@pytest.fixture
def scheduler(registry: Registry) -> Iterator[Scheduler]:
    made = Scheduler(registry, at_once=2)
    yield made
    made.end()


def looked(scheduler: Scheduler) -> list[str]:
    """How those that were due ended."""
    started = scheduler.look()
    scheduler.wait()
    last = (scheduler.registry.firings(number, 1) for number in started)
    return [firings[0].status for firings in last if firings]


def test_nothing_is_due_before_its_time(
    workers: Instead, scheduler: Scheduler, nightly: Schedule
) -> None:
    assert looked(scheduler) == []


def test_each_time_is_dealt_with_once(
    workers: Instead,
    scheduler: Scheduler,
    nightly: Schedule,
    clock: Clock,
    acme: Tenant,
) -> None:
    clock.later(hours=10)
    assert looked(scheduler) == ["succeeded"]
    assert looked(scheduler) == []
    assert machines_done(acme) == ["m1"]


def test_what_was_missed_is_made_up_for_once(
    workers: Instead, scheduler: Scheduler, nightly: Schedule, clock: Clock
) -> None:
    clock.later(days=20)
    assert looked(scheduler) == ["succeeded"]
    assert looked(scheduler) == []
    clock.later(days=1)
    assert looked(scheduler) == ["skipped"]


def test_a_run_whose_data_did_not_change_is_skipped_and_says_so(
    workers: Instead, scheduler: Scheduler, nightly: Schedule, clock: Clock
) -> None:
    for _ in range(2):
        clock.later(days=1)
        looked(scheduler)
    skipped = scheduler.registry.firings(nightly.id)[0]
    assert skipped.status == "skipped"
    assert "데이터가 그대로" in skipped.said.ko


def test_a_failure_is_shown_and_tried_again_next_time(
    workers: Instead, scheduler: Scheduler, nightly: Schedule, clock: Clock
) -> None:
    workers(
        "say(failed={'ko': '열이 없습니다', 'en': 'no column'}, exit_status=1); continue"
    )
    clock.later(days=1)
    assert looked(scheduler) == ["failed"]
    assert scheduler.registry.firings(nightly.id)[0].said.ko == "열이 없습니다"
    assert looked(scheduler) == []
    workers()
    scheduler.pool.drop_idle(0)
    clock.later(days=1)
    assert looked(scheduler) == ["succeeded"]


def test_new_data_starts_a_run_and_the_same_data_none(
    workers: Instead, scheduler: Scheduler, registry: Registry, acme: Tenant
) -> None:
    commit(acme, "shots", 0)
    registry.add_schedule("acme", MODEL, When("new-data"), seen=data_mark(acme))
    assert looked(scheduler) == []
    commit(acme, "shots", 1)
    assert looked(scheduler) == ["succeeded"]
    assert looked(scheduler) == []


def test_a_suspended_companys_time_waits_until_it_is_resumed(
    workers: Instead, scheduler: Scheduler, nightly: Schedule, clock: Clock
) -> None:
    scheduler.registry.suspend("acme")
    clock.later(days=3)
    assert looked(scheduler) == []
    scheduler.registry.resume("acme")
    assert looked(scheduler) == ["succeeded"]


def test_two_schedulers_do_not_take_the_same_time(
    workers: Instead, registry: Registry, nightly: Schedule, clock: Clock, acme: Tenant
) -> None:
    workers("time.sleep(.3)")
    clock.later(days=1)
    due = clock()

    def once(_: int) -> object:
        with Pool(1) as pool:
            return fire(registry, nightly, due, pool)

    with ThreadPoolExecutor(2) as both:
        fired = list(both.map(once, range(2)))
    assert [f is None for f in fired].count(True) == 1
    assert machines_done(acme) == ["m1"]


def test_what_is_ended_in_the_middle_is_made_up_for(
    workers: Instead, registry: Registry, nightly: Schedule, clock: Clock, acme: Tenant
) -> None:
    workers("(runs.parent / 'data' / 'on').touch(); time.sleep(600)")
    clock.later(days=1)
    first = Scheduler(registry, at_once=1)
    first.look()
    while not (acme.data / "on").exists():
        threading.Event().wait(0.05)
    first.end()
    assert registry.firings(nightly.id)[0].status == "interrupted"
    workers()
    second = Scheduler(registry, at_once=1)
    assert looked(second) == ["succeeded"]
    second.end()


def test_what_a_kill_cut_off_is_noticed_and_made_up_for_once(
    workers: Instead, scheduler: Scheduler, nightly: Schedule, clock: Clock
) -> None:
    registry = scheduler.registry
    clock.later(days=1)
    due = clock()
    for _ in range(2):
        assert registry.begin_firing(nightly.id, due) is not None  # and then a kill
        assert sweep(registry) == 1
    assert registry.begin_firing(nightly.id, due) is None
    assert [f.status for f in registry.firings(nightly.id)] == ["interrupted"] * 2


def test_a_schedule_goes_with_its_company(
    workers: Instead, scheduler: Scheduler, nightly: Schedule
) -> None:
    scheduler.registry.remove_sme("acme")
    assert scheduler.registry.schedules() == []
    assert looked(scheduler) == []


def test_one_companys_broken_folder_holds_nobody_up(
    workers: Instead, scheduler: Scheduler, registry: Registry, clock: Clock
) -> None:
    registry.add_sme("bolt", "볼트")
    furnish(tenant_named("bolt"))
    registry.add_schedule("acme", MODEL, When("new-data"))
    registry.add_schedule("bolt", MODEL, NIGHTLY)
    (tenant_named("acme").home / "tenant.toml").write_text("x = [")
    clock.later(days=1)
    assert looked(scheduler) == ["succeeded"]
