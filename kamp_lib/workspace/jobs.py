"""Long work of the start page: each job is a process, and none is lost with the page.

The server's own loop only reads what the processes say. A job belongs to this server, not
to a browser: the list of jobs is the same after a reload. When the server goes, so do
they, because each listens to the server's end of its pipe.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from kamp_lib.errors import KampError
from kamp_lib.text import Text

State = Literal["waiting", "running", "done", "failed", "stopped"]
WORK = (sys.executable, "-m", "kamp_lib.workspace.work")
ENDED = ("done", "failed", "stopped")
MOST_RUNNING = 2  # at once; each computes on all the processors it may use
MOST_WAITING = 6
MOST_KEPT = 20  # ended jobs that are remembered
MOST_LISTED = 5  # of them that the list still shows
LONGEST_LINE = 64 << 20  # the result of a file with thousands of columns
GLANCE_S = 0.2  # how often a job's process is looked at
PATIENCE_S = 10.0  # between asking a job to stop and making it
SAID_KEPT = 4000  # characters of what a job wrote to stderr

WAITING = Text("차례를 기다리는 중", "waiting for its turn")
STARTING = Text("시작하는 중", "starting")
STOPPING = Text("중단하는 중", "stopping")
STOPPED = Text(
    "중단했습니다. 저장된 것은 바뀌지 않았습니다.",
    "stopped; what was stored has not changed.",
)
KILLED = Text(
    "작업이 강제로 꺼졌습니다. 메모리가 부족했을 수 있습니다. 저장된 것은 바뀌지 않았습니다."
    " 파일을 나누거나 다른 노트북을 닫고 다시 해 보세요.",
    "the job was killed; it may have run out of memory. What was stored has not changed."
    " Use a smaller file or close other notebooks, and try again.",
)


@dataclass
class Job:
    """One piece of work: what it is, how far it is, how it ended."""

    task: str
    title: Text
    subject: str = ""  # the upload, data set or run it is about
    shown: bool = True  # in the list of jobs; a page being drawn is not
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    step: Text = WAITING
    done: float = 0
    total: float | None = None
    started: datetime | None = None
    ended: datetime | None = None
    result: dict[str, Any] = field(default_factory=dict)
    reason: Text | None = None
    details: dict[str, Any] = field(default_factory=dict)  # of what went wrong
    unwanted: bool = False  # somebody stopped it
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    def outcome(self) -> dict[str, Any]:
        """The result of a job that has ended.

        Raises
        ------
        KampError
            The reason why there is none.
        """
        if self.state == "done":
            return self.result
        reason = self.reason or KILLED
        raise KampError(reason.ko, reason.en)

    @property
    def seconds(self) -> float:
        if self.started is None:
            return 0.0
        return ((self.ended or datetime.now(UTC)) - self.started).total_seconds()

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None when nobody knows."""
        if self.total is None or self.total <= 0:
            return None
        return min(1.0, max(0.0, self.done / self.total))


