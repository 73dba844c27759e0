"""Lock-out: a name with five wrong passwords within 15 minutes rests for 15 minutes.

An attempt is counted *before* its password is looked at, one at a time for each name, so
that a hundred at once are five guesses, too; a right password takes the count back.
Names that nobody has are counted alike, or a lock would tell who exists.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kamp_lib.tenancy.database import one_at_a_time
from kamp_lib.tenancy.tables import AttemptRow

MOST = 5
WINDOW = timedelta(minutes=15)
REST = timedelta(minutes=15)
# a lock is worked out from attempts not older than both together
KEPT = WINDOW + REST


def begin(session: Session, name: str, now: datetime) -> datetime | None:
    """Count an attempt; when the name is locked, until when (and nothing is counted)."""
    one_at_a_time(session, f"sign-in:{name}")
    session.execute(delete(AttemptRow).where(AttemptRow.at < now - KEPT))
    until = locked_until(session, name, now)
    if until is None:
        session.add(AttemptRow(name=name, at=now))
    return until


def locked_until(session: Session, name: str, now: datetime) -> datetime | None:
    """When the name may be tried again; None when it may be now."""
    newest_first = select(AttemptRow.at).where(AttemptRow.name == name)
    newest_first = newest_first.order_by(AttemptRow.at.desc()).limit(MOST)
    return _rest(session.scalars(newest_first), now)


def _rest(newest_first: Iterable[datetime], now: datetime) -> datetime | None:
    times = list(newest_first)
    if len(times) < MOST or times[0] - times[-1] > WINDOW:
        return None
    until = times[0] + REST
    return until if now < until else None


def forget(session: Session, name: str) -> None:
    """The password was right, or an operator unlocks the name."""
    session.execute(delete(AttemptRow).where(AttemptRow.name == name))
