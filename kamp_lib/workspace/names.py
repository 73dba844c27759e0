"""Names of uploaded files, made safe to lie in a folder of ours.

A browser sends whatever it likes: Hangul in single letters, `../`, a drive letter, control
characters, three hundred characters. What is left says the same to a person and to
ingest, which reads runs and classes from the names of files and folders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from unicodedata import normalize

LONGEST = 180  # bytes of one part; file systems take 255, and copies add to it
LONGEST_ENDING = 20
DEEPEST = 8
FORBIDDEN = set('<>:"|?*\\/')
UNNAMED = "file"


def safe_path(name: str) -> PurePosixPath:
    """A relative path without a way out, however the name was meant.

    >>> safe_path("../../etc/passwd"), safe_path("C:\\\\샷 기록\\\\1월.csv")
    (PurePosixPath('etc/passwd'), PurePosixPath('C_/샷 기록/1월.csv'))
    """
    parts = normalize("NFC", name).replace("\\", "/").split("/")
    kept = [_part(part) for part in parts if part.strip(" .") or part.strip()]
    kept = [part for part in kept if part]
    return PurePosixPath(*(kept[-DEEPEST:] or [UNNAMED]))


def safe_paths(names: Iterable[str]) -> list[PurePosixPath]:
    """A path of its own for every name; two that become alike are numbered."""
    files: set[str] = set()
    folders: set[str] = set()
    paths = []
    for name in names:
        path = wanted = safe_path(name)
        number = 1
        while not _fits(path, files, folders):
            number += 1
            path = _numbered(wanted, number, files)
        files.add(_seen(path))
        folders.update(map(_seen, path.parents))
        paths.append(path)
    return paths


def _seen(path: PurePosixPath) -> str:
    # a disk of Windows or a Mac would see one file where the names differ in case
    return str(path).casefold()


def _fits(path: PurePosixPath, files: set[str], folders: set[str]) -> bool:
    """Whether nothing lies there, and nothing above it is a file."""
    taken = _seen(path) in files or _seen(path) in folders
    return not taken and files.isdisjoint(map(_seen, path.parents))


def _numbered(path: PurePosixPath, number: int, files: set[str]) -> PurePosixPath:
    if files.isdisjoint(map(_seen, path.parents)):
        return path.with_name(f"{path.stem} ({number}){path.suffix}")
    top, *rest = path.parts  # a file has the name of this one's folder
    return PurePosixPath(f"{top} ({number})", *rest)


def _part(part: str) -> str:
    seen = "".join(c if c.isprintable() else " " for c in part)
    seen = "".join("_" if c in FORBIDDEN else c for c in seen)
    seen = " ".join(seen.split()).strip()
    if not seen.strip("."):
        return ""
    return _shortened(seen.lstrip(".") if seen.startswith("..") else seen)


def _shortened(part: str) -> str:
    """The same part within the length; a mark keeps long names apart."""
    if len(part.encode()) <= LONGEST:
        return part
    suffix = PurePosixPath(part).suffix
    ending = suffix if len(suffix.encode()) <= LONGEST_ENDING else ""
    mark = "~" + hashlib.sha256(part.encode()).hexdigest()[:6]
    room = LONGEST - len((mark + ending).encode())
    stem = part.removesuffix(ending).encode()[:room].decode("utf-8", "ignore").rstrip()
    return f"{stem}{mark}{ending}"
