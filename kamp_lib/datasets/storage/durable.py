"""Files that survive a power cut, links that are not followed, and what disks say."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pyarrow as pa
from deltalake.exceptions import DeltaError

from kamp_lib.errors import KampError

PARTIAL = ".partial-"
_CODE = re.compile(r"(?:os error|errno:?) (\d+)")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP}


class Stopped(Exception):
    """The ingest came to nothing; what is still being written beside need not end."""


@contextmanager
def storing(folder: Path) -> Iterator[None]:
    """Turn what disks and libraries say into one true sentence; the store is as it was."""
    try:
        yield
    except (OSError, DeltaError, pa.ArrowException) as error:
        place = getattr(error, "filename", None) or folder
        ko, en = _why(error, place)
        raise KampError(
            f"저장하지 못했습니다. {ko} 데이터는 이전 그대로입니다.",
            f"nothing was stored: {en} The data are as they were.",
        ) from error


def _why(error: Exception, place: object) -> tuple[str, str]:
    code = error_code(error)
    if code in _FULL:
        return (
            f"디스크에 남은 공간이 없습니다: {place}. 공간을 비우고 다시 하세요.",
            f"the disk is full: {place}. Free some space and try again.",
        )
    if code in _FORBIDDEN:
        return (
            f"읽거나 쓸 권한이 없습니다: {place}. 권한을 확인하고 다시 하세요.",
            f"no permission to read or write {place}. Check it and try again.",
        )
    if code in _IN_THE_WAY:
        return (
            f"폴더가 있어야 할 자리에 파일이나 링크가 있습니다: {place}. 치우고 다시 하세요.",
            f"a file or a link stands where a folder should be: {place}. Move it away.",
        )
    if code == errno.ENOENT:
        return (
            f"있어야 할 파일이 없습니다: {place}. 백업에서 되살리거나 지운 것을 되돌리세요.",
            f"a file is missing: {place}. Restore it from a backup.",
        )
    said = str(error).strip().splitlines() or [type(error).__name__]
    return (
        f"{place} 에 쓰다가 오류가 났습니다: {said[0]}.",
        f"an error while writing {place}: {said[0]}.",
    )


def error_code(error: Exception) -> int | None:
    """The errno of an error, also when a library only wrote it into its words."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    told = _CODE.search(str(error))
    return int(told[1]) if told else None


def write_durably(path: Path, data: bytes) -> None:
    """Write beside, flush to disk, then rename: whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
    try:
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync(path.parent)


def open_new(path: Path) -> FileIO:
    """A file that was not there, to write into; neither a link nor another's is followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return FileIO(os.open(path, flags, 0o666), "wb")


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_plain(path: Path, limit: int) -> bytes:
    """The content of a plain file; a link, a pipe or too long a file is an `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        if found.st_size > limit:
            raise OSError(errno.EFBIG, "longer than it may be", str(path))
        return file.read()


def refuse_links(*folders: Path) -> None:
    """A folder of the store that is a link or a file leads to somebody else's data."""
    for folder in folders:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise KampError(
                f"{folder} 은(는) 폴더가 아니라 파일이나 링크입니다. 치우고 백업의 폴더를 되살리세요.",
                f"{folder} is a file or a link, not a folder; move it away and restore"
                " the folder from a backup.",
            )
