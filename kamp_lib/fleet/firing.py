"""One time that a schedule is due: planned inside the company's walls, run, written down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from filelock import FileLock, Timeout

from kamp_lib.errors import KampError
from kamp_lib.fleet.datamark import data_mark
from kamp_lib.fleet.due import last_due
from kamp_lib.fleet.orders import Outcome
from kamp_lib.fleet.perform import perform
from kamp_lib.fleet.planning import Wanted, make_plan
from kamp_lib.fleet.pool import Pool
from kamp_lib.fleet.record import batches_folder
from kamp_lib.progress import Progress, silent
from kamp_lib.tenancy import Registry, tenant_named
from kamp_lib.tenancy.types import Firing, FiringStatus, Schedule, Sme
from kamp_lib.text import Text

UNCHANGED = Text(
    "데이터가 그대로라 실행하지 않았습니다.", "skipped: the data have not changed."
)
BROKEN_OFF = Text(
    "실행 도중에 꺼졌습니다. 다시 실행합니다.", "it was cut off; it is made up for."
)


def due_now(registry: Registry, schedule: Schedule, sme: Sme) -> datetime | None:
    """The time that is to be dealt with now, if there is one."""
    now = registry.now()
    if schedule.when.rhythm == "new-data":
        mark = data_mark(tenant_named(schedule.slug), schedule.dataset)
        return now if mark and mark != schedule.seen else None
    last = last_due(schedule.when, sme.time_zone, now)
    return last if last is not None and last > schedule.handled else None


def fire(
    registry: Registry,
    schedule: Schedule,
    due: datetime,
    pool: Pool,
    *,
    extra: bool = False,
    stop: threading.Event | None = None,
    progress: Progress = silent,
) -> Firing | None:
    """Deal with this time of a schedule; None when somebody else does."""
    stop = stop or threading.Event()
    seen = None
    if schedule.when.rhythm == "new-data":
        seen = data_mark(tenant_named(schedule.slug), schedule.dataset)
    with _alone(schedule.id) as alone:
        firing = (
            registry.begin_firing(schedule.id, due, seen=seen, extra=extra)
            if alone
            else None
        )
        if firing is None:
            return None
        try:
            status, said, runs = _work(registry, schedule, pool, stop, progress)
        except BaseException:
            registry.end_firing(firing.id, "interrupted", BROKEN_OFF, [])
            raise
        registry.end_firing(firing.id, status, said, runs)
    return next(f for f in registry.firings(schedule.id) if f.id == firing.id)


def sweep(registry: Registry) -> int:
    """Note what was cut off by a kill, so that it is made up for; returns how many."""
    count = 0
    for firing in registry.running_firings():
        with _alone(firing.schedule) as alone:
            if alone:
                registry.end_firing(firing.id, "interrupted", BROKEN_OFF, [])
                count += 1
    return count


@contextmanager
def _alone(schedule: int) -> Iterator[bool]:
    """Whether nobody else is at this schedule, and nobody comes for the block's length."""
    folder = batches_folder() / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(folder / f"schedule-{schedule}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _work(
    registry: Registry,
    schedule: Schedule,
    pool: Pool,
    stop: threading.Event,
    progress: Progress,
) -> tuple[FiringStatus, Text, list[str]]:
    wanted = Wanted(
        tenants=(schedule.slug,),
        models=(schedule.model,),
        dataset=schedule.dataset,
        parameters=schedule.parameters,
    )
    try:
        plan = make_plan(registry, wanted, pool, progress=progress)
    except KampError as error:  # a model that is no longer in the catalogue
        return "failed", error.text, []
    outcomes = list(plan.settled)
    for order in plan.orders:
        outcomes.append(perform(order, pool, registry, progress=progress, stop=stop))
    return _summary(outcomes)


def _summary(outcomes: list[Outcome]) -> tuple[FiringStatus, Text, list[str]]:
    runs = [o.run for o in outcomes if o.run and o.status != "known"]
    if any(o.status == "stopped" for o in outcomes):
        return "interrupted", BROKEN_OFF, runs
    troubles = [o for o in outcomes if o.trouble]
    if troubles:
        return "failed", _told(troubles), runs
    if all(o.status == "known" for o in outcomes):
        return "skipped", UNCHANGED, []
    return "succeeded", _told([o for o in outcomes if o.status != "known"]), runs


def _told(outcomes: list[Outcome]) -> Text:
    said = [o.said for o in outcomes]
    return Text(" / ".join(s.ko for s in said), " / ".join(s.en for s in said))
