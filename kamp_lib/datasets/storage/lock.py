"""One writer at a time, and whoever waits is told for whom."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.settings import person
from kamp_lib.text import Text

WAIT_S = 600.0


@contextmanager
def locked(folder: Path, progress: Progress = silent) -> Iterator[None]:
    """Hold the data set of this folder; a killed writer's lock is free at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.parent / f".{folder.name}.lock"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = _holder(path)
        said = Text("먼저 시작한 작업({who})을 기다리는 중", "waiting for {who}")
        progress(said.format(who=holder))
        _wait(lock, folder.name, holder)
    try:
        _sign(path)
        yield
    finally:
        lock.release()


def _wait(lock: FileLock, name: str, holder: Text) -> None:
    try:
        lock.acquire(timeout=WAIT_S)
    except Timeout as error:
        raise KampError(
            f"데이터셋 '{name}'에 다른 작업({holder.ko})이 진행 중입니다. 끝난 뒤 다시 하세요.",
            f"{holder.en} is writing to data set {name!r}; try again when it is done.",
        ) from error


def _sign(path: Path) -> None:
    """Write into the lock file who holds it; only the holder does."""
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    path.write_text(json.dumps({"pid": os.getpid(), "who": person(), "since": since}))


def _holder(path: Path) -> Text:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        who, pid, since = str(told["who"]), int(told["pid"]), str(told["since"])[11:16]
    except (OSError, ValueError, KeyError, TypeError):  # it is just being written
        return Text("다른 사람", "somebody else")
    return Text(
        f"{who}, {since}부터, 프로세스 {pid}", f"{who}, since {since}, process {pid}"
    )
