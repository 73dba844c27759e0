"""Written whole or not at all: a bundle grows in a staging folder and is then renamed.

A staging folder is held by a file lock for as long as its run lives. What a killed run
leaves behind has nobody holding its lock, and the next run sweeps it away.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kamp_lib.errors import KampError

PREFIX = ".staging-"
# A folder this young may not have its lock yet.
YOUNG_S = 60.0


def new_run_id(model_id: str) -> str:
    """Sortable by start time (UTC), readable, and unique enough for runs at once."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{model_id}-{secrets.token_hex(3)}"


@contextmanager
def staging(runs: Path, run_id: str) -> Iterator[Path]:
    """A folder for one run; gone at the end of the block unless `finish` renamed it."""
    sweep(runs)
    folder = runs / f"{PREFIX}{run_id}"
    try:
        folder.mkdir(parents=True)
        lock = FileLock(_lock_of(folder))
        lock.acquire(timeout=0)
    except OSError as error:
        raise KampError(
            f"분석 결과 폴더에 쓸 수 없습니다: {runs} ({error.strerror or error})",
            f"cannot write to the folder of runs: {runs} ({error.strerror or error})",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        _lock_of(folder).unlink(missing_ok=True)


def finish(folder: Path, run_id: str) -> Path:
    """Make the staged bundle the run's bundle, durably, in one step."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync(path)
    final = folder.with_name(run_id)
    folder.rename(final)
    _sync(final.parent)
    return final


def sweep(runs: Path) -> None:
    """Remove what killed runs left behind; a living run's folder is locked, so kept."""
    for folder in runs.glob(f"{PREFIX}*"):
        if not folder.is_dir() or time.time() - folder.stat().st_mtime < YOUNG_S:
            continue
        lock = FileLock(_lock_of(folder))
        try:
            with lock.acquire(timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            continue
        _lock_of(folder).unlink(missing_ok=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
