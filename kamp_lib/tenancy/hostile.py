"""Walking through a folder that may be hostile: a company's people can write there.

Every folder is opened from the one above it, without following a link, so that nothing
that is swapped while we walk leads elsewhere. Files come as open handles, asked what they
are after opening.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from kamp_lib.errors import KampError

DEEPEST = 60  # each level is an open handle
MOST_FILES = 1_000_000
BLOCK = 512  # in which st_blocks counts, whatever the file system
MOST_NOTHING = 2**30  # bytes of holes in one file
MOST_EXTENTS = 10_000
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# a pipe that nobody writes to must not hold us up
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

# Why something was passed over. Links, pipes, sockets and devices hold no data; of the
# others something is missing in a copy.
Reason = Literal[
    "link", "special", "too-deep", "unreadable", "linked-outside", "sparse"
]
WITHOUT_DATA = frozenset({"link", "special"})


@dataclass(frozen=True)
class Skipped:
    """Something that was passed over, and why."""

    path: str
    reason: Reason

    @property
    def is_loss(self) -> bool:
        return self.reason not in WITHOUT_DATA


@dataclass(frozen=True)
class Place:
    """A file as the walk met it: its name in an open folder. Not opened yet."""

    path: str
    name: str
    folder: int
    status: os.stat_result


@dataclass
class Size:
    """What a folder holds, and how often a file's names were met there.

    `bytes` is what its files say of themselves, `on_disk` what they take: a file may
    claim far more than was ever written to it.
    """

    bytes: int = 0
    on_disk: int = 0
    files: int = 0
    names: Counter[tuple[int, int]] = field(default_factory=Counter)


def walk(root: Path, skipped: list[Skipped]) -> Iterator[Place]:
    """Every plain file below `root`, by name; `skipped` hears of all else.

    Raises
    ------
    KampError
        When there are more files than anybody's work makes.
    """
    handle = os.open(root, FOLDER)
    count = 0
    try:
        for place in _below(handle, "", 0, skipped):
            yield place
            count += 1
            if count > MOST_FILES:
                raise KampError(
                    f"파일이 너무 많습니다(한도 {MOST_FILES:,}개): {root}. 쓰지 않는 파일을 정리하세요.",
                    f"too many files (limit {MOST_FILES:,}) in {root}; clear some away.",
                )
    finally:
        os.close(handle)


def _below(
    folder: int, path: str, depth: int, skipped: list[Skipped]
) -> Iterator[Place]:
    for name in _in_order(os.listdir(folder)):
        here = f"{path}/{name}" if path else name
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            continue  # gone since; people may be at work
        except OSError:
            skipped.append(Skipped(here, "unreadable"))
            continue
        if stat.S_ISREG(status.st_mode):
            yield Place(here, name, folder, status)
        elif stat.S_ISDIR(status.st_mode):
            yield from _inside(folder, name, here, depth, skipped)
        else:
            link = stat.S_ISLNK(status.st_mode)
            skipped.append(Skipped(here, "link" if link else "special"))


def _inside(
    folder: int, name: str, path: str, depth: int, skipped: list[Skipped]
) -> Iterator[Place]:
    if depth >= DEEPEST:
        skipped.append(Skipped(path, "too-deep"))
        return
    try:
        handle = os.open(name, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError as error:
        swapped = error.errno in (errno.ELOOP, errno.ENOTDIR)
        skipped.append(Skipped(path, "link" if swapped else "unreadable"))
        return
    try:
        yield from _below(handle, path, depth + 1, skipped)
    finally:
        os.close(handle)


def _in_order(names: list[str]) -> list[str]:
    """By name; a table's log first, so that a copy of it names no file that came later."""
    return sorted(names, key=lambda name: (name != "_delta_log", name))


def measure(root: Path) -> Size:
    """How much a folder holds; files with several names in it count once."""
    size = Size()
    try:
        for place in walk(root, []):
            key = (place.status.st_dev, place.status.st_ino)
            if place.status.st_nlink > 1:
                size.names[key] += 1
            if size.names[key] <= 1:
                size.bytes += place.status.st_size
                size.on_disk += place.status.st_blocks * BLOCK
            size.files += 1
    except FileNotFoundError:
        pass  # a company without a folder holds nothing
    return size


def open_plain(place: Place, names: Counter[tuple[int, int]]) -> BinaryIO | Reason:
    """The file to read, or why it is passed over.

    A file with another name *outside* the folder (`names` counts those inside) may be
    somebody else's, linked here to be carried out.
    """
    try:
        handle = os.open(place.name, FILE, dir_fd=place.folder)
    except OSError as error:
        return "link" if error.errno == errno.ELOOP else "unreadable"
    reason = _why_not(handle, names)
    if reason is not None:
        os.close(handle)
        return reason
    return os.fdopen(handle, "rb", buffering=0)


def _why_not(handle: int, names: Counter[tuple[int, int]]) -> Reason | None:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        return "special"
    if status.st_nlink > 1 and names[status.st_dev, status.st_ino] < status.st_nlink:
        return "linked-outside"
    if _nothing(handle, status.st_size) > MOST_NOTHING:
        return "sparse"
    return None


def _nothing(handle: int, size: int) -> int:
    """Bytes of a file that were never written."""
    holes, at = 0, 0
    for _ in range(MOST_EXTENTS):
        try:
            data = os.lseek(handle, at, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing but a hole up to the end
            holes += size - at
            break
        holes += data - at
        at = os.lseek(handle, data, os.SEEK_HOLE)
        if at >= size:
            break
    os.lseek(handle, 0, os.SEEK_SET)
    return holes
