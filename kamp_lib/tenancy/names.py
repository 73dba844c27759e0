"""Names of companies and people: one rule and one name space, for both are hub users."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy.database import one_at_a_time
from kamp_lib.tenancy.tables import Base, NameRow, PersonRow, SmeRow
from kamp_lib.tenancy.tenants import RESERVED, SLUG
from kamp_lib.text import Text

LONGEST = 100
Kind = Literal["sme", "person"]
ROWS: dict[str, type[Base]] = {"sme": SmeRow, "person": PersonRow}
KINDS = {"sme": Text("기업", "company"), "person": Text("사용자", "person")}


def is_legal(name: str) -> bool:
    """Whether anybody can have this name."""
    return SLUG.fullmatch(name) is not None and name not in RESERVED


def check_person_name(name: str) -> str:
    """`name` itself when a person may have it."""
    if not is_legal(name):
        raise UsageError(
            f"사용자 ID '{name}'는 쓸 수 없습니다. 영문 소문자로 시작하고 소문자·숫자·'-'로 30자까지입니다"
            f" (예약어: {', '.join(sorted(RESERVED))}).",
            f"{name!r} cannot name a person: start with a lower-case letter, then letters,"
            f" digits or '-', 30 at most (reserved: {', '.join(sorted(RESERVED))}).",
        )
    return name


def take(session: Session, name: str, kind: Kind) -> None:
    """Take a name that nobody has; of two at once, one gets it.

    A name that was given up stays what it was: browsers and tokens may still know a
    person by it, who must not wake up as a company.

    Raises
    ------
    KampError
        When a company or a person has it, or the other kind had it.
    """
    one_at_a_time(session, f"name:{name}")
    there = session.get(NameRow, name)
    if there is None:
        session.add(NameRow(name=name, kind=kind))
        session.flush()
    elif session.get(ROWS[there.kind], name) is not None:
        raise _taken(name, there.kind)
    elif there.kind != kind:
        raise _given_up(name, there.kind)


def _taken(name: str, kind: str) -> KampError:
    what = KINDS[kind]
    return KampError(
        f"{what.ko} '{name}'이(가) 이미 있습니다. 다른 ID를 고르세요.",
        f"there is a {what.en} {name!r} already; choose another id.",
    )


def _given_up(name: str, kind: str) -> KampError:
    what = KINDS[kind]
    return KampError(
        f"'{name}'은(는) 전에 {what.ko}의 ID였습니다. 다른 ID를 고르세요.",
        f"{name!r} was the id of a {what.en} before; choose another id.",
    )
