"""What a killed command leaves of its jobs: folders and control groups without processes.

The processes themselves end with the command (`setpriv --pdeathsig`). Each job's folder
holds a file that is locked as long as the command that started it lives; what nobody
holds is swept away by whoever comes next.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kamp_lib.hub import cgroups
from kamp_lib.hub.places import Places

MARK = "held"


@contextmanager
def held(there: Places) -> Iterator[None]:
    """This process is at a job, for the length of the block."""
    new = there.etc / f".{MARK}"
    handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # locked before it has its name, so that nobody finds it free
        fcntl.flock(handle, fcntl.LOCK_EX)
        new.rename(there.etc / MARK)
        yield
    finally:
        os.close(handle)


def sweep_jobs(home: Path) -> list[str]:
    """Remove what killed commands left; returns the names of their jobs."""
    swept = []
    for walls in sorted((home.absolute() / "hub" / "run").glob("*/job-*.walls")):
        job = walls.name.removesuffix(".walls")
        if _is_held(walls / MARK):
            continue
        cgroups.remove(walls.parent.name, job)
        # the job's own folder is the company's: nothing in it is looked at
        for folder in (walls.with_name(job), walls):
            command = ["rm", "-rf", "--one-file-system", "--", str(folder)]
            subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
        swept.append(job)
    return swept


def _is_held(mark: Path) -> bool:
    """Whether somebody is at this job, or is just about to be."""
    try:
        handle = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
