"""Asking a fork server for a kernel, and starting the server where there is none."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kamp_lib.kernels import environment, place, wire
from kamp_lib.kernels.place import Place, Unusable
from kamp_lib.kernels.process import ForkedKernel


def _umask() -> int:
    """Without changing it, which other threads would notice."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    raise Unusable("this system does not tell the umask")


LIMITS = tuple(name for name in dir(resource) if name.startswith("RLIMIT_"))
# A server that failed is not started again at every kernel.
REST_S = 60.0


class Full(RuntimeError):
    """The fork server has as many kernels as it may have."""


class _Gone(Exception):
    """The server ended while it was asked; another one may do."""


class _Unfit(Exception):
    """The server must not be forked, and another one would not be better."""


@dataclass(frozen=True)
class Options:
    """What a fork server is to be like."""

    imports: tuple[str, ...]
    later: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    most: int = 100
    at_once: int = 0
    idle_s: float = 3600.0
    may_start: bool = True
    ready_s: float = 60.0  # until a new server has imported everything
    turn_s: float = 60.0  # until a kernel's turn has come and it has started

    def arguments(self) -> list[str]:
        found = [f"--most={self.most}", f"--idle={self.idle_s}"]
        found += [f"--at-once={self.at_once}"]
        found += [f"--frozen={pattern}" for pattern in self.frozen]
        found += [f"--import={name}" for name in self.imports]
        return [*found, *(f"--later={name}" for name in self.later)]

    def place(self, python: str) -> Place:
        """Where a server like this is to be found."""
        later = ("later:", *self.later) if self.later else ()
        return place.find(python, (*self.imports, *later), self.frozen)


@dataclass(frozen=True)
class Request:
    """A kernel to be started; the files are its standard input, output and errors."""

    command: list[str]
    environment: dict[str, str]
    folder: str
    files: tuple[int, int, int] = (0, 1, 2)
    umask: int = field(default_factory=_umask)

    def message(self) -> wire.Message:
        return {
            "command": self.command,
            "environment": self.environment,
            "folder": self.folder,
            "umask": self.umask,
            "limits": {
                name: resource.getrlimit(getattr(resource, name)) for name in LIMITS
            },
            "processors": sorted(os.sched_getaffinity(0)),
        }


