"""A server that fills the disk is stopped before the platform is full."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hub.walls.test_walls_lifecycle import eventually
from hub.walls.walled import Grounds

from kamp_lib.hub.disk import GB, Watcher, folders_of, measure
from kamp_lib.tenancy import Registry, open_registry

MB = 2**20
FILL = """
import itertools
for number in itertools.count():
    with open(f"/workspace/{place}/{number}", "wb") as file:
        file.write(os.urandom(4096) * 256)
    if number == 40:
        print("much", flush=True)
    if number > 4000:
        break
"""


@dataclass
class Hub:
    """The hub, as far as it stops servers."""

    servers: dict[tuple[str, str], subprocess.Popen[bytes]]

    def running(self) -> list[tuple[str, str]]:
        return [key for key, process in self.servers.items() if process.poll() is None]

    def stop(self, company: str, server: str) -> None:
        process = self.servers.pop((company, server))
        process.terminate()
        process.wait(10)


@pytest.fixture
def registry(grounds: Grounds) -> Registry:
    (grounds.home / "platform.db").unlink()  # no database, so far
    registry = open_registry()
    registry.adopt()
    return registry


@pytest.fixture(params=["data", "workspace", "runs"])
def filling(
    grounds: Grounds, request: pytest.FixtureRequest
) -> Iterator[subprocess.Popen[bytes]]:
    """A server of acme that writes until somebody stops it."""
    source = FILL.replace("{place}", request.param)
    process = grounds.start(grounds.profile(source=source), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def quiet(grounds: Grounds) -> Iterator[subprocess.Popen[bytes]]:
    source = "import time; print('up', flush=True); time.sleep(60)"
    process = grounds.start(
        grounds.profile(grounds.bolt, source=source), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def small_plan(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    smes = [
        replace(sme, plan=replace(sme.plan, disk_gb=30 * MB / GB))  # type: ignore[arg-type]
        for sme in registry.smes()
    ]
    monkeypatch.setattr(registry, "smes", lambda: smes)


def test_a_server_that_fills_the_disk_is_stopped_at_its_companys_limit(
    grounds: Grounds,
    registry: Registry,
    filling: subprocess.Popen[bytes],
    quiet: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_plan(registry, monkeypatch)
    hub: Any = Hub({("acme", "ann"): filling, ("bolt", "ann"): quiet})
    Watcher(grounds.home, hub, registry).measure_all()
    assert filling.poll() is not None
    assert quiet.poll() is None
    assert grows(grounds) == 0


@pytest.mark.parametrize("filling", ["data"], indirect=True)
def test_without_the_watcher_it_writes_on(
    grounds: Grounds, filling: subprocess.Popen[bytes]
) -> None:
    eventually(lambda: grows(grounds) > 0)
    assert filling.poll() is None


@pytest.mark.parametrize("filling", ["data"], indirect=True)
def test_at_the_reserve_the_one_who_writes_is_stopped(
    grounds: Grounds,
    registry: Registry,
    filling: subprocess.Popen[bytes],
    quiet: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub: Any = Hub({("acme", "ann"): filling, ("bolt", "ann"): quiet})
    watcher = Watcher(grounds.home, hub, registry)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=MB))
    assert watcher.guard_reserve() == "acme"
    assert quiet.poll() is None
    assert grows(grounds) == 0


def grows(grounds: Grounds) -> int:
    """Bytes that acme writes in a moment."""
    before, after = (measure(folders_of(grounds.home, "acme")) for _ in range(2))
    assert before is not None
    assert after is not None
    return after.used - before.used
