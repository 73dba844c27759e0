"""The commits of a data set, read from the Delta log; versions count from 1.

The log holds one JSON file per commit, never a checkpoint alone: clean-up of the log is
switched off, because a version is what its commits say.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import Schema

from kamp_lib.datasets.storage.durable import read_plain, refuse_links
from kamp_lib.errors import KampError

OP, INGEST, TO, WHO = "kamp.op", "kamp.ingest", "kamp.to", "kamp.who"
RETIRED = "kamp.retired"
INGEST_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")
LOG_FILE = re.compile(r"\d{20}\.json")
TABLE_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.parquet")
LONGEST = 512 * 2**20


@dataclass(frozen=True)
class Commit:
    """One version of the table and what made it."""

    version: int
    op: str  # append, replace, undo, restore, repair, fix, retain; other: not ours
    ingest: str | None = None
    to: int | None = None  # undo, restore: whose state came back; fix: what it adds to
    who: str = ""
    time_ms: int = 0
    retired: tuple[int, ...] = ()  # retain: versions that are given up
    added: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()
    schema: str | None = None


@dataclass(frozen=True)
class Log:
    """All commits of a data set, oldest first."""

    commits: tuple[Commit, ...] = ()
    _files: dict[int, dict[str, None]] = field(default_factory=dict, repr=False)

    def files(self, version: int) -> list[str]:
        """Names of the table files that hold this version, oldest first."""
        if not self._files:
            held: dict[str, None] = {}
            for commit in self.commits:
                held = {name: None for name in held if name not in commit.removed}
                held |= dict.fromkeys(commit.added)
                self._files[commit.version] = held
        return list(self._files.get(version, {}))

    def schema(self, version: int) -> pa.Schema:
        """The columns of this version."""
        told = [c.schema for c in self.commits[:version] if c.schema is not None]
        return pa.schema(Schema.from_json(told[-1]).to_arrow())

    @property
    def retired(self) -> set[int]:
        """Versions that were given up."""
        return {version for commit in self.commits for version in commit.retired}

    @property
    def named(self) -> set[str]:
        """Table files that any version names that was not given up."""
        kept = [c.version for c in self.commits if c.version not in self.retired]
        return {name for version in kept for name in self.files(version)}


def log_files(folder: Path) -> list[Path]:
    """The commit files of a table, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if LOG_FILE.fullmatch(p.name))


def read_log(table_folder: Path) -> Log:
    """Read all commits; none when there is no table yet.

    Raises
    ------
    KampError
        When a commit file is missing or damaged, naming it.
    """
    folder = table_folder / "_delta_log"
    refuse_links(table_folder, folder)
    paths = log_files(folder)
    commits = []
    for place, path in enumerate(paths):
        expected = folder / f"{place:020}.json"
        if path != expected:
            raise damaged(expected)
        try:
            commits.append(_commit(place + 1, read_plain(path, LONGEST)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(path) from error
    return Log(tuple(commits))


def _commit(version: int, content: bytes) -> Commit:
    actions: dict[str, list[Any]] = {}
    for line in content.decode("utf-8").splitlines():
        for kind, action in json.loads(line).items():
            actions.setdefault(kind, []).append(action)
    info = actions.get("commitInfo", [{}])[0]
    if not actions:
        raise ValueError("an empty commit")
    schemas = [str(m["schemaString"]) for m in actions.get("metaData", [])]
    return Commit(
        version=version,
        op=str(info.get(OP, "other")),
        ingest=_ingest_id(info.get(INGEST)),
        to=int(info[TO]) if TO in info else None,
        who=str(info.get(WHO, "")),
        time_ms=int(info.get("timestamp", 0)),
        retired=tuple(map(int, json.loads(info.get(RETIRED, "[]")))),
        added=tuple(_plain(action["path"]) for action in actions.get("add", [])),
        removed=frozenset(_plain(a["path"]) for a in actions.get("remove", [])),
        schema=schemas[-1] if schemas else None,
    )


def _ingest_id(told: Any) -> str | None:
    if told is not None and not INGEST_ID.fullmatch(str(told)):
        raise ValueError(f"not the id of an ingest: {told!r}")
    return told


def _plain(path: str) -> str:
    """A name in the table's own folder; a log may come from a hostile hand."""
    name = unquote(path)
    if not TABLE_FILE.fullmatch(name):
        raise ValueError(f"not a file of the table: {path!r}")
    return name


def damaged(path: Path) -> KampError:
    """What is said of a file of the store that is missing or cannot be read."""
    missing = not path.exists()
    ko, en = ("없습니다", "is missing") if missing else ("망가졌습니다", "is damaged")
    return KampError(
        f"데이터셋의 파일이 {ko}: {path}. 백업에서 이 파일을 되살리세요.",
        f"a file of the data set {en}: {path}. Restore this file from a backup.",
    )
