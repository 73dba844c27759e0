"""People and their roles."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import names
from kamp_lib.tenancy.database import one_at_a_time
from kamp_lib.tenancy.tables import PersonRow, RoleRow, SmeRow
from kamp_lib.tenancy.types import Access, Person, Role

LONGEST_EMAIL = 254


def listed(session: Session) -> list[Person]:
    """Everybody, by name."""
    return [
        as_person(row) for row in session.scalars(select(PersonRow).order_by("name"))
    ]


def row_of(session: Session, name: str) -> PersonRow | None:
    """The row of a person; None when there is none, or can be none."""
    return session.get(PersonRow, name) if names.is_legal(name) else None


def required(session: Session, name: str) -> PersonRow:
    """The row of a person, who has to exist."""
    row = row_of(session, name)
    if row is None:
        raise KampError(
            f"사용자 '{name}'이(가) 없습니다. 사용자 목록: kamp user list",
            f"there is no person {name!r}; kamp user list shows them.",
        )
    return row


def add(
    session: Session,
    name: str,
    display_name: str,
    *,
    operator: bool,
    email: str | None,
    password: str,
    must_change: bool,
    now: datetime,
) -> None:
    """A new person; `password` is the hash."""
    names.check_person_name(name)
    _check_display_name(display_name)
    _check_email(email)
    names.take(session, name, "person")
    session.add(
        PersonRow(
            name=name,
            display_name=display_name,
            email=email,
            operator=operator,
            password=password,
            must_change=must_change,
            created=now,
        )
    )
    session.flush()


def remove(session: Session, name: str) -> None:
    """Somebody leaves, with all roles; the last operator stays."""
    row = required(session, name)
    if row.operator:
        one_at_a_time(session, "operators")
        others = select(func.count()).where(PersonRow.operator, PersonRow.name != name)
        if not session.scalar(others):
            raise KampError(
                f"'{name}'은(는) 하나뿐인 운영자라서 지울 수 없습니다. 먼저 운영자를 더하세요:"
                " kamp user add ID 이름 --operator",
                f"{name!r} is the only operator and cannot be removed; add another first:"
                " kamp user add NAME 'DISPLAY NAME' --operator",
            )
    session.execute(delete(PersonRow).where(PersonRow.name == name))


def assign(session: Session, name: str, slug: str, role: Role) -> bool:
    """Give a role in a company; False when the person has it already."""
    row = required(session, name)
    if row.operator:
        raise UsageError(
            f"'{name}'은(는) 운영자입니다. 운영자는 기업의 작업공간을 열 수 없으니 사용자를 따로 만드세요.",
            f"{name!r} is an operator, who opens no company's workspace; make a person of"
            " its own for that.",
        )
    one_at_a_time(session, f"roles:{name}")
    if session.get(RoleRow, (name, slug, role.value)) is not None:
        return False
    session.add(RoleRow(person=name, slug=slug, role=role.value))
    session.flush()
    return True


def unassign(session: Session, name: str, slug: str, role: Role | None) -> list[str]:
    """Take a role away, or all in that company; which ones it were."""
    required(session, name)
    held = select(RoleRow).where(RoleRow.person == name, RoleRow.slug == slug)
    if role is not None:
        held = held.where(RoleRow.role == role.value)
    rows = list(session.scalars(held))
    for row in rows:
        session.delete(row)
    return sorted(row.role for row in rows)


def access(session: Session, name: str) -> Access | None:
    """What a person may do now; None when there is no such person."""
    row = row_of(session, name)
    if row is None:
        return None
    held = select(RoleRow.slug, RoleRow.role).join(SmeRow, SmeRow.slug == RoleRow.slug)
    held = held.where(RoleRow.person == name, SmeRow.status == "active")
    roles: dict[str, set[Role]] = defaultdict(set)
    for slug, role in session.execute(held.order_by(RoleRow.slug)):
        roles[slug].add(Role(role))
    return Access(as_person(row), {slug: frozenset(r) for slug, r in roles.items()})


def of_company(session: Session, slug: str) -> dict[str, frozenset[Role]]:
    """Who has which roles in a company, suspended or not."""
    held = select(RoleRow.person, RoleRow.role).where(RoleRow.slug == slug)
    roles: dict[str, set[Role]] = defaultdict(set)
    for person, role in session.execute(held.order_by(RoleRow.person)):
        roles[person].add(Role(role))
    return {person: frozenset(r) for person, r in roles.items()}


def all_roles(session: Session) -> dict[str, dict[str, frozenset[Role]]]:
    """Roles by person and company, suspended or not."""
    roles: dict[str, dict[str, frozenset[Role]]] = defaultdict(dict)
    for row in session.scalars(select(RoleRow)):
        held = roles[row.person].get(row.slug, frozenset())
        roles[row.person][row.slug] = held | {Role(row.role)}
    return dict(roles)


def as_person(row: PersonRow) -> Person:
    """The value of a row."""
    return Person(
        name=row.name,
        display_name=row.display_name,
        operator=row.operator,
        email=row.email,
        must_change=row.must_change,
        created=row.created,
    )


def _check_display_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > names.LONGEST:
        raise UsageError(
            f"사용자 이름은 한 줄로 {names.LONGEST}자까지 적으세요.",
            f"write the person's name in one line of {names.LONGEST} letters at most.",
        )


def _check_email(email: str | None) -> None:
    if email is None:
        return
    local, at, domain = email.rpartition("@")
    plain = email.isprintable() and not any(c.isspace() for c in email)
    if not (local and at and domain and plain) or len(email) > LONGEST_EMAIL:
        raise UsageError(
            f"이메일 주소 '{email}'이(가) 올바르지 않습니다.",
            f"{email!r} is no e-mail address.",
        )
