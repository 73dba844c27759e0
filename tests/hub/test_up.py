"""`kamp up`: one hub on a KAMP_HOME, which leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub.live_hub import free_port

from kamp_lib.tenancy import open_registry


def kamp_up(home: Path, port: int, *, deaf: bool = False) -> subprocess.Popen[str]:
    """`kamp up`; deaf to Ctrl-C, as a shell starts a program in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "kamp_lib.cli", "up"],
        env={
            **os.environ,
            "KAMP_HOME": str(home),
            "KAMP_HUB_URL": f"http://kamp.localhost:{port}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_ignore_ctrl_c if deaf else None,  # noqa: PLW1509 - no threads here
    )


def _ignore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def ignores(pid: int, number: signal.Signals) -> bool:
    """Whether a process ignores a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(status.split("SigIgn:")[1].split()[0], 16)
    return bool(mask >> (number - 1) & 1)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert path.exists()


@pytest.mark.e2e
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, marks=pytest.mark.long),
        signal.SIGKILL,
    ],
)
def test_however_it_ends_the_hub_ends_too_and_a_second_is_refused_until_then(
    tmp_path: Path, end: signal.Signals
) -> None:
    home = tmp_path / "Kamp 홈"
    home.mkdir()
    open_registry(f"sqlite:///{home / 'platform.db'}", home=home).add_sme(
        "acme", "에이스"
    )
    first = kamp_up(home, free_port(), deaf=end == signal.SIGKILL)
    wait_for(home / "hub" / "api" / "hub.sock")
    hub = int((home / "hub" / "hub.pid").read_text())
    assert not ignores(hub, signal.SIGINT)
    second = kamp_up(home, free_port())
    assert second.wait(60) == 1
    assert second.stdout is not None
    assert "이미 돌고 있습니다" in second.stdout.read()
    first.send_signal(end)
    first.wait(60)
    assert gone(hub)
    third = kamp_up(home, free_port())
    time.sleep(2)
    assert third.poll() is None, "the lock is free again"
    third.terminate()
    third.wait(60)
    assert all_gone(home)


def all_gone(home: Path) -> bool:
    """Whether proxy and services of a hub that was ended while it started end, too."""
    deadline = time.monotonic() + 30
    while left(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def left(home: Path) -> list[int]:
    """Processes that were started for this KAMP_HOME."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"KAMP_HOME={home}".encode() in environment:
            found.append(int(process.name))
    return found


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
