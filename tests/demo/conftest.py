"""The demo on small data, built once for all tests that look at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

Kamp = Callable[..., subprocess.CompletedProcess[str]]


def run_kamp(
    *arguments: str, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kamp_lib.cli", *arguments],
        env={**os.environ, "KAMP_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def kamp() -> Kamp:
    """The command, in a process of its own."""
    return run_kamp


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A demo that nobody changes: to look at, or to copy."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    home = shared / "demo-home"
    with FileLock(f"{home}.lock"):  # the first worker builds, the others wait
        if not (home / "demo.json").is_file():
            made = run_kamp(
                *("demo", "--home", str(home), "--size", "fast", "--no-serve"),
                home=home,
            )
            assert made.returncode == 0, made.stderr[-3000:]
            assert "처음부터 끝까지 작동합니다" in made.stdout
            # now, since files of its databases come and go as soon as somebody looks at it
            left_out = shutil.ignore_patterns("*.sock", "run")
            shutil.copytree(home, _to_change(home), ignore=left_out)
    return home


@pytest.fixture(scope="session")
def demo_to_change(built_demo: Path) -> Path:
    """A copy of it, for the one file of tests whose people change things."""
    return _to_change(built_demo)


def _to_change(home: Path) -> Path:
    return home.with_name("demo-to-change")
