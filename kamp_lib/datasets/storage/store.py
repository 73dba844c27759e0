"""Where a data set lives, and which state of it a version is.

    data/<dataset>/table/             the Delta table
    data/<dataset>/ingests/<id>/      manifest.json, quarantine.parquet
    data/<dataset>/originals/<sha256> the files as they came
    data/<dataset>/images/<sha256>.*  vision: pictures by content hash
    data/<dataset>/writing/           files of the next rows, while they are checked
    data/<dataset>/staging/           the next commit, while it is prepared

What no commit names does not exist. Reading takes no lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from kamp_lib.datasets.storage.durable import read_plain, refuse_links
from kamp_lib.datasets.storage.lock import locked
from kamp_lib.datasets.storage.log import (
    LONGEST,
    Commit,
    Log,
    damaged,
    log_files,
    read_log,
)
from kamp_lib.datasets.storage.manifest import Manifest
from kamp_lib.errors import KampError, UsageError
from kamp_lib.progress import Progress, silent

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
RESERVED = frozenset({"mappings"})
ADDING = frozenset({"append", "repair", "fix"})  # to what there was
GOING_BACK = frozenset({"undo", "restore"})


class Store:
    """One data set on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table_folder = folder / "table"
        self.ingests = folder / "ingests"
        self.originals = folder / "originals"
        self.images = folder / "images"
        self.writing = folder / "writing"
        self.staging = folder / "staging"

    @property
    def name(self) -> str:
        return self.folder.name

    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return bool(log_files(self.table_folder / "_delta_log"))

    def log(self) -> Log:
        refuse_links(self.folder, self.ingests, self.originals, self.images)
        return read_log(self.table_folder)

    def commits(self) -> list[Commit]:
        """All commits, oldest first; none when there is no table yet."""
        return list(self.log().commits)

    def manifest(self, ingest: str) -> Manifest:
        path = self.ingest_folder(ingest) / "manifest.json"
        try:
            return Manifest.model_validate_json(read_plain(path, LONGEST))
        except (OSError, ValueError) as error:
            raise damaged(path) from error

    def ingest_folder(self, ingest: str) -> Path:
        return self.ingests / ingest

    @contextmanager
    def locked(self, progress: Progress = silent) -> Iterator[None]:
        """One writer at a time."""
        refuse_links(self.folder)
        with locked(self.folder, progress):
            yield


class State:
    """What a version of a data set consists of: its ingests, in order."""

    def __init__(
        self, store: Store, version: int | None = None, *, log: Log | None = None
    ) -> None:
        self.store = store
        self.log = store.log() if log is None else log
        newest = len(self.log.commits)
        self.version = newest if version is None else version
        if not 1 <= self.version <= newest and newest:
            raise UsageError(
                f"데이터셋 '{store.name}'에 버전 {version}이(가) 없습니다 (1~{newest}).",
                f"data set {store.name!r} has no version {version} (1 to {newest}).",
            )

    @cached_property
    def ingests(self) -> list[str]:
        """Ids of the ingests whose rows this version holds."""
        return self.ingests_at(self.version)

    def ingests_at(self, version: int) -> list[str]:
        found: list[str] = []
        while version > 0:
            commit = self.log.commits[version - 1]
            if commit.op in GOING_BACK:
                version = commit.to or 0
                continue
            if commit.ingest is not None:
                found.append(commit.ingest)
            if commit.op == "replace":
                break
            # a fix stands in the place of the ingest that it mends
            version = version - 1 if commit.op != "fix" else commit.to or 0
        return found[::-1]

    def before_last(self) -> int | None:
        """A readable version that holds all but the last ingest; 0: there was none."""
        if len(self.ingests) == 1:
            return 0
        for version in range(self.version - 1, 0, -1):
            held = self.ingests_at(version)
            if held == self.ingests[:-1] and self.readable(version):
                return version
        return None

    @property
    def previous(self) -> int:
        """The version that an undo goes back to; 0: nothing is left."""
        version = self.version
        while version > 0:
            commit = self.log.commits[version - 1]
            if commit.op == "undo":
                version = commit.to or 0
            elif commit.op in ADDING or commit.op in ("replace", "restore"):
                return version - 1 if self.ingests_at(version - 1) else 0
            else:
                version -= 1
        return 0

    @cached_property
    def files(self) -> list[Path]:
        """The table files of this version."""
        return self.files_of(self.version)

    def files_of(self, version: int) -> list[Path]:
        return [self.store.table_folder / name for name in self.log.files(version)]

    @cached_property
    def kept_ingests(self) -> set[str]:
        """Ids of the ingests that a version needs that was not given up."""
        kept = (c.version for c in self.log.commits)
        alive = [v for v in kept if v not in self.log.retired]
        return {ingest for version in alive for ingest in self.ingests_at(version)}

    def readable(self, version: int) -> bool:
        """Whether all that a version needs is kept."""
        files, ingests = self.log.files(version), self.ingests_at(version)
        return self.log.named.issuperset(files) and self.kept_ingests.issuperset(
            ingests
        )

    def given_up(self, version: int) -> KampError:
        name = self.store.name
        return KampError(
            f"데이터셋 '{name}'의 버전 {version}은(는) 보관 기간이 지나 지웠습니다."
            " 남아 있는 버전은 kamp datasets history 로 볼 수 있습니다.",
            f"version {version} of data set {name!r} is no longer kept;"
            " kamp datasets history lists those that are.",
        )

    @property
    def commits(self) -> list[Commit]:
        return list(self.log.commits[: self.version])

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
