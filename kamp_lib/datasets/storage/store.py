"""Where a data set lives, and how a new state of it becomes visible in one step.

    data/<dataset>/table/             the Delta table
    data/<dataset>/ingests/<id>/      manifest.json, quarantine.parquet
    data/<dataset>/originals/<sha256> the files as they came
    data/<dataset>/images/<sha256>.*  vision: pictures by content hash

An ingest first writes its folder, then makes one Delta commit that names it. That commit
is the only point of truth: what no commit names does not exist, and the next ingest
sweeps it away. So whoever is killed, whenever, leaves the old state or the new one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout

from kamp_lib.datasets.types import Finding, Mapping, Quality, StoredColumn
from kamp_lib.errors import KampError, UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
RESERVED = frozenset({"mappings"})
OP, INGEST, TO = "kamp.op", "kamp.ingest", "kamp.to"
# Old versions stay readable: a run names the version it read.
CONFIGURATION = {"delta.enableExpiredLogCleanup": "false"}
LOCK_WAIT_S = 600.0


@dataclass(frozen=True)
class Commit:
    """One version of the table and what made it.

    People count versions from 1; Delta Lake, inside `Store` only, from 0.
    """

    version: int
    op: str  # append | replace | undo | other
    ingest: str | None
    to: int | None
    time_ms: int


@dataclass(frozen=True)
class Manifest:
    """What one ingest recorded about itself."""

    id: str
    equipment: str
    record_kind: str | None
    time_zone: str
    simulated: bool
    created: str
    rows: dict[str, int]  # read, stored, quarantined, duplicate
    files: list[dict[str, Any]]
    mapping: Mapping
    columns: list[StoredColumn]
    quality: Quality
    findings: list[Finding]

    def as_json(self) -> str:
        plain = {
            **vars(self),
            "mapping": self.mapping.model_dump(),
            "columns": [c.model_dump() for c in self.columns],
            "quality": self.quality.model_dump(),
            "findings": [f.model_dump() for f in self.findings],
        }
        return json.dumps(plain, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        plain = json.loads(text)
        plain["mapping"] = Mapping(**plain["mapping"])
        plain["columns"] = [StoredColumn(**c) for c in plain["columns"]]
        plain["quality"] = Quality(**plain["quality"])
        plain["findings"] = [Finding(**f) for f in plain["findings"]]
        return cls(**plain)


class Store:
    """One data set on disk; reading it takes no lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table_folder = folder / "table"
        self.originals = folder / "originals"
        self.images = folder / "images"

    @property
    def name(self) -> str:
        return self.folder.name

    def exists(self) -> bool:
        log = self.table_folder / "_delta_log"
        return log.is_dir() and any(log.glob("*.json"))

    def table(self, version: int | None = None) -> DeltaTable:
        delta = None if version is None else version - 1
        return DeltaTable(str(self.table_folder), version=delta)

    def commits(self) -> list[Commit]:
        """All commits, oldest first; none when there is no table yet."""
        if not self.exists():
            return []
        table = self.table()
        newest = table.version() + 1
        return [
            Commit(
                version=newest - back,
                op=entry.get(OP, "other"),
                ingest=entry.get(INGEST),
                to=int(entry[TO]) if TO in entry else None,
                time_ms=int(entry.get("timestamp", 0)),
            )
            # Newest first; the table's own numbering is by place, and so is ours.
            for back, entry in enumerate(table.history())
        ][::-1]

    def manifest(self, ingest: str) -> Manifest:
        path = self.ingest_folder(ingest) / "manifest.json"
        try:
            return Manifest.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KampError(
                f"데이터셋 '{self.name}'의 기록이 망가졌습니다: {path} 파일을 백업에서 되살리세요.",
                f"the record of data set {self.name!r} is damaged; restore {path} from a backup.",
            ) from error

    def ingest_folder(self, ingest: str) -> Path:
        return self.folder / "ingests" / ingest

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time; a killed writer's lock is free at once."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder.parent / f".{self.name}.lock")
        try:
            lock.acquire(timeout=LOCK_WAIT_S)
        except Timeout as error:
            raise KampError(
                f"데이터셋 '{self.name}'에 다른 데이터 가져오기가 진행 중입니다. 끝난 뒤 다시 하세요.",
                f"another ingest into {self.name!r} is under way; try again when it is done.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def commit(
        self, table: pa.Table, ingest: str, *, replace: bool, overwrite: bool
    ) -> int:
        """Make an ingest visible: one Delta commit that names it. Returns the version.

        `overwrite` says that `table` is the whole of the new state, not an addition.
        """
        write_deltalake(
            str(self.table_folder),
            table,
            mode="overwrite" if overwrite else "append",
            schema_mode="overwrite" if overwrite else "merge",
            configuration=CONFIGURATION,
            commit_properties=CommitProperties(
                custom_metadata={OP: "replace" if replace else "append", INGEST: ingest}
            ),
        )
        return int(self.table().version()) + 1

    def go_back(self, to: int) -> int:
        """Commit the state of version `to` again (0: nothing at all)."""
        properties = CommitProperties(custom_metadata={OP: "undo", TO: str(to)})
        table = self.table()
        if to == 0:
            table.delete(commit_properties=properties)
        else:
            table.restore(to - 1, commit_properties=properties)
        return int(self.table().version()) + 1


