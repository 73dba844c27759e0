"""What the machine can do, and what is refused when it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub.walls.walled import Grounds, as_somebody_else, make_grounds

from kamp_lib.errors import KampError
from kamp_lib.hub import bubblewrap, cgroups, seccomp, walls


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without bubblewrap."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)


def test_a_machine_without_bubblewrap_is_told_how_to_get_it(bare: None) -> None:
    found = walls.inspect_walls()
    assert not found.bwrap
    assert not found.stand
    assert "sudo apt install bubblewrap" in [p.mend for p in found.problems]


def test_several_companies_are_refused_without_walls(bare: None) -> None:
    with pytest.raises(KampError, match="apt install bubblewrap"):
        walls.require_walls(["acme", "bolt"], allowed_without=False)


def test_one_company_may_be_served_without_walls(bare: None) -> None:
    assert not walls.require_walls(["acme"], allowed_without=False).stand


def test_somebody_may_ask_for_no_walls(bare: None) -> None:
    assert not walls.require_walls(["acme", "bolt"], allowed_without=True).stand


def test_a_bubblewrap_that_is_not_allowed_to_work_is_no_wall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = subprocess.CompletedProcess([], 1, b"", b"bwrap: No permissions")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)
    found = walls.inspect_walls()
    assert not found.stand
    assert any("No permissions" in problem.text.en for problem in found.problems)


def test_without_the_filter_there_are_no_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "available", lambda: False)
    found = walls.inspect_walls()
    assert not found.stand
    assert any("libseccomp2" in problem.mend for problem in found.problems)


@pytest.mark.usefixtures("_walls")
def test_without_control_groups_the_walls_stand_and_the_lack_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cgroups, "find", lambda: None)
    found = walls.inspect_walls()
    assert found.stand
    assert found.cgroups is None
    assert any("control groups" in problem.text.en for problem in found.problems)


def test_an_ordinary_users_hub_says_that_files_have_one_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    texts = [problem.text.en for problem in walls.inspect_walls().problems]
    assert any("one owner" in text for text in texts)


def test_a_company_without_a_user_id_is_not_started_by_root(
    open_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    grounds: Grounds = make_grounds(open_home, as_root=True)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(KampError, match="uid"):
        bubblewrap.command_line(replace(grounds.profile(), uid=None), open_home)


@pytest.mark.usefixtures("_walls")
def test_the_walls_are_found_by_an_ordinary_user_too() -> None:
    code = (
        "from kamp_lib.hub.walls import inspect_walls; found = inspect_walls()\n"
        "print(found.stand, [p.text.en for p in found.problems if p.needed])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        as_somebody_else(command) if os.geteuid() == 0 else command,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "True []\n", done.stderr
