"""Schedules in the registry, on both databases: taken once, made up for, gone with the company."""

from __future__ import annotations

import pytest
from tenancy.desk import Clock

from kamp_lib.errors import KampError
from kamp_lib.tenancy import Registry
from kamp_lib.tenancy.types import Schedule, When
from kamp_lib.text import Text

WEEKLY = When("weekly", 360, 4)
SAID = Text("됨", "done")


@pytest.fixture
def weekly(registry: Registry) -> Schedule:
    registry.add_sme("acme", "에이스")
    return registry.add_schedule(
        *("acme", "injection-quality", WEEKLY), dataset="m1", parameters={"cost": 5}
    )


def test_a_schedule_comes_back_as_it_was_written(
    registry: Registry, weekly: Schedule, clock: Clock
) -> None:
    assert registry.schedules("acme") == [weekly]
    assert registry.schedule(weekly.id) == weekly
    assert (weekly.when, weekly.dataset) == (WEEKLY, "m1")
    assert weekly.parameters == {"cost": 5}
    assert (weekly.created, weekly.handled) == (clock(), clock())


def test_a_schedule_wants_a_company(registry: Registry) -> None:
    with pytest.raises(KampError):
        registry.add_schedule("nobody", "injection-quality", WEEKLY)


def test_a_time_is_taken_once(
    registry: Registry, weekly: Schedule, clock: Clock
) -> None:
    clock.later(days=7)
    due = clock()
    firing = registry.begin_firing(weekly.id, due)
    assert firing is not None
    assert registry.begin_firing(weekly.id, due) is None  # at work
    registry.end_firing(firing.id, "succeeded", SAID, ["r1"])
    assert registry.begin_firing(weekly.id, due) is None  # dealt with
    ended = registry.firings(weekly.id)[0]
    assert (ended.status, ended.runs, ended.said) == ("succeeded", ("r1",), SAID)


def test_a_person_may_run_it_beside_its_times(
    registry: Registry, weekly: Schedule, clock: Clock
) -> None:
    firing = registry.begin_firing(weekly.id, clock(), extra=True)
    assert firing is not None
    assert registry.schedule(weekly.id).handled == weekly.handled
    assert registry.begin_firing(weekly.id, clock(), extra=True) is None


def test_the_same_data_are_dealt_with_once(registry: Registry, clock: Clock) -> None:
    registry.add_sme("acme", "에이스")
    made = registry.add_schedule("acme", "m", When("new-data"), seen="v1")
    assert registry.begin_firing(made.id, clock(), seen="v1") is None
    assert registry.begin_firing(made.id, clock(), seen="v2") is not None
    assert registry.schedule(made.id).seen == "v2"


def test_an_interrupted_time_comes_again_once(
    registry: Registry, weekly: Schedule, clock: Clock
) -> None:
    clock.later(days=7)
    due = clock()
    for _ in range(2):
        firing = registry.begin_firing(weekly.id, due)
        assert firing is not None
        registry.end_firing(firing.id, "interrupted", SAID, [])
    assert registry.begin_firing(weekly.id, due) is None


def test_a_schedule_and_its_history_go_together(
    registry: Registry, weekly: Schedule, clock: Clock
) -> None:
    clock.later(days=7)
    firing = registry.begin_firing(weekly.id, clock())
    registry.remove_schedule(weekly.id)
    assert (registry.schedules(), registry.firings()) == ([], [])
    assert firing is not None
    registry.end_firing(firing.id, "succeeded", SAID, [])  # nobody minds
    with pytest.raises(KampError):
        registry.schedule(weekly.id)


def test_a_removed_company_takes_its_schedules_along(
    registry: Registry, weekly: Schedule, clock: Clock
) -> None:
    clock.later(days=7)
    registry.begin_firing(weekly.id, clock())
    registry.remove_sme("acme")
    assert (registry.schedules(), registry.firings()) == ([], [])


def test_the_audit_says_who_scheduled_what(
    registry: Registry, weekly: Schedule
) -> None:
    registry.remove_schedule(weekly.id)
    deeds = [entry.action for entry in registry.audit_entries("acme")]
    assert deeds[:2] == ["schedule.remove", "schedule.add"]
