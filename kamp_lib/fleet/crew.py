"""The part of a batch that happens in a Dask worker: a pool of walled workers of its own."""

from __future__ import annotations

import threading
from typing import Any

from kamp_lib.fleet.orders import Order
from kamp_lib.fleet.perform import perform
from kamp_lib.fleet.pool import Pool
from kamp_lib.hub.jobs import JobLimits
from kamp_lib.tenancy import Registry, open_registry

# A walled worker that waits holds some hundred MB; it is kept for the next order, not longer.
IDLE_S = 60.0


class Crew:
    """The pool of this process and its registry, made when the first order comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._registry: Registry | None = None
        self._stop = threading.Event()

    def do(self, order: Order, limits: JobLimits) -> dict[str, Any]:
        """Do an order here; the outcome as plain values."""
        from distributed import get_worker

        worker = get_worker()
        pool, registry = self._ready(limits, worker.state.nthreads)
        outcome = perform(order, pool, registry, stop=self._stop)
        outcome.where = worker.address
        timer = threading.Timer(IDLE_S, pool.drop_idle, [IDLE_S])
        timer.daemon = True
        timer.start()
        return outcome.model_dump(mode="json")

    def end(self) -> None:
        """The batch has ended: give everything back, and end what is still at work."""
        with self._lock:
            pool, self._pool = self._pool, None
            stop, self._stop = self._stop, threading.Event()
        stop.set()
        if pool is not None:
            pool.interrupt()
            pool.close()

    def _ready(self, limits: JobLimits, most: int) -> tuple[Pool, Registry]:
        with self._lock:
            if self._pool is None or self._pool.limits != limits:
                self._pool = Pool(most, limits)
            if self._registry is None:
                self._registry = open_registry()
            return self._pool, self._registry


_crew = Crew()


def do_order(order: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """The task that Dask runs."""
    return _crew.do(Order.model_validate(order), JobLimits(**limits))


def end_crew() -> None:
    """Run on every Dask worker when a batch has ended."""
    _crew.end()
