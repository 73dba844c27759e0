"""Doing one order: in its company's walls, once at a time, a second time when that helps."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from kamp_lib.errors import KampError
from kamp_lib.fleet.changes import changes, record_of
from kamp_lib.fleet.orders import Order, Outcome, Status, short
from kamp_lib.fleet.pool import Pool
from kamp_lib.hub.inside import Result
from kamp_lib.hub.workers import WorkerLost
from kamp_lib.progress import Progress, silent
from kamp_lib.runs import RunRecord
from kamp_lib.runs.execute import DEAD_KERNEL, KERNEL_START
from kamp_lib.settings import settings
from kamp_lib.tenancy import Registry, Tenant, tenant_named
from kamp_lib.text import Text

# A killed worker or a dead kernel may be bad luck; what happens twice is not.
ATTEMPTS = 2
LOOK_S = 0.5
WAITING = Text("다른 배치가 끝나기를 기다림", "waiting for another batch")
STOPPED = Text("배치가 먼저 끝났습니다.", "the batch ended first.")
GONE = Text("그 사이에 삭제된 기업입니다.", "the company was removed meanwhile.")
PAUSED = Text("그 사이에 중지된 기업입니다.", "the company was suspended meanwhile.")


class Stopped(Exception):
    """Somebody ended the batch."""


def perform(
    order: Order,
    pool: Pool,
    registry: Registry,
    *,
    progress: Progress = silent,
    stop: threading.Event | None = None,
) -> Outcome:
    """Do an order; whatever goes wrong is an outcome, not an error."""
    stop = stop or threading.Event()
    began = time.monotonic()
    outcome = _settled(order, pool, registry, progress, stop)
    outcome.seconds = round(time.monotonic() - began, 3)
    return outcome


def _settled(
    order: Order,
    pool: Pool,
    registry: Registry,
    progress: Progress,
    stop: threading.Event,
) -> Outcome:
    attempts = 0
    try:
        with _alone(order, progress, stop):
            while True:
                attempts += 1
                outcome, transient = _attempt(order, pool, registry, progress, stop)
                outcome.attempts = attempts
                if not transient or attempts == ATTEMPTS or stop.is_set():
                    return outcome
    except Stopped:
        return Outcome(order=order, status="stopped", said=STOPPED, attempts=attempts)


@contextmanager
def _alone(order: Order, progress: Progress, stop: threading.Event) -> Iterator[None]:
    """Nobody else does the same order meanwhile, in whatever batch or schedule."""
    folder = settings().home.absolute() / "batches" / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # the data set's name comes from inside the walls: it is no part of a path
    name = hashlib.sha256(order.key.encode(errors="replace")).hexdigest()[:32]
    lock = FileLock(folder / f"{name}.lock")
    while True:
        if stop.is_set():
            raise Stopped
        try:
            lock.acquire(timeout=LOOK_S)
            break
        except Timeout:
            progress(WAITING)
    try:
        yield
    finally:
        lock.release()


def _attempt(
    order: Order,
    pool: Pool,
    registry: Registry,
    progress: Progress,
    stop: threading.Event,
) -> tuple[Outcome, bool]:
    """One try; also whether another could end better."""
    away = absent(registry, order.tenant)
    if away is not None:
        return Outcome(order=order, status="refused", said=away), False
    try:
        tenant = tenant_named(order.tenant)
        made = _run(order, tenant, pool, progress)
        record = record_of(tenant, made.result)
    except KampError as error:
        if stop.is_set():
            raise Stopped from error
        why = absent(registry, order.tenant) or error.text
        lost = isinstance(error, WorkerLost)
        status: Status = "failed" if lost else "refused"
        return Outcome(order=order, status=status, said=short(why)), lost
    if record is None:
        unread = Text("분석 결과를 읽을 수 없습니다.", "the run cannot be read.")
        return Outcome(order=order, status="failed", said=unread), False
    return outcome_of(order, record, tenant, known=made.known), _died(record)


def absent(registry: Registry, slug: str) -> Text | None:
    """Why a company's runs cannot go on, if it is not there or not open any more."""
    found = {sme.slug: sme.status for sme in registry.smes()}
    if slug not in found:
        return GONE
    return PAUSED if found[slug] != "active" else None


def _run(order: Order, tenant: Tenant, pool: Pool, progress: Progress) -> Result:
    request = {
        "model": order.model,
        "dataset": order.dataset,
        "parameters": order.parameters,
    }
    with pool.worker(tenant) as worker:
        do = worker.again if order.again else worker.run
        return do(request, progress)


def _died(record: RunRecord) -> bool:
    """Whether the kernel was killed rather than the analysis at its end."""
    return record.reason == DEAD_KERNEL


def outcome_of(
    order: Order, record: RunRecord, tenant: Tenant, *, known: bool
) -> Outcome:
    """What a bundle says of an order."""
    if record.status == "failed":
        said = record.reason or Text("알 수 없는 이유입니다.", "for an unknown reason.")
        return Outcome(order=order, status="failed", run=record.run, said=short(said))
    verdict = record.verdict
    return Outcome(
        order=order,
        status="known" if known else "succeeded",
        run=record.run,
        verdict=verdict.value if verdict else None,
        said=short(verdict.sentence) if verdict else Text("", ""),
        changed=changes(record, record_of(tenant, order.compared_with)),
        own_seconds=_of_cells(record),
    )


def _of_cells(record: RunRecord) -> float:
    """What the notebook's own steps took."""
    steps = record.timings.items()
    return round(sum(s for name, s in steps if name != KERNEL_START.en), 3)
