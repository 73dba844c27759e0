"""A batch on this machine: a few threads, each with a company's worker in its hand."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from kamp_lib.fleet.display import Watch
from kamp_lib.fleet.orders import Order, Outcome
from kamp_lib.fleet.perform import perform
from kamp_lib.fleet.pool import Pool
from kamp_lib.tenancy import Registry
from kamp_lib.text import Text

# A second worker for one company costs a start of its own; for fewer runs it is not worth it.
WORTH_A_SECOND = 4
LOOK_S = 0.2
Ended = Callable[[Outcome], None]


def threads_each(workers: int) -> int:
    """Threads that each of so many runs at once may compute with on this machine."""
    return max(1, (os.cpu_count() or 1) // workers)


class Queue:
    """Orders by company: whoever has a company's worker gets that company's next order.

    `ready` says whether a company's worker waits for something to do.
    """

    def __init__(
        self, orders: Sequence[Order], ready: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._ready = ready
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Order]] = {}
        self._served: dict[str, int] = {}
        for order in orders:
            self._waiting.setdefault(order.tenant, deque()).append(order)

    def take(self, last: str | None) -> Order | None:
        """The next order for whoever served the company `last`; None: nothing to do."""
        with self._lock:
            if last is not None and self._waiting.get(last):
                return self._waiting[last].popleft()
            if last is not None:
                self._served[last] -= 1
            chosen = self._choose()
            if chosen is None:
                return None
            self._served[chosen] = self._served.get(chosen, 0) + 1
            return self._waiting[chosen].popleft()

    def is_over(self, company: str) -> bool:
        """Whether nothing waits for a company, and nobody serves it."""
        with self._lock:
            return not (self._waiting.get(company) or self._served.get(company))

    def _choose(self) -> str | None:
        """The company with most to do that nobody serves, else one worth a second worker."""
        left = {slug: len(orders) for slug, orders in self._waiting.items() if orders}
        alone = {slug: n for slug, n in left.items() if not self._served.get(slug)}
        several = {slug: n for slug, n in left.items() if n >= WORTH_A_SECOND}
        candidates = alone or several
        return max(
            candidates,
            key=lambda slug: (self._ready(slug), candidates[slug]),
            default=None,
        )


def run_here(
    orders: Sequence[Order],
    registry: Registry,
    *,
    pool: Pool,
    watch: Watch,
    ended: Ended,
) -> None:
    """Do all orders, as many at once as the pool has; `ended` hears of each in this thread.

    Ctrl-C ends the workers, tells the outcomes so far and goes on as KeyboardInterrupt.
    """
    stop = threading.Event()
    waiting = Queue(orders, pool.idle_for)
    done: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
    left = len(orders)

    def told(outcome: Outcome | BaseException) -> None:
        if isinstance(outcome, BaseException):
            raise outcome
        ended(outcome)

    def serve(slot: int) -> None:
        last: str | None = None
        try:
            while not stop.is_set():
                order = waiting.take(last)
                if last is not None and waiting.is_over(last):
                    pool.let_go(last)
                if order is None:
                    return
                last = order.tenant
                with watch.one(slot, order) as progress:
                    done.put(
                        perform(order, pool, registry, progress=progress, stop=stop)
                    )
        except Exception as error:  # told where the batch waits, and raised there
            done.put(error)

    with ThreadPoolExecutor(pool.most) as slots:
        try:
            for slot in range(min(pool.most, len(orders))):
                slots.submit(serve, slot)
            while left:
                try:
                    outcome = done.get(timeout=LOOK_S)
                except queue.Empty:
                    continue
                told(outcome)
                left -= 1
        except BaseException:
            stop.set()
            watch.note(
                Text("하던 일을 정리하고 끝냅니다…", "tidying up before the end…")
            )
            pool.interrupt()
            slots.shutdown(wait=True)
            while not done.empty():
                last_word = done.get()
                if isinstance(last_word, Outcome):
                    ended(last_word)
            raise
