"""Long work of the start page: each job is a process, and none is lost with the page.

The server's own loop only reads what the processes say. A job belongs to this server, not
to a browser: the list of jobs is the same after a reload. When the server goes, so do
they, because each listens to the server's end of its pipe.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kamp_lib.errors import KampError
from kamp_lib.text import Text
from kamp_lib.workspace.job import ENDED, KILLED, STOPPED, STOPPING, Job
from kamp_lib.workspace.processes import stop, work_through

WORK = (sys.executable, "-m", "kamp_lib.workspace.work")
MOST_RUNNING = 2  # at once; each computes on all the processors it may use
MOST_WAITING = 6
MOST_KEPT = 20  # ended jobs that are remembered
MOST_LISTED = 5  # of them that the list still shows


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
            job.end("stopped", STOPPED)
        elif job.state == "running":
            job.step, job.unwanted = STOPPING, True
            await stop(job)
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
                    told = {**request, "task": job.task}
                    env = self._environment_of(scratch)
                    said = await work_through(job, told, self._command, env)
                    if job.state == "failed" and said:
                        self._log("job %s (%s): %s", job.id, job.task, said)
        except OSError as error:
            job.end("failed", _could_not_start(error))
        except (ValueError, TypeError, KeyError) as error:
            # what it says is no line of ours
            self._log("job %s (%s) cannot be understood: %s", job.id, job.task, error)
            await stop(job)
            job.end("failed", KILLED)
        finally:
            if then is not None:
                then(job)
            self.moved()
            job.over.set()

    def _environment_of(self, scratch: Path | None) -> dict[str, str]:
        temporary = {"TMPDIR": str(scratch)} if scratch is not None else {}
        return {**os.environ, **self._environment(), **temporary}

    def _forget_old(self) -> None:
        ended = [j for j in self.jobs.values() if j.state in ENDED]
        for job in ended[: max(0, len(ended) - MOST_KEPT + 1)]:
            del self.jobs[job.id]


def _could_not_start(error: OSError) -> Text:
    said = error.strerror or str(error)
    return Text(
        f"작업을 시작하지 못했습니다({said}). 다른 작업이 끝난 뒤 다시 하세요.",
        f"the job could not be started ({said}); try again when others are done.",
    )
