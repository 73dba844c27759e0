"""Starts a service of the hub, which ends with it: `python -m kamp_lib.hub.service MODULE`.

A hub that is killed, or told to end while it is still starting, ends none of its services
itself; one that stays would go on answering beside those of the next hub.
"""

from __future__ import annotations

import ctypes
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1


def service_command(module: str) -> list[str]:
    """How the hub starts a service: a module to run."""
    return [sys.executable, "-m", "kamp_lib.hub.service", module]


def end_with_parent() -> None:
    """Have this process told to end when the one that started it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    end_with_parent()
    runpy.run_module(sys.argv[1], run_name="__main__")
