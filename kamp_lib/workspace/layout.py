"""The notebooks of the first day: laid out in the workspace, kept up to date with care.

What an analyst has changed is never written over: a newer version then lies beside it,
once. What an analyst has removed does not come back. `workspace/.kamp/laid-out.json`
remembers what was written; several servers of one company take turns.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

import yaml
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kamp_lib.errors import KampError
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

FOLDER = ".kamp"
MEMORY = "laid-out.json"
NEWER = " (새 판)"
WAIT_S = 30.0
LARGEST = 20 << 20


class Item(BaseModel):
    """One notebook: where it comes from, where it goes, what it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    of: Literal["templates", "guidebooks"] = "templates"
    path: str
    title: Text
    about: Text

    def content(self) -> bytes:
        root = settings().templates if self.of == "templates" else settings().guidebooks
        return (root / self.source).read_bytes()


class Written(BaseModel):
    """What was done about one path so far, as SHA-256 of contents."""

    model_config = ConfigDict(extra="ignore")

    ours: str | None = None  # what we last wrote there
    offered: str  # the newest version that was offered, there or beside
    beside: str | None = None  # what we last wrote beside it


class Memory(BaseModel):
    """What was written where."""

    model_config = ConfigDict(extra="ignore")

    files: dict[str, Written] = Field(default_factory=dict)


def laid_out() -> list[Item]:
    """Everything that is laid out, in the order the start page lists it."""
    return list(_items(settings().templates))


@cache
def _items(templates: Path) -> tuple[Item, ...]:
    text = (templates / "workspace" / "contents.yaml").read_text(encoding="utf-8")
    return tuple(Item.model_validate(entry) for entry in yaml.safe_load(text))


def lay_out(tenant: Tenant) -> list[str]:
    """Bring the notebooks of a company's workspace up to date.

    Returns
    -------
    list of str
        The paths that were written, below the workspace.

    Raises
    ------
    KampError
        When the workspace cannot be written.
    """
    try:
        own = tenant.workspace / FOLDER
        own.mkdir(exist_ok=True)
        if own.is_symlink():
            raise OSError(f"{own} is a link")
        with FileLock(own / "lock").acquire(timeout=WAIT_S):
            return _lay_out(tenant.workspace, own / MEMORY)
    except (OSError, Timeout) as error:
        raise KampError(
            f"작업공간에 노트북을 놓지 못했습니다: {error}",
            f"the notebooks could not be laid out in the workspace: {error}",
        ) from error


def _lay_out(workspace: Path, memory_file: Path) -> list[str]:
    memory = _remembered(memory_file)
    written: list[str] = []
    for item in laid_out():
        if _leads_elsewhere(workspace, item.path):
            continue
        content = item.content()
        known = memory.files.get(item.path)
        now, done = _bring(workspace, item.path, content, known)
        memory.files[item.path] = now
        written += done
    _write(memory_file, memory.model_dump_json(indent=1).encode())
    return written


def _bring(
    workspace: Path, name: str, content: bytes, known: Written | None
) -> tuple[Written, list[str]]:
    """Decide about one notebook and do it; what is remembered, what was written."""
    new = _hash(content)
    there = _hash_of(workspace / name)
    if known is not None and known.offered == new:
        return known, []
    if there == new:  # written before, but not remembered
        return Written(ours=new, offered=new), []
    if there is None:
        if known is not None:  # the analyst removed it
            return known.model_copy(update={"offered": new}), []
        _write(workspace / name, content)
        return Written(ours=new, offered=new), [name]
    if known is not None and there == known.ours:
        _write(workspace / name, content)
        return Written(ours=new, offered=new), [name]
    beside = _free_place(workspace, name, known.beside if known else None)
    _write(workspace / beside, content)
    ours = known.ours if known else None
    return Written(ours=ours, offered=new, beside=new), [beside]


def _free_place(workspace: Path, name: str, ours: str | None) -> str:
    """Where a newer version lies beside an edited one, over nothing but an older offer."""
    path = PurePosixPath(name)
    number = 1
    while True:
        mark = NEWER if number == 1 else f" (새 판 {number})"
        place = str(path.with_name(f"{path.stem}{mark}{path.suffix}"))
        there = _hash_of(workspace / place)
        if there is None or there == ours:
            return place
        number += 1


def _leads_elsewhere(workspace: Path, name: str) -> bool:
    """Whether a folder above has become a link, or no folder."""
    folders = [workspace / p for p in PurePosixPath(name).parents if str(p) != "."]
    return any(f.is_symlink() or (f.exists() and not f.is_dir()) for f in folders)


def _remembered(path: Path) -> Memory:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(handle, "rb") as file:
            return Memory.model_validate_json(file.read(LARGEST))
    except (OSError, ValidationError):
        # a first day, or a memory that was spoilt: then every file counts as edited
        return Memory()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(path: Path) -> str | None:
    """The hash of what lies there; a link or a folder counts as somebody's own."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError:
        return "not a plain file"
    with open(handle, "rb") as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except IsADirectoryError:
            return "not a plain file"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a link in its place is replaced, not followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{secrets.token_hex(6)}.partial")
    try:
        with open(partial, "xb") as file:
            file.write(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
