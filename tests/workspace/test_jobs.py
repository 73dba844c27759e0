"""Jobs: a few at once, stopped for good, and never lost without a reason."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from workspace.loops import finish

from kamp_lib.errors import KampError
from kamp_lib.text import Text
from kamp_lib.workspace import processes
from kamp_lib.workspace.job import KILLED, Job
from kamp_lib.workspace.jobs import MOST_KEPT, MOST_RUNNING, MOST_WAITING, JobBoard

TITLE = Text("작업", "a job")
# What a job's process does, by its task: the protocol of `work`, without the libraries.
WORKER = """
import json, os, subprocess, sys, time
request = json.loads(sys.stdin.readline())
say = lambda **said: print(json.dumps(said), flush=True)
task = request["task"]
if task == "echo":
    say(step={"ko": "걸음", "en": "step"}, done=1, total=2)
    say(result=request)
elif task == "environment":
    say(result={"home": os.environ.get("TMPDIR"), "told": os.environ.get("TOLD")})
elif task == "sleep":
    say(step={"ko": "자는 중", "en": "asleep"}, done=0, total=None)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open(request["note"], "w").write(f"{os.getpid()} {child.pid}")
    time.sleep(60)
elif task == "deaf":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(request["note"], "w").write(str(os.getpid()))
    time.sleep(60)
elif task == "fail":
    print("the reason in full", file=sys.stderr)
    say(error={"ko": "안 됩니다", "en": "it fails"}, details={"locked": True})
elif task == "silent":
    pass
elif task == "nonsense":
    print("not JSON", flush=True)
    time.sleep(60)
