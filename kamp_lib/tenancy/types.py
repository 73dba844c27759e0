"""What the registry hands out: companies, people, roles. Values only, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from kamp_lib.tenancy.plans import Plan
from kamp_lib.text import Text

Status = Literal["active", "suspended"]


class Role(StrEnum):
    """What a person may do in one company; an operator is a flag of the person."""

    ANALYST = "analyst"
    MANAGER = "manager"
    CONSULTANT = "consultant"

    @property
    def label(self) -> Text:
        """The role in people's words."""
        return ROLE_NAMES[self]


ROLE_NAMES = {
    Role.ANALYST: Text("분석가", "analyst"),
    Role.MANAGER: Text("현장 관리자", "manager"),
    Role.CONSULTANT: Text("컨설턴트", "consultant"),
}


@dataclass(frozen=True)
class Sme:
    """A company as the platform knows it; `uid` owns its files when the hub is root."""

    slug: str
    name: Text
    industry: str
    equipment: tuple[str, ...]
    time_zone: str
    plan: Plan
    status: Status
    uid: int | None
    demo: bool = False
    created: datetime | None = None


@dataclass(frozen=True)
class Person:
    """Somebody who signs in; `created` tells two who had the same name apart."""

    name: str
    display_name: str
    operator: bool
    email: str | None
    must_change: bool
    created: datetime | None = None


@dataclass(frozen=True)
class Access:
    """What a person may do now: roles by company, active companies only."""

    person: Person
    roles: dict[str, frozenset[Role]]


@dataclass(frozen=True)
class SignIn:
    """The answer to a name and a password.

    `must-change` is right, too, but the person has to choose a new password first;
    `until` is when a locked name may be tried again.
    """

    status: Literal["ok", "wrong", "locked", "must-change"]
    person: Person | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditEntry:
    """Who did what to what, and when."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)


Rhythm = Literal["nightly", "weekly", "new-data"]
FiringStatus = Literal["running", "succeeded", "failed", "skipped", "interrupted"]


@dataclass(frozen=True)
class When:
    """How often something comes back.

    `minute` counts from midnight in the company's own time zone; `weekday` from Monday.
    """

    rhythm: Rhythm
    minute: int | None = None
    weekday: int | None = None


@dataclass(frozen=True)
class Schedule:
    """A run that comes back; `handled` and `seen` say what has been dealt with."""

    id: int
    slug: str
    model: str
    dataset: str | None
    parameters: dict[str, Any]
    when: When
    created: datetime
    created_by: str
    handled: datetime
    seen: str


@dataclass(frozen=True)
class Firing:
    """One time that a schedule was due, and what became of it."""

    id: int
    schedule: int
    due: datetime
    started: datetime
    finished: datetime | None
    status: FiringStatus
    runs: tuple[str, ...]
    said: Text
