"""Where a fork server listens: a socket in a folder that nobody else may enter.

The socket's name says for whom the server works: processes of one user, in the same
namespaces and the same control group, with the same Python and the same list of modules.
Whoever differs in any of these finds another server, or none.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import SOMAXCONN
from socket import socket as Socket

from kamp_lib.kernels import wire

FOLDER_VARIABLE = "KAMP_KERNELS_DIR"
FOLDER_NAME = "kamp-kernels"
NAMESPACES = ("mnt", "pid", "net", "user", "ipc", "uts", "cgroup", "time")
LOCKED_S = 30.0


class Unusable(Exception):
    """No fork server can be reached here; the text says why."""


class Place:
    """A folder, and in it the socket, the lock and the log of one fork server."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self._entered = _enter(folder)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._entered >= 0:
            os.close(self._entered)
            self._entered = -1

    @property
    def address(self) -> str:
        # by way of the open folder: a socket's address holds 107 characters only
        return f"/proc/self/fd/{self._entered}/{self.name}.sock"

    @property
    def socket(self) -> Path:
        return self.folder / f"{self.name}.sock"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def connect(self) -> Socket | None:
        """A connection to the server, if one is there.

        Raises
        ------
        Unusable
            When something else is in its place.
        """
        connection = wire.open_socket()
        try:
            connection.connect(self.address)
            _, uid = wire.peer(connection)
            if uid != os.geteuid():
                raise Unusable(f"{self.name}.sock is served by another user ({uid})")
        except OSError as error:
            connection.close()
            if error.errno == errno.ENOENT:
                return None
            if error.errno == errno.ECONNREFUSED and self._is_socket():
                return None
            raise Unusable(f"{self.name}.sock: {error.strerror}") from error
        except Unusable:
            connection.close()
            raise
        return connection

    def listen(self) -> Socket:
        """Take the place; to be called under the lock, when nobody answers there."""
        if self._is_socket():
            os.unlink(self.address)  # of a server that has crashed
        listener = wire.open_socket()
        try:
            os.fchmod(listener.fileno(), 0o600)
            listener.bind(self.address)
            listener.listen(SOMAXCONN)
        except OSError as error:
            listener.close()
            raise Unusable(f"{self.name}.sock: {error.strerror}") from error
        return listener

    def leave(self, own: tuple[int, int]) -> None:
        """Take the socket away, unless another server has come into its place."""
        with self.lock():
            if self.identity() == own:
                os.unlink(self.address)

    def identity(self) -> tuple[int, int] | None:
        """What is at the address now."""
        try:
            found = os.lstat(self.address)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One at a time, over all threads and processes."""
        file = self.open_file(f"{self.name}.lock", os.O_RDWR)
        try:
            _lock(file)
            yield
        finally:
            os.close(file)

    def open_file(self, name: str, flags: int) -> int:
        """Open a file of this folder, making it where it is not there."""
        flags |= os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(name, flags, 0o600, dir_fd=self._entered)
        except OSError as error:
            raise Unusable(f"{self.folder / name}: {error.strerror}") from error

    def _is_socket(self) -> bool:
        try:
            found = os.lstat(self.address)
        except FileNotFoundError:
            return False
        return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid()


def find(python: str, imports: Sequence[str], more: Sequence[str] = ()) -> Place:
    """The place of the fork server for this process.

    Raises
    ------
    Unusable
        When the folder cannot be made or entered, or is not private.
    """
    who = {
        "python": os.path.abspath(python),
        "imports": list(imports),
        "more": list(more),
        "user": os.geteuid(),
        "group": os.getegid(),
        "namespaces": [_namespace(kind) for kind in NAMESPACES],
        "cgroup": _read("/proc/self/cgroup"),
        "version": 1,
    }
    text = json.dumps(who, sort_keys=True)
    return Place(_folder(), hashlib.sha256(text.encode()).hexdigest()[:16])


def _folder() -> Path:
    told = os.environ.get(FOLDER_VARIABLE)
    if told:
        return Path(told).absolute()
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir()).absolute() / FOLDER_NAME


def _enter(folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        entered = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Unusable(f"{folder}: {error.strerror}") from error
    found = os.fstat(entered)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        os.close(entered)
        raise Unusable(f"{folder} can be entered by other users")
    return entered


def _lock(file: int) -> None:
    until = time.monotonic() + LOCKED_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise Unusable("another process holds the lock") from error
            time.sleep(0.02)


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
