"""The registry's part about schedules: which runs come back, when, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kamp_lib.errors import KampError
from kamp_lib.tenancy import smes
from kamp_lib.tenancy.book import Book
from kamp_lib.tenancy.tables import FiringRow, ScheduleRow
from kamp_lib.tenancy.types import Firing, FiringStatus, Schedule, When
from kamp_lib.text import Text

# What is interrupted again and again is not made up for without end.
MOST_INTERRUPTED = 2


class Agenda(Book):
    """Schedules by number."""

    def add_schedule(
        self,
        slug: str,
        model: str,
        when: When,
        *,
        dataset: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        seen: str = "",
    ) -> Schedule:
        """A new schedule; its first time is the next one from now.

        Parameters
        ----------
        seen
            The state of the data that counts as dealt with.
        """
        with self._writing() as session:
            smes.found(session, slug)
            row = ScheduleRow(
                slug=slug,
                model=model,
                dataset=dataset,
                parameters=dict(parameters or {}),
                kind=when.rhythm,
                minute=when.minute,
                weekday=when.weekday,
                created=self.now(),
                created_by=self.actor,
                handled=self.now(),
                seen=seen,
            )
            session.add(row)
            session.flush()
            self._note(session, "schedule.add", slug, model=model, id=row.id)
            return _as_schedule(row)

    def remove_schedule(self, number: int) -> Schedule:
        """Take a schedule and its history away; unknown is a `KampError`."""
        with self._writing() as session:
            schedule = _as_schedule(_found(session, number))
            session.execute(delete(ScheduleRow).where(ScheduleRow.id == number))
            self._note(session, "schedule.remove", schedule.slug, id=number)
            return schedule

    def schedule(self, number: int) -> Schedule:
        """The schedule of this number; unknown is a `KampError`."""
        with self._reading() as session:
            return _as_schedule(_found(session, number))

    def schedules(self, slug: str | None = None) -> list[Schedule]:
        """All schedules, by company and number."""
        asked = select(ScheduleRow).order_by(ScheduleRow.slug, ScheduleRow.id)
        if slug is not None:
            asked = asked.where(ScheduleRow.slug == slug)
        with self._reading() as session:
            return [_as_schedule(row) for row in session.scalars(asked)]

    def begin_firing(
        self,
        number: int,
        due: datetime,
        *,
        seen: str | None = None,
        extra: bool = False,
    ) -> Firing | None:
        """Take this time of a schedule on; None when somebody has, or it is gone.

        Parameters
        ----------
        seen
            The state of the data that is dealt with by this.
        extra
            Beside its times, because a person wants it now.
        """
        with self._writing() as session:
            row = session.get(ScheduleRow, number, with_for_update=True)
            if row is None or _running(session, number):
                return None
            if not extra:
                if seen is None and row.handled >= due:
                    return None
                if seen is not None and row.seen == seen:
                    return None
                row.handled = due
                row.seen = row.seen if seen is None else seen
            firing = FiringRow(
                schedule=number,
                due=due,
                started=self.now(),
                status="running",
                runs=[],
                said_ko="",
                said_en="",
            )
            session.add(firing)
            session.flush()
            return _as_firing(firing)

    def end_firing(
        self, firing: int, status: FiringStatus, said: Text, runs: list[str]
    ) -> None:
        """Note how a time ended; one that was interrupted is made up for."""
        with self._writing() as session:
            row = session.get(FiringRow, firing)
            if row is None:  # its schedule was removed meanwhile
                return
            row.status, row.finished, row.runs = status, self.now(), runs
            row.said_ko, row.said_en = said.ko, said.en
            if status == "interrupted":
                _make_up(session, row)

    def firings(self, schedule: int | None = None, limit: int = 50) -> list[Firing]:
        """What became of each time, newest first."""
        asked = select(FiringRow).order_by(FiringRow.id.desc()).limit(limit)
        if schedule is not None:
            asked = asked.where(FiringRow.schedule == schedule)
        with self._reading() as session:
            return [_as_firing(row) for row in session.scalars(asked)]

    def running_firings(self) -> list[Firing]:
        """Those that are said to be at work."""
        asked = select(FiringRow).where(FiringRow.status == "running")
        with self._reading() as session:
            return [_as_firing(row) for row in session.scalars(asked)]


def _make_up(session: Session, firing: FiringRow) -> None:
    """Let the same time come again, unless that has been tried."""
    tried = session.scalar(
        select(func.count())
        .select_from(FiringRow)
        .where(
            FiringRow.schedule == firing.schedule,
            FiringRow.due == firing.due,
            FiringRow.status == "interrupted",
        )
    )
    schedule = session.get(ScheduleRow, firing.schedule)
    if schedule is not None and (tried or 0) < MOST_INTERRUPTED:
        schedule.handled = min(schedule.handled, firing.due - timedelta(seconds=1))
        schedule.seen = ""


def _running(session: Session, number: int) -> bool:
    asked = select(func.count()).select_from(FiringRow)
    asked = asked.where(FiringRow.schedule == number, FiringRow.status == "running")
    return bool(session.scalar(asked))


def _found(session: Session, number: int) -> ScheduleRow:
    row = session.get(ScheduleRow, number)
    if row is None:
        raise KampError(
            f"예약 {number}번이 없습니다. 목록: kamp schedule list",
            f"there is no schedule {number}; kamp schedule list shows them.",
        )
    return row


def _as_schedule(row: ScheduleRow) -> Schedule:
    return Schedule(
        id=row.id,
        slug=row.slug,
        model=row.model,
        dataset=row.dataset,
        parameters=dict(row.parameters),
        when=When(row.kind, row.minute, row.weekday),  # type: ignore[arg-type]
        created=row.created,
        created_by=row.created_by,
        handled=row.handled,
        seen=row.seen,
    )


def _as_firing(row: FiringRow) -> Firing:
    return Firing(
        id=row.id,
        schedule=row.schedule,
        due=row.due,
        started=row.started,
        finished=row.finished,
        status=row.status,  # type: ignore[arg-type]
        runs=tuple(row.runs),
        said=Text(row.said_ko, row.said_en),
    )