"""


def board(**options: Any) -> JobBoard:
    return JobBoard(command=[sys.executable, "-c", WORKER], **options)


async def ended(jobs: JobBoard, task: str, **request: Any) -> Job:
    job = jobs.add(Job(task, TITLE), request)
    await job.over.wait()
    return job


async def until(true: Any) -> None:
    for _ in range(600):
        if true():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never came to that")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a process that nobody has waited for yet is dead all the same
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_job_gives_its_result_and_tells_its_steps() -> None:
    job = finish(ended(board(), "echo", number=3))
    assert (job.state, job.result["number"]) == ("done", 3)
    assert (job.step.ko, job.share) == ("걸음", 0.5)


def test_a_job_that_fails_says_why_and_the_log_says_more() -> None:
    said: list[str] = []
    jobs = board(log=lambda text, *values: said.append(text % values))
    job = finish(ended(jobs, "fail"))
    assert (job.state, job.reason) == ("failed", Text("안 됩니다", "it fails"))
    assert job.details == {"locked": True}
    assert "the reason in full" in said[0]


def test_a_job_that_ends_without_a_word_has_failed() -> None:
    job = finish(ended(board(), "silent"))
    assert (job.state, job.reason) == ("failed", KILLED)


def test_a_job_that_speaks_nonsense_is_stopped_and_has_failed() -> None:
    started = time.monotonic()
    assert finish(ended(board(), "nonsense")).state == "failed"
    assert time.monotonic() - started < 30


def test_a_killed_job_has_failed_and_the_next_one_runs(tmp_path: Path) -> None:
    async def kill() -> tuple[Job, Job]:
        jobs, note = board(), tmp_path / "note"
        job = jobs.add(Job("sleep", TITLE), {"note": str(note)})
        await until(lambda: note.exists() and note.read_text())
        os.kill(int(note.read_text().split()[0]), signal.SIGKILL)
        await job.over.wait()
        return job, await ended(jobs, "echo")

    job, following = finish(kill())
    assert (job.state, job.reason) == ("failed", KILLED)
    assert following.state == "done"


def test_a_stopped_job_takes_its_own_processes_along(tmp_path: Path) -> None:
    async def stop() -> tuple[Job, list[int]]:
        jobs, note = board(), tmp_path / "note"
        job = jobs.add(Job("sleep", TITLE), {"note": str(note)})
        await until(lambda: note.exists() and " " in note.read_text())
        await jobs.cancel(job.id)
        return job, list(map(int, note.read_text().split()))

    job, pids = finish(stop())
    assert job.state == "stopped"
    assert not any(map(alive, pids))


def test_a_job_that_will_not_stop_is_made_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE_S", 0.3)

    async def stop() -> tuple[Job, int]:
        jobs, note = board(), tmp_path / "note"
        job = jobs.add(Job("deaf", TITLE), {"note": str(note)})
        await until(lambda: note.exists() and note.read_text())
        await jobs.cancel(job.id)
        return job, int(note.read_text())

    job, pid = finish(stop())
    assert job.state == "stopped"
    assert not alive(pid)


def test_only_a_few_run_at_once_and_the_line_is_bounded(tmp_path: Path) -> None:
    async def crowd() -> list[str]:
        jobs = board()
        for number in range(MOST_RUNNING):
            jobs.add(Job("sleep", TITLE), {"note": str(tmp_path / f"{number}")})
        await until(lambda: all(j.state == "running" for j in jobs.jobs.values()))
        for number in range(MOST_WAITING):
            jobs.add(Job("echo", TITLE), {"number": number})
        with pytest.raises(KampError, match="여러 작업"):
            jobs.add(Job("echo", TITLE), {})
        states = [job.state for job in jobs.jobs.values()]
        await jobs.close()
        return states

    assert finish(crowd()) == ["running"] * MOST_RUNNING + ["waiting"] * MOST_WAITING


def test_a_page_that_somebody_waits_for_does_not_queue(tmp_path: Path) -> None:
    async def quick() -> str:
        jobs = board()
        for number in range(MOST_RUNNING):
            jobs.add(Job("sleep", TITLE), {"note": str(tmp_path / f"{number}")})
        job = jobs.add(Job("echo", TITLE, shown=False), {})
        await job.over.wait()
        await jobs.close()
        return job.state

    assert finish(quick()) == "done"


def test_a_job_that_waits_can_be_stopped_and_never_starts(tmp_path: Path) -> None:
    async def stop() -> Job:
        jobs = board()
        for number in range(MOST_RUNNING):
            jobs.add(Job("sleep", TITLE), {"note": str(tmp_path / f"{number}")})
        job = jobs.add(Job("sleep", TITLE), {"note": str(tmp_path / "never")})
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(jobs.close())
        await job.over.wait()
        await closing
        return job

    assert finish(stop()).state == "stopped"
    assert not (tmp_path / "never").exists()


def test_only_the_last_jobs_are_remembered() -> None:
    async def many() -> int:
        jobs = board()
        for _ in range(MOST_KEPT + 3):
            await ended(jobs, "silent")
        return len(jobs.jobs)

    assert finish(many()) == MOST_KEPT


def test_the_end_is_told_before_anybody_sees_it() -> None:
    """The page asks for what a job found as soon as it sees that the job is done."""

    async def watch() -> list[str]:
        jobs, told = board(), []
        job = Job("echo", TITLE)
        jobs.add(job, {}, then=lambda j: told.append(j.state))
        while job.state in ("waiting", "running"):
            await asyncio.sleep(0)
        return list(told)

    assert finish(watch()) == ["done"]


def test_nobodys_job_is_an_error() -> None:
    async def ask() -> None:
        jobs = board()
        for wrong in ("", "nobody"):
            with pytest.raises(KampError):
                await jobs.cancel(wrong)
            with pytest.raises(KampError):
                jobs.dismiss(wrong)

    finish(ask())


def test_a_job_finds_its_own_scratch_folder(tmp_path: Path) -> None:
    async def ask() -> dict[str, Any]:
        jobs = board(environment=lambda: {"TOLD": "yes"})
        job = jobs.add(Job("environment", TITLE), {}, scratch=tmp_path)
        await job.over.wait()
        return job.result

    assert finish(ask()) == {"home": str(tmp_path), "told": "yes"}


def test_what_a_job_is_told_stays_off_the_command_line(tmp_path: Path) -> None:
    async def look() -> str:
        jobs, note = board(), tmp_path / "note"
        job = jobs.add(Job("sleep", TITLE), {"note": str(note), "password": "geheim"})
        await until(lambda: note.exists() and note.read_text())
        process = Path("/proc") / note.read_text().split()[0]
        seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        await jobs.cancel(job.id)
        return seen.decode("utf-8", "replace")

    assert "geheim" not in finish(look())
