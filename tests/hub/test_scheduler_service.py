"""The scheduler as the hub runs it: apart from workspaces, back after a kill."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hub.live_hub import LiveHub
from sqlalchemy import update

from kamp_lib.tenancy import Registry, open_registry
from kamp_lib.tenancy.database import writing
from kamp_lib.tenancy.tables import ScheduleRow
from kamp_lib.tenancy.types import When

pytestmark = [pytest.mark.e2e, pytest.mark.long]
PATIENCE_S = 120


def scheduler_of(hub: LiveHub) -> int | None:
    """The process of this hub's scheduler."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        ours = f"KAMP_HOME={hub.home}\0".encode() in environment
        if b"kamp_lib.fleet.scheduler" in command and ours:
            return int(folder.name)
    return None


def make_due(registry: Registry, number: int) -> None:
    """As if the hub had been down for two days."""
    with writing(registry.engine) as session:
        before = registry.now() - timedelta(days=2)
        session.execute(update(ScheduleRow).values(handled=before))
    assert registry.schedule(number).handled < registry.now()


def wait_for_firings(registry: Registry, number: int, count: int) -> list[str]:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        firings = registry.firings(number)
        if len(firings) >= count and firings[0].status != "running":
            return [firing.status for firing in firings]
        time.sleep(0.5)
    raise AssertionError(f"no {count} firings in {PATIENCE_S} s")


def test_the_hub_runs_what_is_due_and_the_scheduler_comes_back(hub: LiveHub) -> None:
    registry = open_registry(f"sqlite:///{hub.home / 'platform.db'}", home=hub.home)
    made = registry.add_schedule("acme", "injection-quality", When("nightly", 0))
    make_due(registry, made.id)
    # there is no data: it fails, is shown, and waits for its next time
    assert wait_for_firings(registry, made.id, 1) == ["failed"]
    first = scheduler_of(hub)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    make_due(registry, made.id)
    assert wait_for_firings(registry, made.id, 2) == ["failed", "failed"]
    assert scheduler_of(hub) not in (None, first)
    registry.remove_schedule(made.id)
    registry.close()