class JobBoard:
    """The jobs of one server: a few at once, the others wait.

    Parameters
    ----------
    environment : callable
        Gives what a job's process finds in its environment, beside the server's own.
    log : callable
        Told what a job that failed wrote to its stderr.
    command : sequence of str
        Starts the process of a job, which speaks as `work` does.
    """

    def __init__(
        self,
        environment: Callable[[], dict[str, str]] = dict,
        log: Callable[..., object] = lambda *said: None,
        command: Sequence[str] = WORK,
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self._environment = environment
        self._log = log
        self._command = command
        self.moved: Callable[[], object] = lambda: None  # told when a job comes or ends
        self._turn = asyncio.Semaphore(MOST_RUNNING)
        # what a page is waiting for takes seconds and does not queue behind an analysis
        self._quick_turn = asyncio.Semaphore(MOST_RUNNING)
        self._tasks: set[asyncio.Task[None]] = set()

    def add(
        self,
        job: Job,
        request: dict[str, Any],
        *,
        scratch: Path | None = None,
        then: Callable[[Job], object] | None = None,
    ) -> Job:
        """Start a job, or line it up.

        Parameters
        ----------
        request : dict
            What its process is told, through a pipe: passwords leave no trace.
        scratch : Path, optional
            Its folder for temporary files.
        then : callable, optional
            Called with the job when it has ended, however it did.

        Raises
        ------
        KampError
            When too many wait already.
        """
        line = [j for j in self.jobs.values() if j.shown == job.shown]
        if sum(j.state == "waiting" for j in line) >= MOST_WAITING:
            raise KampError(
                "이미 여러 작업이 차례를 기다리고 있습니다. 끝난 뒤 다시 하세요.",
                "several jobs are waiting already; try again when they are done.",
            )
        self._forget_old()
        self.jobs[job.id] = job
        self.moved()
        work = asyncio.ensure_future(self._work(job, request, scratch, then))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)
        return job

    def job(self, job_id: str) -> Job:
        """The job of this id; nobody's id is an error, not a guess."""
        if job_id not in self.jobs:
            raise KampError(
                "그런 작업이 없습니다. 이미 지워졌을 수 있습니다.",
                "there is no such job; it may have been removed.",
            )
        return self.jobs[job_id]

    def about(self, subject: str) -> list[Job]:
        """The jobs about an upload or a data set, oldest first."""
        return [job for job in self.jobs.values() if job.subject == subject]

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return any(job.state not in ENDED for job in self.jobs.values())

    def shown(self) -> list[Job]:
        """What the list shows, newest first: all that works, and the last that ended.

        A look that has ended is to be seen where its files are.
        """
        listed = [job for job in reversed(self.jobs.values()) if job.shown]
        going = [job for job in listed if job.state not in ENDED]
        ended = [j for j in listed if j.state in ENDED and j.task != "look"]
        return going + ended[:MOST_LISTED]

    def dismiss(self, job_id: str) -> None:
        """Take an ended job off the list."""
        if self.job(job_id).state in ENDED:
            del self.jobs[job_id]

    async def cancel(self, job_id: str) -> None:
        """Stop a job; returns when its process is gone."""
        job = self.job(job_id)
        if job.state == "waiting":
            _end(job, "stopped", STOPPED)
        elif job.state == "running":
            job.step, job.unwanted = STOPPING, True
            await _stop(job)
        await job.over.wait()

    async def close(self) -> None:
        """Stop everything: the server goes."""
        going = [job.id for job in self.jobs.values() if job.state not in ENDED]
        await asyncio.gather(*(self.cancel(job_id) for job_id in going))

    async def _work(
        self,
        job: Job,
        request: dict[str, Any],
        scratch: Path | None,
        then: Callable[[Job], object] | None,
    ) -> None:
        try:
            async with self._turn if job.shown else self._quick_turn:
                if job.state == "waiting":  # not stopped meanwhile
                    await self._run(job, request, scratch)
        except OSError as error:
            _end(job, "failed", _could_not_start(error))
        except (ValueError, TypeError, KeyError) as error:
            # what it says is no line of ours
            self._log("job %s (%s) cannot be understood: %s", job.id, job.task, error)
            await _stop(job)
            _end(job, "failed", KILLED)
        finally:
            if then is not None:
                then(job)
            self.moved()
            job.over.set()

    async def _run(
        self, job: Job, request: dict[str, Any], scratch: Path | None
    ) -> None:
        job.state, job.step, job.started = "running", STARTING, datetime.now(UTC)
        told = {**request, "task": job.task}
        temporary = {"TMPDIR": str(scratch)} if scratch is not None else {}
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self._environment(), **temporary},
            start_new_session=True,
            limit=LONGEST_LINE,
        )
        job._process = process
        if job.unwanted:
            await _stop(job)
        with suppress(ConnectionResetError, BrokenPipeError):  # it is gone already
            assert process.stdin is not None  # noqa: S101 - a pipe was asked for
            process.stdin.write(json.dumps(told).encode() + b"\n")
            await process.stdin.drain()
        heard = asyncio.gather(_listen(job, process), _tail(process))
        status = await _exit_of(process, heard)
        last, said = {}, ""
        with suppress(TimeoutError):  # somebody else holds its pipes
            last, said = await asyncio.wait_for(heard, PATIENCE_S)
        if job.state == "running":
            _end_as_said(job, last)
        if job.state == "failed" and said:
            self._log("job %s (%s), status %s: %s", job.id, job.task, status, said)

    def _forget_old(self) -> None:
        ended = [j for j in self.jobs.values() if j.state in ENDED]
        for job in ended[: max(0, len(ended) - MOST_KEPT + 1)]:
            del self.jobs[job.id]


async def _listen(job: Job, process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Follow what a job says, a line of JSON at a time; returns how it ended."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    last: dict[str, Any] = {}
    async for line in process.stdout:
        said = json.loads(line)
        if "step" in said:
            job.step = Text(**said["step"])
            job.done, job.total = said["done"], said["total"]
        else:
            last = said
    return last


def _end_as_said(job: Job, last: dict[str, Any]) -> None:
    """The end of a job whose process is gone; nobody sees it ended any earlier."""
    if "result" in last:
        job.result = last["result"]
        _end(job, "done")
    elif "stopped" in last:
        _end(job, "stopped", STOPPED)
    elif "error" in last:
        job.details = last.get("details") or {}
        _end(job, "failed", Text(**last["error"]))
    else:  # not a word
        _end(job, "failed", KILLED)


async def _exit_of(
    process: asyncio.subprocess.Process, heard: asyncio.Future[Any]
) -> int:
    """Wait for a job's process; what it started holds its pipes no longer than that.

    Raises
    ------
    ValueError, TypeError, KeyError
        When it says what nobody understands.
    """
    # `process.wait` would also wait for whoever else holds its pipes
    while process.returncode is None:
        await asyncio.wait([heard], timeout=GLANCE_S)
        if heard.done():
            heard.result()
            await asyncio.sleep(GLANCE_S / 4)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


async def _tail(process: asyncio.subprocess.Process) -> str:
    """The end of what a job writes to stderr."""
    assert process.stderr is not None  # noqa: S101 - a pipe was asked for
    kept = b""
    while piece := await process.stderr.read(65_536):
        kept = (kept + piece)[-SAID_KEPT:]
    return kept.decode("utf-8", "replace").strip()


async def _stop(job: Job) -> None:
    """Ask a job's processes to stop, then make them."""
    process = job._process
    if process is None:  # it is just being started, and will not get far
        return
    for how, patience in ((signal.SIGTERM, PATIENCE_S), (signal.SIGKILL, PATIENCE_S)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
            break
    if job.state == "running":
        _end(job, "stopped", STOPPED)


def _end(job: Job, state: State, reason: Text | None = None) -> None:
    job.state, job.reason, job.ended = state, reason, datetime.now(UTC)


def _could_not_start(error: OSError) -> Text:
    said = error.strerror or str(error)
    return Text(
        f"작업을 시작하지 못했습니다({said}). 다른 작업이 끝난 뒤 다시 하세요.",
        f"the job could not be started ({said}); try again when others are done.",
    )
