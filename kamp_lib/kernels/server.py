"""The fork server: imports once, then forks one kernel after the other.

`python -m kamp_lib.kernels.server FOLDER NAME LISTENER [options]`, started by `client`.
One thread, no data, no token.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
from pathlib import Path

from kamp_lib.kernels import child, environment, preload
from kamp_lib.kernels.loop import ForkServer, note
from kamp_lib.kernels.place import Place


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kamp_lib.kernels.server")
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("listener", type=int)
    parser.add_argument("--most", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=0)
    parser.add_argument("--idle", type=float, default=3600.0)
    parser.add_argument("--frozen", action="append", default=[])
    parser.add_argument("--import", action="append", default=[], dest="imports")
    parser.add_argument("--later", action="append", default=[])
    return parser


def main() -> None:
    """Import, serve, and in the children: be a kernel."""
    given = _parser().parse_args()
    if sys.path[0] == os.getcwd() and not sys.flags.safe_path:
        del sys.path[0]  # put there by `python -m`; a kernel has its own
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(fileno=given.listener)
    listener.set_inheritable(False)
    frozen = tuple(given.frozen)
    own = environment.frozen(os.environ, frozen)
    imported = preload.preload(given.imports)
    for name, why in imported.failed.items():
        note(f"left to the kernels: {name} ({why})")
    for complaint in preload.complaints():
        note(complaint)
    server = ForkServer(
        Place(given.folder, given.name),
        listener,
        imported,
        own,
        frozen=frozen,
        later=tuple(given.later),
        most=given.most,
        at_once=given.at_once or 2 * len(os.sched_getaffinity(0)),
        idle_s=given.idle,
    )
    gc.collect()
    gc.freeze()
    start = server.serve()
    if start is not None:
        del server, listener
        child.become_kernel(start, imported)


if __name__ == "__main__":
    main()
