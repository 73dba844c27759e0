"""The process of a job: started, told what to do, listened to, and ended for good.

It speaks as `work` does: a line of JSON for each step, and one for its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from kamp_lib.text import Text
from kamp_lib.workspace.job import STARTING, STOPPED, Job

LONGEST_LINE = 64 << 20  # the result of a file with thousands of columns
GLANCE_S = 0.2  # how often a job's process is looked at
PATIENCE_S = 10.0  # between asking a job to stop and making it
SAID_KEPT = 4000  # characters of what a job wrote to stderr


async def work_through(
    job: Job, request: dict[str, Any], command: Sequence[str], env: dict[str, str]
) -> str:
    """Have a process do a job, to its end; returns what it wrote to stderr.

    Raises
    ------
    OSError
        When it cannot be started.
    ValueError, TypeError, KeyError
        When it says what nobody understands.
    """
    job.state, job.step, job.started = "running", STARTING, datetime.now(UTC)
    job.process = process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
        start_new_session=True,
        limit=LONGEST_LINE,
    )
    if job.unwanted:
        await stop(job)
    with suppress(ConnectionResetError, BrokenPipeError):  # it is gone already
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        # left open: it closes when this server goes, and the job stops too
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
    heard = asyncio.gather(_listen(job, process), _tail(process))
    await _exit_of(process, heard)
    last, said = {}, ""
    with suppress(TimeoutError):  # somebody else holds its pipes
        last, said = await asyncio.wait_for(heard, PATIENCE_S)
    if job.state == "running":
        job.end_as_said(last)
    return said


async def stop(job: Job) -> None:
    """Ask a job's processes to stop, then make them."""
    process = job.process
    if process is None:  # it is just being started, and will not get far
        return
    for how, patience in ((signal.SIGTERM, PATIENCE_S), (signal.SIGKILL, PATIENCE_S)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), patience)
            break
    if job.state == "running":
        job.end("stopped", STOPPED)


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


async def _exit_of(
    process: asyncio.subprocess.Process, heard: asyncio.Future[Any]
) -> None:
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


async def _tail(process: asyncio.subprocess.Process) -> str:
    """The end of what a job writes to stderr."""
    assert process.stderr is not None  # noqa: S101 - a pipe was asked for
    kept = b""
    while piece := await process.stderr.read(65_536):
        kept = (kept + piece)[-SAID_KEPT:]
    return kept.decode("utf-8", "replace").strip()
