"""A real Dask scheduler and workers on loopback, in processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

STARTING_S = 60
# A worker whose walled workers are stand-ins: set up before the first order comes.
PRELOAD = """
import sys
sys.path.insert(0, {tests!r})
import pytest
from fleet import stand_in
stand_in.instead_of_workers(pytest.MonkeyPatch())({behaviour!r}, {machines!r})
"""


@dataclass
class Cluster:
    """A scheduler's address and its workers' processes."""

    address: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(
    arguments: list[str], log: Path, inside: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the length of the block; its words go to `log`."""
    with log.open("wb") as out:
        running = subprocess.Popen(
            [*inside, sys.executable, "-m", *arguments],
            stdout=out,
            stderr=out,
            cwd=log.parent,
            env={**os.environ, "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "200ms"},
        )
        try:
            yield running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGKILL)
            running.wait()


def scheduler(folder: Path, port: int, host: str = "127.0.0.1") -> list[str]:
    return [
        *("distributed.cli.dask_scheduler", "--host", host, "--port", str(port)),
        *("--no-dashboard", "--no-jupyter"),
    ]


def worker(address: str, folder: Path, preload: Path | None, *more: str) -> list[str]:
    loaded = ("--preload", str(preload)) if preload else ()
    return [
        *("distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1"),
        *("--no-dashboard", "--local-directory", str(folder), *loaded, *more),
    ]


def preload(folder: Path, behaviour: str, machines: tuple[str, ...]) -> Path:
    """A file that makes a Dask worker's walled workers stand-ins."""
    file = folder / "preload.py"
    tests = str(Path(__file__).parents[1])
    file.write_text(PRELOAD.format(tests=tests, behaviour=behaviour, machines=machines))
    return file


def wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    ends = time.monotonic() + STARTING_S
    while True:
        try:
            with Client(address, timeout=5, set_as_default=False) as client:
                if count:
                    client.wait_for_workers(count, timeout=STARTING_S)
                return
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
