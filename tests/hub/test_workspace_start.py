"""How the hub starts a workspace so that nobody waits for what could have been done before."""

from __future__ import annotations

import compileall
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kamp_lib
from kamp_lib.hub import spawner
from kamp_lib.hub.spawner import KampSpawner


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The folders that are compiled meanwhile."""
    folders: list[Path] = []

    def note(folder: Path, **_: Any) -> bool:
        folders.append(folder)
        return True

    monkeypatch.setattr(compileall, "compile_dir", note)
    spawner._compiled.cache_clear()
    yield folders
    spawner._compiled.cache_clear()


def test_our_own_modules_are_compiled_once_per_hub(compiled: list[Path]) -> None:
    spawner._compiled()
    spawner._compiled()
    assert compiled == [Path(kamp_lib.__file__).parent]


def test_a_workspace_is_started_lean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawner, "walls_stand", lambda: True)
    command = KampSpawner()._command()
    assert command[1:3] == ["-m", "kamp_lib.workspace.server"]
    assert f"--ServerApp.sock={spawner.SERVER_SOCKET}" in command
