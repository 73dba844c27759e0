"""The registry: companies, people, roles and sign-in, each call one transaction.

A company's folder stays complete in itself; the registry adds what only the platform
needs to know. The rows are changed in `smes`, `people`, `lockout` and `audit`; this is
where transactions begin and end, and where every change gets its line in the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kamp_lib.errors import KampError, UsageError
from kamp_lib.settings import settings
from kamp_lib.tenancy import (
    audit,
    database,
    lockout,
    names,
    people,
    removal,
    schema,
    smes,
)
from kamp_lib.tenancy.passwords import Passwords
from kamp_lib.tenancy.plans import DEFAULT
from kamp_lib.tenancy.sign_in import Desk, first_password
from kamp_lib.tenancy.tenants import (
    Tenant,
    add_tenant,
    check_slug,
    list_tenants,
    tenant_at,
)
from kamp_lib.tenancy.types import (
    Access,
    AuditEntry,
    Person,
    Role,
    SignIn,
    Sme,
    Status,
)
from kamp_lib.text import Text


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
        home=home or settings().home,
        actor=actor or audit.at_the_keyboard(),
        passwords=passwords or Passwords(),
        now=now,
    )


class Registry:
    """Companies, people and roles of one platform."""

    def __init__(
        self,
        engine: Engine,
        *,
        home: Path,
        actor: str,
        passwords: Passwords,
        now: Callable[[], datetime],
    ) -> None:
        self.engine = engine
        self.home = home
        self.actor = actor
        self._now = now
        self._desk = Desk(engine, passwords, now)

    def acting(self, actor: str) -> Registry:
        """The same registry, with somebody else named in the audit."""
        return Registry(
            self.engine,
            home=self.home,
            actor=actor,
            passwords=self._desk.passwords,
            now=self._now,
        )

    def folder(self, slug: str) -> Path:
        """Where a company's files lie."""
        return self.home / "tenants" / slug

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def _writing(self) -> AbstractContextManager[Session]:
        return database.writing(self.engine)

    def _reading(self) -> AbstractContextManager[Session]:
        return database.reading(self.engine)

    def _note(self, session: Session, action: str, subject: str, **detail: Any) -> None:
        audit.write(session, self._now(), self.actor, action, subject, detail)

    # companies

    def smes(self) -> list[Sme]:
        """All companies, by slug."""
        with self._reading() as session:
            return smes.listed(session)

    def sme(self, slug: str) -> Sme:
        """The company `slug`; unknown is a `KampError`."""
        with self._reading() as session:
            return smes.found(session, slug)

    def add_sme(
        self,
        slug: str,
        name_ko: str,
        name_en: str | None = None,
        *,
        industry: str = "",
        equipment: tuple[str, ...] = (),
        time_zone: str = "Asia/Seoul",
        plan: str = DEFAULT,
        demo: bool = False,
    ) -> Sme:
        """A new company: its folder and its row.

        The folder is made while the row waits to be committed. Killed in between, the
        folder is left without a row; the same call again takes it over, and so does
        `adopt`. There is never a row without a folder.
        """
        check_slug(slug)
        smes.check(industry, plan)
        with self._writing() as session:
            names.take(session, slug, "sme")
            tenant = _folder_of(
                self.home,
                Tenant(
                    slug,
                    Text(name_ko, name_en or name_ko),
                    self.home / "tenants" / slug,
                    equipment,
                    time_zone,
                    demo,
                ),
            )
            return self._register(session, tenant, industry, plan)

    def _register(
        self, session: Session, tenant: Tenant, industry: str, plan: str
    ) -> Sme:
        sme = smes.add(
            session,
            tenant,
            industry=industry,
            plan=plan,
            uid_base=settings().uid_base,
            now=self._now(),
        )
        self._note(session, "tenant.add", sme.slug, plan=plan, uid=sme.uid)
        return sme

    def adopt(self, *, refused: Callable[[KampError], None] | None = None) -> list[Sme]:
        """Give every folder without a row one; `refused` is told what cannot have one."""
        adopted = []
        known = {sme.slug for sme in self.smes()}
        for tenant in list_tenants(self.home, unreadable=refused):
            if tenant.slug in known:
                continue
            try:
                with self._writing() as session:
                    names.take(session, tenant.slug, "sme")
                    adopted.append(self._register(session, tenant, "", DEFAULT))
            except KampError as error:  # a person has that name
                if refused is not None:
                    refused(error)
        return adopted

    def suspend(self, slug: str) -> None:
        """Nobody opens this company until it is resumed; nothing is deleted."""
        self._set_status(slug, "suspended")

    def resume(self, slug: str) -> None:
        """The company is open again."""
        self._set_status(slug, "active")

    def _set_status(self, slug: str, status: Status) -> None:
        with self._writing() as session:
            if smes.set_status(session, slug, status):
                verb = "suspend" if status == "suspended" else "resume"
                self._note(session, f"tenant.{verb}", slug)

    def remove_sme(self, slug: str) -> None:
        """The company, everybody's roles in it, and its folder; nothing comes back.

        The folder is moved out of sight before the row goes, and deleted after it. A
        call that was killed can be made again at any point.

        Raises
        ------
        KampError
            When there is no such company, nor anything left of one.
        """
        folder = self.folder(slug)
        with self._writing() as session:
            if smes.exists(session, slug):
                removal.move_away(folder)
                smes.remove(session, slug)
                self._note(session, "tenant.remove", slug)
            elif not (names.is_legal(slug) and removal.remains(folder.parent, slug)):
                smes.found(session, slug)  # says that there is none
        removal.sweep(folder.parent, slug)

    # people

    def people(self) -> list[Person]:
        """Everybody, by name."""
        with self._reading() as session:
            return people.listed(session)

    def person(self, name: str) -> Person:
        """The person `name`; unknown is a `KampError`."""
        with self._reading() as session:
            return people.as_person(people.required(session, name))

    def add_person(
        self,
        name: str,
        display_name: str,
        *,
        operator: bool = False,
        email: str | None = None,
        password: str | None = None,
        must_change: bool = True,
        roles: Iterable[tuple[str, Role | str]] = (),
    ) -> str:
        """A new person; returns the password for the first sign-in.

        Parameters
        ----------
        password
            Made up when left out; one that is given has to follow the rules.
        must_change
            Whether the person has to choose an own one at the first sign-in.
        roles
            Companies and roles from the start: with the person, or not at all.
        """
        password = first_password(password, name, display_name)
        hashed = self._desk.passwords.hash(password)
        with self._writing() as session:
            people.add(
                session,
                name,
                display_name,
                operator=operator,
                email=email,
                password=hashed,
                must_change=must_change,
                now=self._now(),
            )
            self._note(session, "user.add", name, operator=operator)
            session.flush()
            for slug, role in roles:
                self._assign(session, name, slug, _role(role))
        return password

    def first_operator(self, name: str, display_name: str) -> str | None:
        """The one who sets the platform up, and the password; None when there is one."""
        if any(person.operator for person in self.people()):
            return None
        return self.add_person(name, display_name, operator=True)

    def remove_person(self, name: str) -> None:
        """Somebody leaves; the last operator cannot."""
        with self._writing() as session:
            people.remove(session, name)
            self._note(session, "user.remove", name)

    def assign(self, person: str, slug: str, role: Role | str) -> None:
        """Give a person a role in a company; twice is once."""
        with self._writing() as session:
            self._assign(session, person, slug, _role(role))

    def _assign(self, session: Session, person: str, slug: str, role: Role) -> None:
        smes.found(session, slug)
        if people.assign(session, person, slug, role):
            self._note(session, "user.assign", slug, person=person, role=role.value)

    def unassign(self, person: str, slug: str, role: Role | str | None = None) -> None:
        """Take a role away, or all that the person has in that company."""
        one = _role(role) if role is not None else None
        with self._writing() as session:
            smes.found(session, slug)
            for taken in people.unassign(session, person, slug, one):
                self._note(session, "user.unassign", slug, person=person, role=taken)

    def access(self, name: str) -> Access | None:
        """What a person may do now; None when there is no such person."""
        with self._reading() as session:
            return people.access(session, name)

    def roles(self) -> dict[str, dict[str, frozenset[Role]]]:
        """Everybody's roles by person and company, suspended ones too."""
        with self._reading() as session:
            return people.all_roles(session)

    def people_of(self, slug: str) -> dict[str, frozenset[Role]]:
        """Who has which roles in a company, suspended or not."""
        with self._reading() as session:
            smes.found(session, slug)
            return people.of_company(session, slug)

    # sign-in

    def sign_in(self, name: str, password: str) -> SignIn:
        """Check a name and a password; five wrong ones lock the name for a while.

        As much work is done for names that nobody has, and they are locked alike.
        """
        return self._desk.check(name, password)[0]

    def change_password(self, name: str, old: str, new: str) -> Person:
        """Somebody chooses an own password; a wrong old one counts towards the lock-out.

        Raises
        ------
        UsageError
            When the new password breaks a rule.
        KampError
            When the old one is wrong, or the name is locked.
        """
        return self._desk.change(name, old, new)

    def reset_password(self, name: str, password: str | None = None) -> str:
        """A password for the next sign-in, made up when left out; unlocks the name."""
        return self._desk.reset(name, password, self.actor)

    def unlock(self, name: str) -> None:
        """Let a locked name try again at once."""
        with self._writing() as session:
            people.required(session, name)
            lockout.forget(session, name)
            self._note(session, "user.unlock", name)

    def locked_until(self, name: str) -> datetime | None:
        """When a locked name may be tried again; None when it may be now."""
        with self._reading() as session:
            return lockout.locked_until(session, name, self._now())

    # audit

    def audit(
        self,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Note what somebody did; the registry's own changes note themselves."""
        with self._writing() as session:
            audit.write(session, self._now(), actor, action, subject, detail)

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


def _folder_of(home: Path, wanted: Tenant) -> Tenant:
    """The folder of a new company; what a killed call left behind is taken over."""
    if not (wanted.home / "tenant.toml").exists():
        return add_tenant(
            wanted.slug,
            wanted.name.ko,
            wanted.name.en,
            equipment=wanted.equipment,
            time_zone=wanted.time_zone,
            demo=wanted.demo,
            home=home,
        )
    left = tenant_at(wanted.home)
    if left == wanted:
        return left
    raise KampError(
        f"기업 '{wanted.slug}'의 폴더가 이미 있고 내용이 다릅니다: {wanted.home}."
        " 그대로 등록하려면: kamp init",
        f"the company {wanted.slug!r} has a folder already, with other content:"
        f" {wanted.home}. To register it as it is: kamp init",
    )


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        known = ", ".join(Role)
        raise UsageError(
            f"역할 '{role}'이(가) 없습니다. 고를 수 있는 것: {known}",
            f"there is no role {role!r}; choose one of {known}.",
        ) from None
