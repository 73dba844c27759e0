"""The disk watcher on real folders, a real registry and a hub that is told what to stop."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from kamp_lib.hub import disk
from kamp_lib.hub.disk import GB, Usage, Watcher, folders_of, measure, usages
from kamp_lib.settings import settings
from kamp_lib.tenancy import Registry, open_registry

MB = 2**20


@dataclass
class Hub:
    """What the watcher asks of the hub."""

    servers: list[tuple[str, str]] = field(default_factory=list)

    def running(self) -> list[tuple[str, str]]:
        return list(self.servers)

    def stop(self, company: str, server: str) -> None:
        self.servers.remove((company, server))


@pytest.fixture
def registry() -> Registry:
    registry = open_registry()
    registry.add_sme("acme", "에이크미", plan="small")
    registry.add_sme("bolt", "볼트", plan="small")
    return registry


@pytest.fixture
def home() -> Path:
    home = settings().home
    (home / "hub").mkdir(parents=True, exist_ok=True)
    return home


@pytest.fixture
def hub() -> Hub:
    return Hub([("acme", "ann"), ("acme", "report"), ("bolt", "ben")])


@pytest.fixture
def watcher(registry: Registry, home: Path, hub: Hub) -> Watcher:
    return Watcher(home, hub, registry)  # type: ignore[arg-type]


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What each company holds, in GB: nobody wants to write 20 GB in a test."""
    amounts = {"acme": 1.0, "bolt": 1.0}

    def measured(folders: list[Path]) -> disk.Measured:
        return disk.Measured(int(amounts[folders[0].parent.name] * GB))

    monkeypatch.setattr(disk, "measure", measured)
    return amounts


def _system(**files: int) -> SimpleNamespace:
    """A file system with plenty of space."""
    return SimpleNamespace(
        f_frsize=4096, f_blocks=2**40, f_bfree=2**40, f_bavail=2**40, **files
    )


def fill(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))


def used(home: Path, slug: str = "acme") -> int:
    found = measure(folders_of(home, slug))
    assert found is not None
    return found.used


def test_what_a_company_wrote_is_counted_wherever_it_can_write(
    home: Path, registry: Registry
) -> None:
    before = used(home)
    for folder in folders_of(home, "acme"):
        fill(folder / "file", MB)
    assert used(home) - before >= 5 * MB


def test_a_link_to_another_company_counts_for_nobody_else(
    home: Path, registry: Registry
) -> None:
    before = used(home)
    fill(home / "tenants" / "bolt" / "data" / "large", 4 * MB)
    (home / "tenants" / "acme" / "data" / "link").symlink_to(home / "tenants" / "bolt")
    assert used(home) - before < MB


def test_a_file_with_two_names_counts_once(home: Path, registry: Registry) -> None:
    before = used(home)
    data = home / "tenants" / "acme" / "data"
    fill(data / "one", 2 * MB)
    os.link(data / "one", data / "two")
    assert used(home) - before < 3 * MB


def test_a_hole_in_a_file_counts_for_nothing(home: Path, registry: Registry) -> None:
    before = used(home)
    with (home / "tenants" / "acme" / "data" / "sparse").open("wb") as file:
        file.truncate(10 * GB)
    assert used(home) - before < MB


