"""The fork server's loop: one thread that accepts requests, forks, and tells how kernels end.

It ends when nobody is connected any more, when it has been idle for long, or when what
it has imported changes on disk; the kernels that run go on.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kamp_lib.kernels import child, environment, preload, wire
from kamp_lib.kernels.child import Start
from kamp_lib.kernels.place import Place, Unusable

# A server nobody has asked yet waits so long for the one who started it.
LONELY_S = 30.0
LONGEST_S = 86_400.0
# What may be imported later is imported when nothing has been asked for so long: after a
# kernel, and when there has not been one.
QUIET_S = 2.0
UNASKED_S = 20.0


@dataclass
class Asked:
    """A connection, and what was asked for on it."""

    connection: socket.socket
    message: wire.Message
    files: list[int]


@dataclass
class Kernel:
    """A child, as its parent sees it."""

    pid: int
    handle: int
    owner: int
    starting: int
    connection: socket.socket | None

    def tell(self, **message: object) -> None:
        """Say something to whoever asked for this kernel, if they still listen."""
        if self.connection is not None:
            _tell(self.connection, message)


class ForkServer:
    """Accepts requests, forks, and tells how kernels end."""

    def __init__(
        self,
        place: Place,
        listener: socket.socket,
        imported: preload.Preload,
        own: dict[str, str],
        *,
        frozen: tuple[str, ...] = (),
        later: tuple[str, ...] = (),
        most: int = 100,
        at_once: int = 2,
        idle_s: float = 3600.0,
    ) -> None:
        self.place = place
        self.listener: socket.socket | None = listener
        self.identity = place.identity()
        self.imported = imported
        self.frozen = frozen
        self.own = own
        self.later = deque(later)
        self.processors = os.sched_getaffinity(0)
        self.most, self.at_once, self.idle_s = most, at_once, idle_s
        self.connections: set[socket.socket] = set()
        self.queue: deque[Asked] = deque()
        self.kernels: dict[int, Kernel] = {}
        self.last_asked = time.monotonic()
        self.ever_asked = False
        self.forked_before = False
        self.selector = selectors.DefaultSelector()
        listener.setblocking(False)
        self._watch(listener, self._accept)

    def serve(self) -> Start | None:
        """Serve until the end: None. In a forked child: what it is to become."""
        while not self._finished():
            for key, _ in self.selector.select(timeout=self._patience()):
                # the one before may have closed it, and a new file may have its number
                if self.selector.get_map().get(key.fd) == key:
                    key.data(key.fileobj)
            while self.queue and self._starting() < self.at_once:
                start = self._fork(self.queue.popleft())
                if start is not None:
                    return start
            if self._idle():
                self._retire("it was idle")
            elif self._at_leisure():
                self._import_one_more()
        if self.listener is not None:
            self._retire("nobody is connected")
        return None

    # --- the loop's conditions

    def _finished(self) -> bool:
        if self.connections or self.kernels or self.queue:
            return False
        waited = time.monotonic() - self.last_asked
        return self.listener is None or self.ever_asked or waited > LONELY_S

    def _idle(self) -> bool:
        return (
            self.listener is not None
            and not (self.kernels or self.queue)
            and time.monotonic() - self.last_asked > self.idle_s
        )

    def _at_leisure(self) -> bool:
        """Whether nobody has asked for a while, and there is something to import."""
        if not self.later or self.listener is None or self.queue or self._starting():
            return False
        return time.monotonic() - self.last_asked > self._leisure_s()

    def _leisure_s(self) -> float:
        return QUIET_S if self.forked_before else UNASKED_S

    def _import_one_more(self) -> None:
        """One at a time: a kernel that is asked for meanwhile waits for one only."""
        self.imported.add([self.later.popleft()])
        if not self.later:
            self.imported.hold_blas()
            for name, why in self.imported.failed.items():
                note(f"left to the kernels: {name} ({why})")
            gc.collect()
            gc.freeze()

    def _patience(self) -> float | None:
        if self.later and self.listener is not None and not self.queue:
            waited = time.monotonic() - self.last_asked
            return max(0.0, self._leisure_s() - waited) + 0.01
        if self.kernels or self.queue or self.listener is None:
            return None
        # the system knows no longer waits than some weeks
        limit = min(self.idle_s, LONGEST_S if self.ever_asked else LONELY_S)
        return max(0.0, self.last_asked + limit - time.monotonic()) + 0.01

    def _starting(self) -> int:
        return sum(kernel.starting >= 0 for kernel in self.kernels.values())

    # --- events

    def _watch(self, file: int | socket.socket, then: Callable[..., None]) -> None:
        self.selector.register(file, selectors.EVENT_READ, then)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        _, uid = wire.peer(connection)
        if uid != os.geteuid():
            note(f"user {uid} was turned away")
            connection.close()
            return
        connection.setblocking(False)
        self.connections.add(connection)
        self.ever_asked = True
        self._watch(connection, self._hear)

    def _hear(self, connection: socket.socket) -> None:
        try:
            message, files = wire.receive(connection)
        except BlockingIOError:
            return
        except (wire.Closed, wire.Garbled, OSError):
            self._drop(connection)
            return
        self.last_asked = time.monotonic()
        refused = self._refusal(message, files, connection)
        if refused is not None:
            if refused["state"] in ("gone", "unfit"):
                # first make room: whoever hears it looks for another server at once
                self._retire(str(refused["reason"]), but=connection)
            _tell(connection, refused)
            wire.close(files)
            self._drop(connection)
            return
        self.queue.append(Asked(connection, message, files))
        _tell(connection, {"state": "queued"})

    def _refusal(
        self, message: wire.Message, files: list[int], connection: socket.socket
    ) -> wire.Message | None:
        """Why this kernel is not started here; None, when it is."""
        asked_before = any(asked.connection is connection for asked in self.queue)
        running = any(k.connection is connection for k in self.kernels.values())
        if asked_before or running:
            return {"state": "refused", "reason": "one connection is for one kernel"}
        if not wire.understood(message) or len(files) != wire.FILES:
            return {"state": "refused", "reason": "the request is not understood"}
        wanted = environment.frozen(message["environment"], self.frozen)
        # what the imports set, they would have set in the kernel too
        wanted = {
            name: value
            for name, value in wanted.items()
            if name in self.own or self.imported.variables.get(name) != value
        }
        other = environment.difference(wanted, self.own)
        if other:
            return {
                "state": "refused",
                "reason": "other values than at import: " + ", ".join(other),
            }
        if set(message["processors"]) != self.processors:
            return {"state": "refused", "reason": "other processors than the server's"}
        changed = self.imported.changed()
        if changed is not None:
            return {"state": "gone", "reason": f"{changed} has changed"}
        found = preload.complaints()
        if found:
            return {"state": "unfit", "reason": "not fit to be forked: " + found[0]}
        if len(self.kernels) + len(self.queue) >= self.most:
            return {
                "state": "full",
                "reason": f"{self.most} kernels are running, which is the most there"
                " may be (KAMP_KERNELS_MOST); close some and try again",
            }
        return None

    def _started(self, pid: int, starting: int) -> None:
        """The child has become a kernel, or has something to say, or is gone."""
        told = os.read(starting, 2048)
        self._forget(starting)
        kernel = self.kernels[pid]
        kernel.starting = -1
        if told == child.UP:
            kernel.tell(state="up")
        elif told:
            kernel.tell(state="refused", reason=told.decode(errors="replace"))

    def _ended(self, pid: int) -> None:
        kernel = self.kernels.pop(pid)
        _, status = os.waitpid(pid, 0)
        if kernel.starting >= 0:
            self.kernels[pid] = kernel
            self._started(pid, kernel.starting)
            del self.kernels[pid]
        kernel.tell(state="exited", code=os.waitstatus_to_exitcode(status))
        self._forget(kernel.handle)
        if kernel.owner >= 0:
            self._forget(kernel.owner)
        if kernel.connection is not None:
            self._drop(kernel.connection)

    def _orphaned(self, pid: int) -> None:
        """Whoever asked for the kernel has ended: so does the kernel."""
        kernel = self.kernels[pid]
        signal.pidfd_send_signal(kernel.handle, signal.SIGKILL)
        self._forget(kernel.owner)
        kernel.owner = -1

    def _forget(self, file: int) -> None:
        self.selector.unregister(file)
        os.close(file)

    def _drop(self, connection: socket.socket) -> None:
        self.selector.unregister(connection)
        self.connections.discard(connection)
        connection.close()
        for asked in [a for a in self.queue if a.connection is connection]:
            wire.close(asked.files)
            self.queue.remove(asked)
        for kernel in self.kernels.values():
            if kernel.connection is connection:
                kernel.connection = None

    def _retire(self, why: str, but: socket.socket | None = None) -> None:
        """Serve no more; stay for the kernels that run."""
        if self.listener is None:
            return
        note(f"ending: {why}")
        self.selector.unregister(self.listener)
        self.listener.close()
        self.listener = None
        if self.identity is not None:
            try:
                self.place.leave(self.identity)
            except (Unusable, OSError) as error:
                note(f"the socket stays behind: {error}")
        busy = {kernel.connection for kernel in self.kernels.values()}
        busy |= {asked.connection for asked in self.queue}
        for connection in self.connections - busy - {but}:
            self._drop(connection)

    # --- the fork

    def _fork(self, asked: Asked) -> Start | None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            self._close_all(asked, reading)
            return Start(asked.message, asked.files, writing)
        os.close(writing)
        owner, *files = asked.files
        wire.close(files)
        handle = os.pidfd_open(pid)
        self.forked_before = True
        kernel = Kernel(pid, handle, owner, reading, asked.connection)
        self.kernels[pid] = kernel
        self._watch(handle, lambda _: self._ended(pid))
        self._watch(owner, lambda _: self._orphaned(pid))
        self._watch(reading, lambda file: self._started(pid, file))
        _tell(asked.connection, {"state": "started", "pid": pid}, [handle])
        return None

    def _close_all(self, asked: Asked, reading: int) -> None:
        """In the child: everything of the parent's that is no business of a kernel's."""
        os.close(reading)
        self.selector.close()
        if self.listener is not None:
            self.listener.close()
        for connection in self.connections:
            connection.close()
        for kernel in self.kernels.values():
            wire.close(
                [f for f in (kernel.handle, kernel.owner, kernel.starting) if f >= 0]
            )
        for other in self.queue:
            wire.close(other.files)
        self.place.close()


def _tell(
    connection: socket.socket, message: wire.Message, files: list[int] | None = None
) -> None:
    try:
        wire.send(connection, message, files or [])
    except (wire.Closed, OSError) as error:
        # whoever asked does not listen any more: the closed connection will be heard of
        note(f"nobody hears {message.get('state')}: {error!r}")


def note(text: str) -> None:
    """A line in the fork server's log."""
    print(f"{time.strftime('%F %T')} {text}", file=sys.stderr, flush=True)
