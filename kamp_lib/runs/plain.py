"""Reading folders that other people write: no link is followed, only plain files are read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# without O_NONBLOCK, opening a pipe would wait for somebody to write into it
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def open_folder(path: str | Path, inside: int | None = None) -> int:
    """A handle on a folder, below the folder `inside`; a link is an `OSError`.

    What is opened through the handle lies in this folder, whatever is put in the place of
    its name meanwhile.
    """
    return os.open(path, _FOLDER, dir_fd=inside)


def open_file(name: str | Path, inside: int | None = None) -> int:
    """A handle on a plain file; a link, a pipe or a device is an `OSError`."""
    handle = os.open(name, _FILE, dir_fd=inside)
    # asked of the opened file itself: there is no gap between looking and opening
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a plain file", str(name))
    return handle


def read_plain(folder: Path, name: str, most: int) -> bytes:
    """The content of `folder/name`, at most `most` bytes; more is an `OSError`."""
    place = open_folder(folder)
    try:
        handle = open_file(name, inside=place)
    finally:
        os.close(place)
    with os.fdopen(handle, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, "longer than it may be", str(folder / name))
    return content