class State:
    """What a version of a data set consists of: its ingests, in order."""

    def __init__(self, store: Store, version: int | None = None) -> None:
        self.store = store
        self._commits = store.commits()
        newest = len(self._commits)
        self.version = newest if version is None else version
        if not 1 <= self.version <= newest and self._commits:
            raise UsageError(
                f"데이터셋 '{store.name}'에 버전 {version}이(가) 없습니다 (1~{newest}).",
                f"data set {store.name!r} has no version {version} (1 to {newest}).",
            )

    @cached_property
    def ingests(self) -> list[str]:
        """Ids of the ingests whose rows this version holds."""
        return self._ingests_at(self.version)

    def _ingests_at(self, version: int) -> list[str]:
        found: list[str] = []
        while version > 0:
            commit = self._commits[version - 1]
            if commit.op == "undo":
                version = commit.to or 0
                continue
            if commit.ingest is not None:
                found.append(commit.ingest)
            if commit.op == "replace":
                break
            version -= 1
        return found[::-1]

    @property
    def previous(self) -> int:
        """The version that held the state before the last ingest; 0: none."""
        version = self.version
        while version > 0:
            commit = self._commits[version - 1]
            if commit.op == "undo":
                version = commit.to or 0
            elif commit.op in ("append", "replace"):
                return version - 1 if self._ingests_at(version - 1) else 0
            else:
                version -= 1
        return 0

    @property
    def commits(self) -> list[Commit]:
        return self._commits[: self.version]

    @cached_property
    def manifests(self) -> list[Manifest]:
        return [self.store.manifest(i) for i in self.ingests]


def check_name(name: str) -> str:
    """`name` itself when it may name a data set."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise UsageError(
            f"데이터셋 이름 '{name}'은(는) 쓸 수 없습니다. 영문 소문자·숫자·'-'·'_'로 60자까지 적으세요.",
            f"{name!r} cannot name a data set; use lower-case letters, digits, '-' and '_', 60 at most.",
        )
    return name


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Turn what disks do into one sentence; the store is as it was."""
    try:
        yield
    except (OSError, DeltaError, pa.ArrowException) as error:
        full = "No space left" in str(error) or getattr(error, "errno", None) == 28
        why_ko = "디스크에 남은 공간이 없습니다" if full else "이 폴더에 쓸 수 없습니다"
        why_en = "the disk is full" if full else "this folder cannot be written"
        raise KampError(
            f"저장하지 못했습니다. {why_ko}: {folder}. 데이터는 이전 그대로입니다."
            " 공간과 쓰기 권한을 확인하고 다시 하세요.",
            f"nothing was stored, {why_en}: {folder}; the data are as they were."
            " Check space and permissions, then try again.",
        ) from error


def write_durably(path: Path, data: bytes) -> None:
    """Write beside, flush to disk, then rename: whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    with open(partial, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
