"""A kernel that a fork server started, with the manners of `subprocess.Popen`."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import threading
import time
from typing import Any

from kamp_lib.kernels import wire

# When the fork server is gone, nobody can say how the kernel ended.
UNKNOWN = 255
# From a process's end to its server's word about it.
REPORT_S = 2.0


class ForkedKernel:
    """A process that is not our child: watched by its handle, its end told by its server.

    Parameters
    ----------
    pid
        The process; it leads a session of its own.
    handle
        Its pidfd, which no later process can inherit by mistake.
    connection
        To the fork server, which says how the process ended.
    """

    stdin = stdout = stderr = None

    def __init__(
        self, args: list[str], pid: int, handle: int, connection: socket.socket
    ) -> None:
        self.args = args
        self.pid = pid
        self.returncode: int | None = None
        self._handle = handle
        self._connection = connection
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit status, as `Popen` gives it; None while the kernel runs."""
        with self._lock:
            if self.returncode is None and _readable(self._handle, 0):
                self.returncode = self._told()
                self._close()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises
        ------
        subprocess.TimeoutExpired
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            _readable(self._handle, left)
        assert self.returncode is not None  # noqa: S101 - poll() said so
        return self.returncode

    async def ended(self, within_s: float) -> bool:
        """Whether the kernel ends in time; other work goes on meanwhile."""
        if self.poll() is not None:
            return True
        loop = asyncio.get_running_loop()
        end: asyncio.Future[None] = loop.create_future()
        # a handle of its own: this one is closed by whoever notices the end first
        handle = os.dup(self._handle)
        loop.add_reader(handle, _settle, end)
        try:
            await asyncio.wait([end], timeout=within_s)
        finally:
            loop.remove_reader(handle)
            os.close(handle)
        return end.done()

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _told(self) -> int:
        self._connection.settimeout(REPORT_S)
        try:
            while True:
                message, files = wire.receive(self._connection)
                wire.close(files)
                if message.get("state") == "exited":
                    return int(message["code"])
        except (wire.Closed, wire.Garbled, OSError):
            return UNKNOWN

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        self._connection.close()

    def __del__(self, _close: Any = os.close) -> None:
        if self._handle >= 0:
            _close(self._handle)
            self._handle = -1


def _readable(handle: int, timeout_s: float | None) -> bool:
    """Whether the process has ended, waiting for it at most so long."""
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return bool(poller.poll(None if timeout_s is None else timeout_s * 1000))


def _settle(end: asyncio.Future[None]) -> None:
    if not end.done():
        end.set_result(None)