def test_folders_deeper_than_any_path_are_measured(
    home: Path, registry: Registry
) -> None:
    before = used(home)
    here = os.open(home / "tenants" / "acme" / "data", os.O_RDONLY)
    for _ in range(600):  # 600 names of 8 letters are longer than any path
        os.mkdir("deeperr", dir_fd=here)
        below = os.open("deeperr", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    deep = os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(deep, os.urandom(3 * MB))
    os.close(deep)
    os.close(here)
    assert used(home) - before >= 3 * MB


def test_below_the_limit_nobody_is_stopped(
    watcher: Watcher, hub: Hub, holds: dict[str, float]
) -> None:
    watcher.measure_all()
    assert len(hub.servers) == 3


def test_a_company_above_its_plan_is_stopped_and_the_others_are_not(
    watcher: Watcher, hub: Hub, holds: dict[str, float], registry: Registry
) -> None:
    holds["acme"] = 20.5  # the plan has 20
    watcher.measure_all()
    assert hub.servers == [("bolt", "ben")]
    (entry,) = [e for e in registry.audit_entries("acme") if e.action == "disk-limit"]
    assert entry.actor == "disk"
    assert entry.detail["servers"] == ["ann", "report"]


def test_a_company_is_warned_once_at_ninety_percent(
    watcher: Watcher, hub: Hub, holds: dict[str, float], registry: Registry
) -> None:
    holds["acme"] = 18.5
    watcher.measure_all()
    watcher.measure_all()
    warnings = [e for e in registry.audit_entries("acme") if e.action == "disk-warning"]
    assert len(warnings) == 1
    assert len(hub.servers) == 3


def test_a_warning_comes_again_after_things_were_better(
    watcher: Watcher, holds: dict[str, float], registry: Registry
) -> None:
    for amount in (18.5, 10, 18.5):
        holds["acme"] = amount
        watcher.measure_all()
    warnings = [e for e in registry.audit_entries("acme") if e.action == "disk-warning"]
    assert len(warnings) == 2


def test_who_is_over_the_limit_may_come_back_to_clean_up(
    watcher: Watcher, hub: Hub, holds: dict[str, float]
) -> None:
    holds["acme"] = 22
    watcher.measure_all()
    hub.servers.append(("acme", "ann"))
    for amount in (22.1, 21, 20.5):  # a notebook was saved, then much was deleted
        holds["acme"] = amount
        watcher.measure_all()
        assert ("acme", "ann") in hub.servers


def test_who_writes_on_instead_of_cleaning_up_is_stopped_again(
    watcher: Watcher, hub: Hub, holds: dict[str, float]
) -> None:
    holds["acme"] = 22
    watcher.measure_all()
    for _ in range(3):  # nothing is gained by trying again
        hub.servers.append(("acme", "ann"))
        holds["acme"] += 0.5
        watcher.measure_all()
        assert ("acme", "ann") not in hub.servers


def test_what_was_deleted_may_not_be_written_again_while_over_the_limit(
    watcher: Watcher, hub: Hub, holds: dict[str, float]
) -> None:
    for amount in (25, 21, 24):
        holds["acme"] = amount
        hub.servers.append(("acme", "ann"))
        watcher.measure_all()
    assert ("acme", "ann") not in hub.servers


def test_a_restart_of_the_watcher_forgets_nothing(
    watcher: Watcher, hub: Hub, holds: dict[str, float], home: Path, registry: Registry
) -> None:
    holds["acme"] = 22
    watcher.measure_all()
    assert usages(home)["acme"].full
    hub.servers.append(("acme", "ann"))
    Watcher(home, hub, registry).measure_all()  # type: ignore[arg-type]
    assert ("acme", "ann") in hub.servers


def test_the_reserve_stops_who_wrote_most_lately(
    watcher: Watcher,
    hub: Hub,
    holds: dict[str, float],
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holds["acme"] = 15  # holds most, and has for long
    watcher.measure_all()
    watcher.measure_all()
    holds["bolt"] = 9
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: SimpleNamespace(free=1 * GB, total=100 * GB)
    )
    assert watcher.guard_reserve() == "bolt"
    assert hub.servers == [("acme", "ann"), ("acme", "report")]
    assert any(e.action == "disk-reserve" for e in registry.audit_entries("bolt"))


def test_the_reserve_stops_one_after_the_other_until_nobody_writes(
    watcher: Watcher,
    hub: Hub,
    holds: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: SimpleNamespace(free=0, total=100 * GB)
    )
    stopped = {watcher.guard_reserve(), watcher.guard_reserve()}
    assert stopped == {"acme", "bolt"}
    assert watcher.guard_reserve() is None


def test_who_uses_up_the_file_systems_files_is_stopped(
    watcher: Watcher, hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = home / "tenants" / "bolt" / "runs" / "many"
    many.mkdir()
    for number in range(300):  # empty files take no space
        (many / str(number)).touch()
    monkeypatch.setattr(
        os, "statvfs", lambda _: _system(f_files=100_000, f_favail=1_000)
    )
    assert watcher.guard_reserve() == "bolt"
    assert ("bolt", "ben") not in hub.servers


def test_a_file_system_that_does_not_count_files_stops_nobody(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: _system(f_files=0, f_favail=0))
    assert watcher.guard_reserve() is None


def test_with_enough_free_space_the_reserve_stops_nobody(
    watcher: Watcher, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_DISK_RESERVE_GB", "0")
    assert watcher.guard_reserve() is None
    assert len(hub.servers) == 3


def test_folders_that_were_closed_are_opened_and_counted(
    watcher: Watcher,
    hub: Hub,
    home: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = home / "tenants" / "acme" / "data" / "closed"
    fill(closed / "file", MB)
    closed.chmod(0)
    real = disk.measure

    def as_an_ordinary_user(folders: list[Path]) -> disk.Measured | None:
        found = real(folders)
        shut = closed.stat().st_mode & 0o700 == 0 and folders[0].parent.name == "acme"
        # root looks into everything, an ordinary owner does not
        return disk.Measured(0, hidden=True) if shut else found

    monkeypatch.setattr(disk, "measure", as_an_ordinary_user)
    watcher.measure_all()
    assert ("acme", "ann") not in hub.servers
    watcher.measure_all()
    assert usages(home)["acme"].used >= MB


def test_a_company_that_was_removed_is_forgotten(
    watcher: Watcher, holds: dict[str, float], registry: Registry, home: Path
) -> None:
    watcher.measure_all()
    registry.remove_sme("bolt")
    watcher.measure_all()
    assert set(usages(home)) == {"acme"}


def test_a_damaged_state_file_is_measured_anew(home: Path) -> None:
    (home / "hub" / disk.STATE).write_text('{"acme": 5}')
    assert usages(home) == {}


def test_percent_of_the_plan_is_what_people_are_shown() -> None:
    assert Usage(45 * GB, 50 * GB, 50 * GB).percent == 90
