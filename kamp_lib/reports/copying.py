"""Copying a bundle out of a folder that its owners may change while we read.

Every folder and file is opened below a handle of the one above it, so nothing that is put
in a name's place leads anywhere else. Only what a bundle consists of is taken along: a
page's kernel starts inside the copy, and must find no module of a company's there.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from kamp_lib.errors import KampError
from kamp_lib.runs.plain import open_file, open_folder

LARGEST_BUNDLE = 512 * 2**20
MOST_FILES = 5_000
BLOCK = 2**20
# folder of a bundle -> the files in it that are part of it, by name or by ending
PARTS: dict[str, frozenset[str]] = {
    "": frozenset({"run.json", "page.json", "analysis.ipynb"}),
    "tables": frozenset({".parquet"}),
    "figures": frozenset({".svg", ".png", ".jpg"}),
    "model": frozenset({".json", ".npz", ".ubj"}),
}
FOLDER_MODE, FILE_MODE = 0o755, 0o644


@dataclass
class Copied:
    """What has been taken along so far."""

    sha256: dict[str, str] = field(default_factory=dict)
    size: int = 0
    left_out: list[str] = field(default_factory=list)


def copy_bundle(source: Path, target: Path) -> Copied:
    """Copy the parts of the bundle `source` into the empty folder `target`.

    Raises
    ------
    KampError
        When something in it is no plain file, cannot be read, or is too large.
    """
    copied = Copied()
    try:
        runs = open_folder(source.parent)
    except OSError as error:
        raise _not_plain(source.parent.name) from error
    try:
        root = _below(source.name, runs)
        try:
            for part in PARTS:
                _copy_part(part, root, target, copied)
        finally:
            os.close(root)
    finally:
        os.close(runs)
    return copied


def make_folder(path: Path) -> None:
    """A folder of the platform's that everybody may read, whatever the umask."""
    path.mkdir()
    path.chmod(FOLDER_MODE)


def write_new(path: Path, content: bytes) -> str:
    """A file of the platform's that everybody may read, on disk; returns its SHA-256."""
    with _new_file(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()


def _copy_part(part: str, root: int, target: Path, copied: Copied) -> None:
    place = root
    if part:
        if part not in os.listdir(root):
            return
        place = _below(part, root)
        make_folder(target / part)
    try:
        for name in _names(place):
            inside = f"{part}/{name}" if part else name
            if _belongs(part, name):
                _copy_file(name, place, target / inside, inside, copied)
            elif part or name not in PARTS:
                _leave(name, place, inside, copied)
    finally:
        if part:
            os.close(place)


def _names(place: int) -> list[str]:
    with os.scandir(place) as entries:
        names = [entry.name for entry in islice(entries, MOST_FILES + 1)]
    if len(names) > MOST_FILES:
        raise _too_large()
    for name in names:
        if not name.isprintable():
            raise _odd_name(name)
    return sorted(names)


def _belongs(part: str, name: str) -> bool:
    return (Path(name).suffix if part else name) in PARTS[part]


def _leave(name: str, place: int, inside: str, copied: Copied) -> None:
    """Not part of a bundle; a link or a pipe still is a reason to look twice."""
    try:
        found = os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise _not_plain(inside)
    copied.left_out.append(inside)


def _copy_file(
    name: str, place: int, target: Path, inside: str, copied: Copied
) -> None:
    try:
        handle = open_file(name, inside=place)
    except OSError as error:
        raise _cannot_open(inside, error) from error
    digest = hashlib.sha256()
    with os.fdopen(handle, "rb") as reader, _new_file(target) as writer:
        while block := reader.read(BLOCK):
            copied.size += len(block)
            if copied.size > LARGEST_BUNDLE or len(copied.sha256) >= MOST_FILES:
                raise _too_large()
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    copied.sha256[inside] = digest.hexdigest()


def _new_file(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    os.fchmod(handle, FILE_MODE)
    return os.fdopen(handle, "wb")


def _below(name: str, place: int) -> int:
    try:
        return open_folder(name, inside=place)
    except OSError as error:
        raise _cannot_open(name, error) from error


def _cannot_open(name: str, error: OSError) -> KampError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return KampError(
            f"읽을 권한이 없어 게시할 수 없습니다: {name}. 파일 권한을 확인하세요.",
            f"cannot be published without permission to read {name}; check the file.",
        )
    if error.errno == errno.ENOENT:
        return KampError(
            f"분석 결과가 그 사이 사라져 게시할 수 없습니다: {name}",
            f"cannot be published: {name} has just gone.",
        )
    return _not_plain(name)


def _not_plain(name: str) -> KampError:
    return KampError(
        f"일반 파일이 아니어서 게시할 수 없습니다: {name}. 링크를 지우고 다시 게시하세요.",
        f"not a plain file, so it cannot be published: {name}. Remove the link.",
    )


def _odd_name(name: str) -> KampError:
    return KampError(
        f"파일 이름에 쓸 수 없는 글자가 있어 게시할 수 없습니다: {name!r}. 이름을 바꾸세요.",
        f"a file name with odd letters cannot be published: {name!r}. Rename the file.",
    )


def _too_large() -> KampError:
    limit = LARGEST_BUNDLE // 2**20
    return KampError(
        f"분석 결과가 너무 커서 게시할 수 없습니다(한도 {limit} MB, 파일 {MOST_FILES}개).",
        f"too large to publish (limit {limit} MB, {MOST_FILES} files).",
    )
