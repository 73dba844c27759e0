"""The control groups' adapter against trees of files, v1 and v2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kamp_lib.hub import cgroups
from kamp_lib.hub.profile import Kind, Limits, Profile

SERVER = Limits(1024, 1.5, 100)
WALLED = Profile(
    *("acme", Kind.WORKSPACE, "ann", (), {}, ()), SERVER, SERVER.times(4), 1
)


def unified(tmp_path: Path, own: str = "/kamp.service") -> tuple[Path, Path, Path]:
    """A v2 mount whose group `own` was delegated, as systemd does."""
    mount = tmp_path / "cgroup"
    for folder in (mount, mount / own.lstrip("/")):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.controllers").write_text("cpu io memory pids\n")
        (folder / "cgroup.subtree_control").write_text("")
        (folder / "cgroup.procs").write_text("")
    os.setxattr(mount / own.lstrip("/"), "user.delegate", b"1")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"cgroup2 {mount} cgroup2 rw,nosuid 0 0\n")
    memberships = tmp_path / "self"
    memberships.write_text(f"0::{own}\n")
    return mount / own.lstrip("/"), mounts, memberships


@pytest.fixture
def v2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, mounts, own = unified(tmp_path)
    find = cgroups.find
    monkeypatch.setattr(cgroups, "find", lambda: find(mounts, own))
    return folder


def test_a_delegated_group_of_v2_is_found(tmp_path: Path) -> None:
    folder, mounts, own = unified(tmp_path)
    found = cgroups.find(mounts, own)
    assert found is not None
    assert (found.version, set(found.roots.values())) == ("v2", {folder})


def test_without_delegation_an_ordinary_user_has_no_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, mounts, own = unified(tmp_path)
    os.removexattr(folder, "user.delegate")
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert cgroups.find(mounts, own) is None


def test_controllers_that_are_missing_make_no_groups(tmp_path: Path) -> None:
    folder, mounts, own = unified(tmp_path)
    for where in (folder, folder.parent):
        (where / "cgroup.controllers").write_text("hugetlb\n")
    assert cgroups.find(mounts, own) is None


def test_v2_limits_are_written_for_server_company_and_platform(v2: Path) -> None:
    (members,) = cgroups.enter(WALLED)
    server, company, top = members.parent, members.parents[1], members.parents[2]
    assert top.parent == v2
    assert (server.name, company.name) == ("ann", "acme")
    assert (server / "memory.max").read_text() == str(1024 * 2**20)
    assert (server / "cpu.max").read_text() == "150000 100000"
    assert (server / "pids.max").read_text() == "100"
    assert (company / "pids.max").read_text() == "400"
    assert int((top / "memory.max").read_text()) > 0
    for folder in (v2, top, company):
        enabled = (folder / "cgroup.subtree_control").read_text()
        assert enabled == "+memory +cpu +pids"


def test_the_platform_steps_aside_into_a_leaf_of_its_own(v2: Path) -> None:
    (v2 / "cgroup.procs").write_text("4711\n")
    cgroups.enter(WALLED)
    assert (v2 / "kamp-platform" / "cgroup.procs").read_text() == "4711"


def test_v1_needs_all_three_controllers(tmp_path: Path) -> None:
    mounts, own = tmp_path / "mounts", tmp_path / "own"
    lines, members = [], []
    for name in cgroups.CONTROLLERS:
        (tmp_path / name / "here").mkdir(parents=True)
        lines.append(f"cgroup {tmp_path / name} cgroup rw,{name} 0 0")
        members.append(f"1:{name}:/here")
    mounts.write_text("\n".join(lines))
    own.write_text("\n".join(members))
    found = cgroups.find(mounts, own)
    assert found is not None
    assert found.roots["cpu"] == tmp_path / "cpu" / "here"
    mounts.write_text("\n".join(lines[:2]))
    assert cgroups.find(mounts, own) is None


def test_limits_never_exceed_what_is_around_them() -> None:
    assert Limits(500, 4, 10).within(Limits(400, 2, 20)) == Limits(400, 2, 10)
