"""`kamp up`: the checks of the doctor, then the hub, until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from kamp_lib import console
from kamp_lib.errors import KampError
from kamp_lib.hub.doctor import examine
from kamp_lib.hub.service import end_with_parent
from kamp_lib.settings import settings
from kamp_lib.tenancy import open_registry

ENDING_S = 60


def up(*, without_walls: bool = False) -> int:
    """Check the machine, start the hub and wait for its end; returns its exit status.

    Raises
    ------
    KampError
        When something that the hub cannot do without is missing.
    """
    open_registry().adopt()
    if without_walls:
        os.environ["KAMP_UNSAFE_NO_WALLS"] = "1"
    bad = [finding for finding in examine() if not finding.ok]
    for finding in bad:
        console.complain(f"{finding.text}\n  → {finding.mend}")
    if any(finding.needed for finding in bad):
        raise KampError(
            "허브를 시작할 수 없습니다. 위의 줄을 실행한 뒤 다시 하세요: kamp up",
            "the hub cannot start; run the lines above, then again: kamp up",
        )
    console.say(
        f"허브를 시작합니다: {settings().hub_url} (끝내려면 Ctrl-C)",
        f"starting the hub: {settings().hub_url} (Ctrl-C ends it)",
    )
    hub = start_hub()
    try:
        return hub.wait()
    except KeyboardInterrupt:
        console.say("허브를 끝내는 중입니다…", "ending the hub…")
        return 0
    finally:
        end(hub)


def start_hub(log: Path | None = None) -> subprocess.Popen[bytes]:
    """JupyterHub in a process and session of its own: Ctrl-C reaches it through us, once.

    It is asked to end when this process ends in whatever way.

    Raises
    ------
    KampError
        When a hub runs on this KAMP_HOME already.
    """
    folder = settings().hub_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "jupyterhub", "-f", str(default_config())]
    home = str(settings().home.absolute())
    with ExitStack() as stack:
        out = stack.enter_context(log.open("wb")) if log else None
        held = _the_only_one(folder)
        stack.callback(os.close, held)
        return subprocess.Popen(
            command,
            cwd=folder,
            stdout=out,
            stderr=out,
            start_new_session=True,
            pass_fds=(held,),  # the lock lives as long as the hub
            preexec_fn=_beginning,  # noqa: PLW1509 - one thread, one call
            env={**os.environ, "KAMP_HOME": home},
        )


def _the_only_one(folder: Path) -> int:
    """A lock on the hub's folder: two hubs would take each other's sockets."""
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise KampError(
            f"이 KAMP_HOME({folder.parent})에서 허브가 이미 돌고 있습니다. 그것을 먼저 끝내세요.",
            f"a hub runs on this KAMP_HOME ({folder.parent}) already; end that one first.",
        ) from None
    return held


def _beginning() -> None:
    """In the hub's process: it ends with us, and hears signals however we were started.

    A shell has what it starts with `&` ignore Ctrl-C. The hub would hand that on to its
    services, which it ends by just that signal, and wait for each of them.
    """
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def end(hub: subprocess.Popen[bytes]) -> None:
    """Ask the hub to end, with all its servers, and wait for it."""
    # a second Ctrl-C must not leave servers behind
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        hub.terminate()
        try:
            hub.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def default_config() -> Path:
    """`hub_config.py` beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parents[1]
    beside = here.parent / "hub_config.py"
    return beside if beside.is_file() else here / "_hub_config.py"
