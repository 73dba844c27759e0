"""The record of a batch: `KAMP_HOME/batches/<id>/batch.json`, beside its report.

It is written again, whole, while the batch goes on; a batch that was killed has all that
had ended by then.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from kamp_lib.errors import KampError
from kamp_lib.fleet.orders import Order, Outcome
from kamp_lib.settings import settings

RECORD, REPORT, LOCK = "batch.json", "report.html", "lock"


class Batch(BaseModel):
    """What was asked, what became of it, and when."""

    schema_version: int = 1
    id: str
    status: Literal["running", "finished", "stopped", "killed"] = "running"
    person: str
    workers: int
    cluster: str | None = Field(default=None, description="address of the Dask cluster")
    started: datetime
    finished: datetime | None = None
    seconds: float = 0.0
    waiting: list[Order] = Field(default_factory=list)
    outcomes: list[Outcome] = Field(default_factory=list)

    @property
    def folder(self) -> Path:
        return batches_folder() / self.id

    @property
    def report(self) -> Path:
        return self.folder / REPORT

    @property
    def troubles(self) -> list[Outcome]:
        """What somebody should look at."""
        return [outcome for outcome in self.outcomes if outcome.trouble]

    def count(self, *statuses: str) -> int:
        return sum(outcome.status in statuses for outcome in self.outcomes)


def batches_folder() -> Path:
    """Where batches are kept; the platform's own, seen by no company."""
    return settings().home.absolute() / "batches"


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step and durably: the old one, or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def list_batches() -> list[Batch]:
    """All batches, newest first; one that was killed says so."""
    read = (_read(folder) for folder in batches_folder().glob("*-*-*"))
    found = [batch for batch in read if batch is not None]
    return sorted(found, key=lambda batch: batch.started, reverse=True)


def find_batch(name: str = "latest") -> Batch:
    """The batch with this id, the start of it, or `latest`.

    Raises
    ------
    KampError
        When there is none, or more than one fits.
    """
    there = list_batches()
    found = (
        there[:1] if name == "latest" else [b for b in there if b.id.startswith(name)]
    )
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(batch.id for batch in found[:5])
        raise KampError(
            f"'{name}'로 시작하는 배치가 여럿입니다: {several}",
            f"more than one batch starts with {name!r}: {several}",
        )
    raise KampError(
        f"배치 '{name}'이(가) 없습니다. 목록: kamp batch list",
        f"there is no batch {name!r}; list them: kamp batch list",
    )


def earlier(batch: Batch) -> Batch | None:
    """The batch before this one."""
    return next((b for b in list_batches() if b.started < batch.started), None)


def _read(folder: Path) -> Batch | None:
    try:
        batch = Batch.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):  # killed before its first word, or not ours
        return None
    if batch.status == "running" and not _held(folder):
        batch.status = "killed"
    return batch


def _held(folder: Path) -> bool:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
