"""`kamp up`: the checks of the doctor, then the hub, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from kamp_lib import console
from kamp_lib.errors import KampError
from kamp_lib.hub.doctor import examine
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
    """JupyterHub in a process and session of its own: Ctrl-C reaches it through us, once."""
    folder = settings().hub_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "jupyterhub", "-f", str(default_config())]
    home = str(settings().home.absolute())
    with ExitStack() as stack:
        out = stack.enter_context(log.open("wb")) if log else None
        return subprocess.Popen(
            command,
            cwd=folder,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, "KAMP_HOME": home},
        )


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
