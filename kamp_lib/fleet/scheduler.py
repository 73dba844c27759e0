"""The scheduler: every few seconds, starts the runs that are due.

A hub service (`python -m kamp_lib.fleet.scheduler`), apart from all workspaces: the
culling of idle servers does not touch it. What was due while it was down is made up for,
once; what is at work when it is ended is tidied away and made up for at its next start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import lru_cache

from kamp_lib.errors import KampError
from kamp_lib.fleet.firing import due_now, fire, sweep
from kamp_lib.fleet.pool import Pool
from kamp_lib.hub.left_over import sweep_jobs
from kamp_lib.hub.walls import require_walls
from kamp_lib.settings import settings
from kamp_lib.tenancy import Registry, open_registry
from kamp_lib.tenancy.types import Firing, Schedule

EVERY_S = 15.0
# A walled worker that waits holds memory that workspaces could use.
IDLE_S = 30.0
log = logging.getLogger("kamp.scheduler")


class Scheduler:
    """Looks for what is due and hands it to a few threads."""

    def __init__(self, registry: Registry, *, at_once: int) -> None:
        self.registry = registry
        self.pool = Pool(at_once)
        self.stop = threading.Event()
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="kamp-due")
        self._at_work: dict[int, Future[Firing | None]] = {}

    def look(self) -> list[int]:
        """One look; returns the numbers of the schedules that were started."""
        self._clear()
        smes = {sme.slug: sme for sme in self.registry.smes()}
        started = []
        for schedule in self.registry.schedules():
            sme = smes.get(schedule.slug)
            if schedule.id in self._at_work or sme is None or sme.status != "active":
                continue  # a suspended company's time waits until it is resumed
            try:
                due = due_now(self.registry, schedule, sme)
            except KampError as error:  # one company's trouble is not the others'
                log.warning("schedule %s: %s", schedule.id, error)
                continue
            if due is not None:
                self._start(schedule, due)
                started.append(schedule.id)
        self.pool.drop_idle(IDLE_S)
        return started

    def wait(self) -> None:
        """Until everything that was started has ended."""
        for future in list(self._at_work.values()):
            with contextlib.suppress(KampError):
                future.result()
        self._clear()

    def end(self) -> None:
        """Tidy up what is at work and end."""
        self.stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.pool.interrupt()
        self._threads.shutdown(wait=True)
        self.pool.close()
        self._clear()

    def _start(self, schedule: Schedule, due: datetime) -> None:
        self._at_work[schedule.id] = self._threads.submit(
            fire, self.registry, schedule, due, self.pool, stop=self.stop
        )

    def _clear(self) -> None:
        """Say how those ended that have."""
        for number, future in list(self._at_work.items()):
            if not future.done():
                continue
            del self._at_work[number]
            if future.cancelled():  # it had not begun
                continue
            error = future.exception()
            if error is not None:
                log.warning("schedule %s: %s: %s", number, type(error).__name__, error)
            elif (firing := future.result()) is not None:
                log.info("schedule %s: %s: %s", number, firing.status, firing.said.en)


def main() -> None:
    """Look, wait, look again, until the hub ends this process."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    sweep_jobs(settings().home)
    scheduler = Scheduler(open_registry(), at_once=max(1, (os.cpu_count() or 2) // 2))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scheduler.stop.set())
    try:
        while not scheduler.stop.is_set():
            _look(scheduler)
            scheduler.stop.wait(EVERY_S)
    finally:
        scheduler.end()


def _look(scheduler: Scheduler) -> None:
    try:
        _check_walls(tuple(sme.slug for sme in scheduler.registry.smes()))
        sweep(scheduler.registry)
        scheduler.look()
    except (OSError, KampError) as error:
        # the database is away, or the walls are down: say so, and look again
        log.warning("could not look: %s", error)


@lru_cache(maxsize=1)
def _check_walls(slugs: tuple[str, ...]) -> None:
    """Several companies are worked on behind walls, or not at all.

    The check builds a sandbox, so what was found is kept; what fails is looked at again.
    """
    require_walls(list(slugs), allowed_without=settings().unsafe_no_walls)


if __name__ == "__main__":
    main()
