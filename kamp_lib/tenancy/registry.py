"""The registry: companies, people, roles and sign-in, each call one transaction.

A company's folder stays complete in itself; the registry adds what only the platform
needs to know. Transactions begin and end in `companies` and `accounts`, where every change gets its
line in the audit; the rows are changed in `smes`, `people`, `lockout` and `audit`. What
runs come back when is in `agenda`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kamp_lib.settings import settings
from kamp_lib.tenancy import audit, database, schema
from kamp_lib.tenancy.accounts import Accounts
from kamp_lib.tenancy.agenda import Agenda
from kamp_lib.tenancy.companies import Companies
from kamp_lib.tenancy.passwords import Passwords
from kamp_lib.tenancy.types import AuditEntry


def _now() -> datetime:
    return datetime.now(UTC)


def open_registry(
    url: str | None = None,
    *,
    actor: str | None = None,
    home: Path | None = None,
    passwords: Passwords | None = None,
    now: Callable[[], datetime] = _now,
) -> Registry:
    """The registry of this platform; SQLite's file is created and migrated on the way.

    Parameters
    ----------
    url
        Of the database; `KAMP_DATABASE` when left out.
    actor
        Who makes the changes, for the audit; whoever is at the keyboard when left out.

    Raises
    ------
    KampError
        When the database cannot be reached, or a PostgreSQL has not been migrated.
    """
    engine = database.open_engine(database.database_url(url or settings().database_url))
    if engine.dialect.name == "sqlite":
        schema.upgrade(engine)
    else:
        schema.require_newest(engine)
    return Registry(
        engine,
        home=(home or settings().home).absolute(),
        actor=actor or audit.at_the_keyboard(),
        passwords=passwords or Passwords(),
        now=now,
    )


class Registry(Companies, Accounts, Agenda):
    """Companies, people, roles and schedules of one platform."""

    def acting(self, actor: str) -> Registry:
        """The same registry, with somebody else named in the audit."""
        return replace(self, actor=actor)

    def audit(
        self,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Note what somebody did; the registry's own changes note themselves."""
        with self._writing() as session:
            audit.write(session, self.now(), actor, action, subject, detail)

    def audit_entries(
        self,
        subject: str | None = None,
        limit: int | None = 100,
        *,
        since: datetime | None = None,
    ) -> list[AuditEntry]:
        """What was done, newest first; to one company or person, or to all."""
        with self._reading() as session:
            return audit.entries(session, subject, limit=limit, since=since)
