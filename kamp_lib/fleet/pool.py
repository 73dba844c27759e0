"""Workers kept for the next run of the same company, no more than a number at once.

A worker starts in a few seconds and then does a run in little more than the run's own
time, so whoever has finished a run leaves it here for the next. As many as work at once
may wait beside them: who was asked for its plan is there for its runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType

from kamp_lib.hub.jobs import TIDY_S, JobLimits
from kamp_lib.hub.workers import Worker, at_work
from kamp_lib.tenancy import Tenant


@dataclass
class _Kept:
    """A worker, how it is ended, and since when it has nothing to do."""

    worker: Worker
    end: ExitStack
    idle_since: float = field(default_factory=time.monotonic)


class Pool:
    """Workers of several companies; at most `most` at work, and twice as many alive."""

    def __init__(self, most: int, limits: JobLimits | None = None) -> None:
        self.most = most
        self.limits = limits or JobLimits()
        self._idle: list[_Kept] = []
        self._busy: list[_Kept] = []
        self._lock = threading.Lock()
        self._closed = False
        # A worker ends with the thread that started it (the kernel's "parent death
        # signal"), so one thread starts them all and lives as long as the pool.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="kamp-workers")

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def worker(self, tenant: Tenant) -> Iterator[Worker]:
        """This company's worker for the length of a block, kept if it is alive then."""
        kept = self._taken(tenant) or self._new(tenant)
        try:
            yield kept.worker
        finally:
            self._give_back(kept)

    def idle_for(self, tenant: str) -> bool:
        """Whether a worker of this company waits for something to do."""
        with self._lock:
            return any(k.worker.tenant.slug == tenant for k in self._idle)

    def let_go(self, tenant: str) -> None:
        """End a company's waiting workers, of more than may be at work: it has had all."""
        with self._lock:
            spare = len(self._idle) + len(self._busy) > self.most
        if spare:
            self._drop(lambda kept: kept.worker.tenant.slug == tenant)

    def drop_idle(self, longer_than_s: float) -> None:
        """End workers that have had nothing to do for a while."""
        before = time.monotonic() - longer_than_s
        self._drop(lambda kept: kept.idle_since < before)

    def interrupt(self) -> None:
        """End all as Ctrl-C does: what is half done is tidied away by those who made it."""
        with self._lock:
            self._closed = True
            alive = [k.worker for k in (*self._idle, *self._busy)]
        for worker in alive:
            worker.interrupt()
        ends = time.monotonic() + TIDY_S
        for worker in alive:
            if not worker.wait(max(0.1, ends - time.monotonic())):
                worker.end()

    def close(self) -> None:
        """End all workers that are idle; those at work end when they come back."""
        with self._lock:
            self._closed = True
        self._drop(lambda kept: True)
        self._starter.shutdown()

    def _taken(self, tenant: Tenant) -> _Kept | None:
        with self._lock:
            for kept in self._idle:
                if kept.worker.tenant.slug == tenant.slug and kept.worker.alive:
                    self._idle.remove(kept)
                    self._busy.append(kept)
                    return kept
        return None

    def _new(self, tenant: Tenant) -> _Kept:
        return self._starter.submit(self._start, tenant).result()

    def _start(self, tenant: Tenant) -> _Kept:
        """Start a worker; done by one thread, so that no two take the same last place."""
        self._make_room()
        stack = ExitStack()
        kept = _Kept(stack.enter_context(at_work(tenant, self.limits)), stack)
        with self._lock:
            self._busy.append(kept)
            late = self._closed
        if late:
            kept.worker.end()
        return kept

    def _make_room(self) -> None:
        """End the worker that has been idle longest, when the pool is full."""
        with self._lock:
            full = len(self._idle) + len(self._busy) >= 2 * self.most
            first = min(self._idle, key=lambda k: k.idle_since, default=None)
        if full and first is not None:
            self._drop(lambda kept: kept is first)

    def _give_back(self, kept: _Kept) -> None:
        with self._lock:
            self._busy.remove(kept)
            kept.idle_since = time.monotonic()
            keep = kept.worker.alive and not self._closed
            if keep:
                self._idle.append(kept)
        if not keep:
            kept.end.close()

    def _drop(self, which: Callable[[_Kept], bool]) -> None:
        with self._lock:
            dropped = [kept for kept in self._idle if which(kept)]
            self._idle = [kept for kept in self._idle if kept not in dropped]
        for kept in dropped:
            kept.end.close()
