"""Doing a plan: the record grows with it, the report is written at its end.

A batch that was interrupted or killed needs no repair: the next one begins where it
stopped, because what is done is not done again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from filelock import FileLock

from kamp_lib.fleet.display import Unseen, Watch
from kamp_lib.fleet.local import run_here
from kamp_lib.fleet.orders import Outcome
from kamp_lib.fleet.perform import STOPPED
from kamp_lib.fleet.planning import Plan
from kamp_lib.fleet.pool import Pool
from kamp_lib.fleet.record import LOCK, RECORD, Batch, earlier, write_whole
from kamp_lib.fleet.report import write_report
from kamp_lib.hub.left_over import sweep_jobs
from kamp_lib.settings import person, settings
from kamp_lib.tenancy import Registry

# How often the record is written while the batch goes on.
EVERY_S = 1.0


def run_batch(
    plan: Plan,
    registry: Registry,
    *,
    pool: Pool,
    cluster: str | None = None,
    watch: Watch | None = None,
) -> Batch:
    """Do a plan and write its record and report; an interrupted one is returned, too.

    Parameters
    ----------
    pool
        Workers on this machine, as many as may run at the same time, and their limits.
    cluster
        Address of a Dask scheduler, to have the runs made there.

    Raises
    ------
    KampError
        When the cluster cannot be used; then nothing has been run.
    """
    watch = watch or Unseen()
    sweep_jobs(settings().home)
    with _opened(plan, pool.most, cluster) as pages:
        batch = pages.batch

        def ended(outcome: Outcome) -> None:
            pages.add(outcome)
            watch.ended(outcome)

        try:
            if cluster is not None:
                from kamp_lib.fleet.cluster import run_on_cluster

                run_on_cluster(plan.orders, cluster, limits=pool.limits, ended=ended)
            else:
                run_here(
                    plan.orders,
                    registry,
                    pool=pool,
                    watch=watch,
                    ended=ended,
                )
            batch.status = "finished"
        except KeyboardInterrupt:
            batch.status = "stopped"
            for order in list(batch.waiting):
                pages.add(Outcome(order=order, status="stopped", said=STOPPED))
        pages.close()
        write_report(batch, earlier(batch))
    return batch


@dataclass
class _Pages:
    """The record while it grows."""

    batch: Batch
    written: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome) -> None:
        self.batch.outcomes.append(outcome)
        if outcome.order in self.batch.waiting:
            self.batch.waiting.remove(outcome.order)
        if time.monotonic() - self.written > EVERY_S:
            self.write()

    def close(self) -> None:
        self.batch.finished = datetime.now(UTC)
        self.batch.seconds = round(time.monotonic() - self.began, 3)
        self.write()

    def write(self) -> None:
        self.written = time.monotonic()
        text = self.batch.model_dump_json(indent=1)
        write_whole(self.batch.folder / RECORD, text)


@contextmanager
def _opened(plan: Plan, workers: int, cluster: str | None) -> Iterator[_Pages]:
    """A new batch's folder and record, held by a lock as long as it goes on."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    batch = Batch(
        id=f"{stamp}-{secrets.token_hex(3)}",
        person=person(),
        workers=workers,
        cluster=cluster,
        started=datetime.now(UTC),
        waiting=list(plan.orders),
        outcomes=list(plan.settled),
    )
    batch.folder.mkdir(mode=0o700, parents=True)
    with FileLock(batch.folder / LOCK):
        pages = _Pages(batch)
        pages.write()
        yield pages
