"""Who did what when: written in the transaction of the deed itself."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kamp_lib.tenancy.tables import AuditRow
from kamp_lib.tenancy.types import AuditEntry

LONGEST = 100


def at_the_keyboard() -> str:
    """Who gives commands on this machine; the colon keeps them apart from people's names."""
    try:
        return f"os:{os.environ.get('SUDO_USER') or getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name
        return f"os:{os.getuid()}"


def write(
    session: Session,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line; words that are not printable are escaped, long ones are cut."""
    session.add(
        AuditRow(
            at=at,
            actor=_plain(actor),
            action=_plain(action),
            subject=_plain(subject),
            detail=dict(detail or {}),
        )
    )


def entries(
    session: Session,
    subject: str | None = None,
    *,
    limit: int | None = None,
    since: datetime | None = None,
) -> list[AuditEntry]:
    """Lines, newest first."""
    asked = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if subject is not None:
        asked = asked.where(AuditRow.subject == subject)
    if since is not None:
        asked = asked.where(AuditRow.at >= since)
    return [
        AuditEntry(row.at, row.actor, row.action, row.subject, row.detail)
        for row in session.scalars(asked)
    ]


def _plain(words: str) -> str:
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)
    return shown[:LONGEST]
