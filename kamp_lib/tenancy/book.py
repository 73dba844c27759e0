"""The open registry: its database, its folders, and who is writing in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kamp_lib.tenancy import audit, database
from kamp_lib.tenancy.passwords import Passwords


@dataclass(frozen=True)
class Book:
    """What companies and people are entered in; each entry is one transaction.

    Attributes
    ----------
    home
        KAMP_HOME, where the companies' folders lie.
    actor
        Who makes the changes; stands in the audit.
    """

    engine: Engine
    home: Path
    actor: str
    passwords: Passwords
    now: Callable[[], datetime]

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def folder(self, slug: str) -> Path:
        """Where a company's files lie."""
        return self.home / "tenants" / slug

    def _writing(self) -> AbstractContextManager[Session]:
        return database.writing(self.engine)

    def _reading(self) -> AbstractContextManager[Session]:
        return database.reading(self.engine)

    def _note(self, session: Session, action: str, subject: str, **detail: Any) -> None:
        audit.write(session, self.now(), self.actor, action, subject, detail)
