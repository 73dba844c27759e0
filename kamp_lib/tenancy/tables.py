"""The tables of the platform database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    String,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAME = String(30)  # the slug rule


class Moment(TypeDecorator[datetime]):
    """A time in UTC; SQLite has no zones, so it is written without and read with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value


class Base(DeclarativeBase):
    # constraints with names of their own can be changed by later migrations
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class NameRow(Base):
    """Every name ever used, and what for.

    Companies and people are hub users alike, so they share one space.
    """

    __tablename__ = "names"
    __table_args__ = (CheckConstraint("kind IN ('sme', 'person')", name="kind"),)

    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))


class UidRow(Base):
    """Every user id ever given: files may outlive a company, so none is given twice."""

    __tablename__ = "uids"

    uid: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(NAME)
    given: Mapped[datetime] = mapped_column(Moment)


class SmeRow(Base):
    __tablename__ = "smes"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
    )

    slug: Mapped[str] = mapped_column(
        ForeignKey("names.name", ondelete="CASCADE"), primary_key=True
    )
    name_ko: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    industry: Mapped[str] = mapped_column(String(100))
    equipment: Mapped[list[str]] = mapped_column(JSON)
    time_zone: Mapped[str] = mapped_column(String(100))
    plan: Mapped[str] = mapped_column(NAME)
    status: Mapped[str] = mapped_column(String(10))
    demo: Mapped[bool]
    uid: Mapped[int] = mapped_column(ForeignKey("uids.uid"), unique=True)
    created: Mapped[datetime] = mapped_column(Moment)


class PersonRow(Base):
    __tablename__ = "people"

    name: Mapped[str] = mapped_column(
        ForeignKey("names.name", ondelete="CASCADE"), primary_key=True
    )
    display_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str | None] = mapped_column(String(254))
    operator: Mapped[bool]
    password: Mapped[str] = mapped_column(Text)  # argon2's own encoding
    must_change: Mapped[bool]
    created: Mapped[datetime] = mapped_column(Moment)


class RoleRow(Base):
    __tablename__ = "roles"
    __table_args__ = (
        CheckConstraint("role IN ('analyst', 'manager', 'consultant')", name="role"),
    )

    person: Mapped[str] = mapped_column(
        ForeignKey("people.name", ondelete="CASCADE"), primary_key=True
    )
    slug: Mapped[str] = mapped_column(
        ForeignKey("smes.slug", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(20), primary_key=True)


class AttemptRow(Base):
    """A sign-in that is not known to be right; of names that nobody has, too."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(NAME, index=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)


class AuditRow(Base):
    """Who did what when; rows are added, never changed."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(100), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class ScheduleRow(Base):
    """A run that comes back: which company's model, and when.

    `handled` is until when its times have been dealt with, `seen` the state of the data
    that was last dealt with.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("kind IN ('nightly', 'weekly', 'new-data')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(
        ForeignKey("smes.slug", ondelete="CASCADE"), index=True
    )
    model: Mapped[str] = mapped_column(String(100))
    dataset: Mapped[str | None] = mapped_column(String(200))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    kind: Mapped[str] = mapped_column(String(10))
    minute: Mapped[int | None]
    weekday: Mapped[int | None]
    created: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(String(100))
    handled: Mapped[datetime] = mapped_column(Moment)
    seen: Mapped[str] = mapped_column(String(64))


class FiringRow(Base):
    """One time that a schedule was due, and what became of it."""

    __tablename__ = "firings"
    __table_args__ = (
        CheckConstraint(
            "status IN ('running', 'succeeded', 'failed', 'skipped', 'interrupted')",
            name="status",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule: Mapped[int] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), index=True
    )
    due: Mapped[datetime] = mapped_column(Moment)
    started: Mapped[datetime] = mapped_column(Moment)
    finished: Mapped[datetime | None] = mapped_column(Moment)
    status: Mapped[str] = mapped_column(String(12))
    runs: Mapped[list[str]] = mapped_column(JSON)
    said_ko: Mapped[str] = mapped_column(Text)
    said_en: Mapped[str] = mapped_column(Text)