class _Servers:
    """What this process knows of fork servers: those it keeps alive, those that failed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: dict[Path, socket.socket] = {}
        self.children: list[subprocess.Popen[bytes]] = []
        self.failed: dict[Path, tuple[float, str]] = {}

    def rest(self, server: Path) -> None:
        """Raise `Unusable` when this server has just failed."""
        at, why = self.failed.get(server, (-REST_S, ""))
        if time.monotonic() - at < REST_S:
            raise Unusable(why)

    def fail(self, server: Path, why: str) -> Unusable:
        self.failed[server] = (time.monotonic(), why)
        return Unusable(why)

    def hold(self, there: Place) -> None:
        """Keep a connection: a server ends when nobody is connected any more."""
        with self.lock:
            self.children = [child for child in self.children if child.poll() is None]
            held = self.held.get(there.socket)
            if held is not None and _is_open(held):
                return
            if held is not None:
                held.close()
                del self.held[there.socket]
            connection = there.connect()
            if connection is not None:
                self.held[there.socket] = connection

    def let_go(self) -> None:
        """Hold no server any more; those that nobody else needs end."""
        with self.lock:
            for connection in self.held.values():
                connection.close()
            self.held.clear()
            self.failed.clear()


_servers = _Servers()
# a forked process is another process: it holds nothing and knows of nothing
os.register_at_fork(after_in_child=_servers.__init__)  # type: ignore[misc]


def start_kernel(request: Request, options: Options) -> ForkedKernel:
    """Have a kernel forked; the server is started when there is none.

    Raises
    ------
    Unusable
        When no fork server can do it; the kernel has to be started the ordinary way.
    Full
        When there are as many kernels as there may be.
    """
    python = request.command[0]
    with options.place(python) as there:
        _servers.rest(there.socket)
        for _ in range(3):  # a server may end, or find itself out of date
            connection = _connection(there, python, request.environment, options)
            try:
                _servers.hold(there)
                return _ask(connection, request, options)
            except _Gone as gone:
                connection.close()
                reason = str(gone)
            except _Unfit as unfit:
                connection.close()
                raise _servers.fail(there.socket, str(unfit)) from unfit
            except BaseException:
                connection.close()
                raise
        raise _servers.fail(there.socket, f"{reason} (see {there.log})")


def warm(
    options: Options, python: str, variables: Mapping[str, str] | None = None
) -> None:
    """Start the fork server before the first kernel is wanted, and keep it."""
    variables = os.environ if variables is None else variables
    with options.place(python) as there:
        _connection(there, python, variables, options).close()
        _servers.hold(there)


def let_go() -> None:
    """Let fork servers end that this process has started or used."""
    _servers.let_go()


def _connection(
    there: Place, python: str, variables: Mapping[str, str], options: Options
) -> socket.socket:
    connection = there.connect()
    if connection is None:
        if not options.may_start:
            raise Unusable("no fork server is running")
        with there.lock():
            connection = there.connect()
            if connection is None:
                _start_server(there, python, variables, options)
                connection = there.connect()
    if connection is None:
        raise Unusable("the fork server ended at once")
    return connection


def _start_server(
    there: Place, python: str, variables: Mapping[str, str], options: Options
) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(there.listen())
        log = there.open_file(there.log.name, os.O_WRONLY | os.O_TRUNC)
        stack.callback(os.close, log)
        own = there.identity()
        command = [python, "-m", "kamp_lib.kernels.server", str(there.folder)]
        command += [there.name, str(listener.fileno())]
        child = subprocess.Popen(
            [*command, *options.arguments()],
            env=environment.for_server(variables, options.frozen),
            cwd="/",  # a module of that name in the user's folder is not meant
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    if own is None:
        raise Unusable("the socket was taken away")
    with _servers.lock:
        _servers.children.append(child)


def _ask(connection: socket.socket, request: Request, options: Options) -> ForkedKernel:
    try:
        with _own_handle() as handle:
            wire.send(connection, request.message(), [handle, *request.files])
        _answer(connection, "queued", options.ready_s)
        started, handles = _answer(connection, "started", options.turn_s)
        try:
            _answer(connection, "up", options.turn_s)
        except BaseException:
            wire.close(handles)
            raise
    except wire.Closed as error:
        raise _Gone("the fork server ended") from error
    except wire.Garbled as error:
        raise Unusable(f"no fork server: {error}") from error
    except TimeoutError as error:
        raise Unusable("the fork server did not answer in time") from error
    except OSError as error:
        raise Unusable(f"cannot ask the fork server: {error.strerror}") from error
    if len(handles) != 1:
        wire.close(handles)
        raise Unusable("the fork server gave no handle of the kernel")
    connection.settimeout(None)
    return ForkedKernel(request.command, int(started["pid"]), handles[0], connection)


def _answer(
    connection: socket.socket, wanted: str, timeout_s: float
) -> tuple[wire.Message, list[int]]:
    connection.settimeout(timeout_s)
    message, files = wire.receive(connection)
    state, reason = message.get("state"), str(message.get("reason", ""))
    if state == wanted:
        return message, files
    wire.close(files)
    if state == "full":
        raise Full(reason)
    if state == "gone":
        raise _Gone(reason)
    if state == "unfit":
        raise _Unfit(reason)
    if state == "exited":
        raise Unusable(f"the kernel ended while it started ({message.get('code')})")
    raise Unusable(reason or f"the fork server said {state!r} for {wanted!r}")


@contextmanager
def _own_handle() -> Iterator[int]:
    """This process, as something to be watched: its kernels end with it."""
    handle = os.pidfd_open(os.getpid())
    try:
        yield handle
    finally:
        os.close(handle)


def _is_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def supported() -> str | None:
    """Why this system cannot do it; None when it can."""
    if not sys.platform.startswith("linux"):
        return "fork servers need Linux"
    return None
