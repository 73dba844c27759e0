"""A worker that stays: one company's runs, one after the other, inside its walls.

What a run costs beyond its own work is starting Python, importing the libraries and
starting a fork server for kernels. A worker pays that once. It is asked in lines of JSON
and answers as a job does (`inside`); what it says is believed after a check.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from typing import Any

from pydantic_core import to_json

from kamp_lib.errors import KampError
from kamp_lib.hub import jobs
from kamp_lib.hub.hearing import as_error, died, last_lines, messages, shown
from kamp_lib.hub.inside import SERVE, Failure, Found, Result, Step
from kamp_lib.hub.jobs import JobLimits
from kamp_lib.progress import Progress, silent
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant

# What a worker may take beyond a run's own time limit: to start, and to write the bundle.
GRACE_S = 120
MOST_FOUND = 10_000


class WorkerLost(KampError):
    """The worker ended, or was ended because it did not answer; nothing was written."""


class Worker:
    """One company's worker; made by `at_work`, used by one thread at a time."""

    def __init__(
        self, tenant: Tenant, process: subprocess.Popen[bytes], limits: JobLimits
    ) -> None:
        self.tenant = tenant
        self._process = process
        self._limits = limits
        self._complaints = last_lines(process.stderr)
        self._late = False

    @property
    def alive(self) -> bool:
        """Whether it can be asked for more."""
        return self._process.poll() is None

    def plan(self, request: dict[str, Any]) -> list[Found]:
        """What could be run: `kamp_lib.runs.pending.pending_runs` with this request."""
        found, _ = self._ask("plan", request, silent)
        return found

    def run(self, request: dict[str, Any], progress: Progress) -> Result:
        """Run a model unless the same run is there (`inside.run_once`).

        Raises
        ------
        WorkerLost
            When the worker did not live to answer; another may do better.
        KampError
            As `kamp_lib.runs.execute` does, with what was said inside.
        """
        _, result = self._ask("run_once", request, progress)
        return result

    def again(self, request: dict[str, Any], progress: Progress) -> Result:
        """Run a model even if the same run is there."""
        _, result = self._ask("run", request, progress)
        return result

    def interrupt(self) -> None:
        """As Ctrl-C does: it tidies up and ends."""
        self._process.send_signal(signal.SIGINT)

    def wait(self, timeout: float) -> bool:
        """Whether it has ended by then."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """Kill it, from whatever thread; whoever waits for its answer hears `WorkerLost`."""
        self._process.kill()

    def _ask(
        self, deed: str, request: dict[str, Any], progress: Progress
    ) -> tuple[list[Found], Result]:
        watchdog = threading.Timer(self._patience_s(), self._too_late)
        watchdog.daemon = True
        watchdog.start()
        try:
            assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
            self._process.stdin.write(to_json([deed, request]) + b"\n")
            self._process.stdin.flush()
            return self._answer(progress)
        except BrokenPipeError:
            raise self._lost() from None
        finally:
            watchdog.cancel()

    def _answer(self, progress: Progress) -> tuple[list[Found], Result]:
        found: list[Found] = []
        for message in messages(self._process.stdout):
            if isinstance(message, Result):
                return found, message
            if isinstance(message, Failure):
                raise as_error(message)
            if isinstance(message, Step):
                step = shown(message.step)
                progress(step, done=message.done, total=message.total)
            elif len(found) < MOST_FOUND:
                found.append(message)
        raise self._lost()

    def _patience_s(self) -> float:
        return (self._limits.run_s or settings().run_timeout) + GRACE_S

    def _too_late(self) -> None:
        self._late = True
        self.end()

    def _lost(self) -> WorkerLost:
        self._process.kill()
        status = self._process.wait()
        if self._late:
            return WorkerLost(
                "계산 프로세스가 제한 시간 안에 답하지 않아 멈췄습니다.",
                "the worker did not answer in time and was stopped.",
            )
        said = died(status, self._complaints)
        return WorkerLost(said.text.ko, said.text.en)


@contextmanager
def at_work(tenant: Tenant, limits: JobLimits | None = None) -> Iterator[Worker]:
    """A worker inside the company's walls; it is gone at the end of the block."""
    limits = limits or JobLimits()
    argv = [sys.executable, "-m", "kamp_lib.hub.inside", SERVE]
    with _started(tenant, argv, limits) as process:
        worker = Worker(tenant, process, limits)
        try:
            yield worker
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]


@cache
def _walls_stand() -> bool:
    return jobs.walls_needed()


def _started(
    tenant: Tenant, argv: Sequence[str], limits: JobLimits
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    start = _walled if _walls_stand() else _unwalled
    return start(tenant, argv, limits)


@contextmanager
def _walled(
    tenant: Tenant, argv: Sequence[str], limits: JobLimits
) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    inside = jobs.started(tenant, argv, into=pipe, out=pipe, err=pipe, limits=limits)
    with inside as (process, _):
        yield process


@contextmanager
def _unwalled(
    tenant: Tenant, argv: Sequence[str], limits: JobLimits
) -> Iterator[subprocess.Popen[bytes]]:
    """On a machine without walls: whoever starts several companies' runs has checked."""
    leash = shutil.which("setpriv")
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*((leash, "--pdeathsig", "KILL", "--") if leash else ()), *argv],
        env={
            **os.environ,
            **jobs.environment(limits),
            "KAMP_TENANT_HOME": str(tenant.home.absolute()),
        },
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
