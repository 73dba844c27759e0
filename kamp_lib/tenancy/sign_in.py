"""Sign-in: a name and a password against what is kept, as much work for unknown names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import audit, lockout, names, people
from kamp_lib.tenancy.database import one_at_a_time, reading, writing
from kamp_lib.tenancy.passwords import Passwords, check_password, one_time_password
from kamp_lib.tenancy.types import Person, SignIn


@dataclass(frozen=True)
class Desk:
    """Where people show their passwords."""

    engine: Engine
    passwords: Passwords
    now: Callable[[], datetime]

    def check(self, name: str, password: str) -> tuple[SignIn, str]:
        """The answer, and the hash that is kept for a right password."""
        kept = None
        if names.is_legal(name):
            with writing(self.engine) as session:
                until = lockout.begin(session, name, self.now())
                if until is not None:
                    return SignIn("locked", until=until), ""
                row = people.row_of(session, name)
                kept = row.password if row else None
        # outside of any transaction: this takes its time
        if not self.passwords.is_right(password, kept) or kept is None:
            self._note_a_lock(name)
            return SignIn("wrong"), ""
        return self._welcome(name, password, kept)

    def _welcome(self, name: str, password: str, kept: str) -> tuple[SignIn, str]:
        newer = kept
        if self.passwords.is_outdated(kept):
            newer = self.passwords.hash(password)
        with writing(self.engine) as session:
            row = people.row_of(session, name)
            if row is None or row.password != kept:  # removed or reset meanwhile
                return SignIn("wrong"), ""
            row.password = newer
            lockout.forget(session, name)
            audit.write(session, self.now(), name, "sign-in", name)
            person = people.as_person(row)
        return SignIn("must-change" if person.must_change else "ok", person), newer

    def _note_a_lock(self, name: str) -> None:
        """The last wrong password that was allowed stands in the audit of a person."""
        if not names.is_legal(name):
            return
        with writing(self.engine) as session:
            until = lockout.locked_until(session, name, self.now())
            if until is not None and people.row_of(session, name) is not None:
                audit.write(session, self.now(), name, "sign-in.locked", name)

    def change(self, name: str, old: str, new: str) -> Person:
        """Somebody chooses an own password."""
        answer, kept = self.check(name, old)
        if answer.person is None:
            raise _refused(answer)
        _check_new(new, old, answer.person)
        hashed = self.passwords.hash(new)
        with writing(self.engine) as session:
            one_at_a_time(session, f"password of {name}")
            row = people.required(session, name)
            if row.password != kept:
                raise _refused(SignIn("wrong"))
            row.password, row.must_change = hashed, False
            audit.write(session, self.now(), name, "user.password", name)
            return people.as_person(row)

    def reset(self, name: str, password: str | None, actor: str) -> str:
        """A password for the next sign-in, to be changed there; unlocks the name."""
        with reading(self.engine) as session:
            display_name = people.required(session, name).display_name
        password = first_password(password, name, display_name)
        hashed = self.passwords.hash(password)
        with writing(self.engine) as session:
            row = people.required(session, name)
            row.password, row.must_change = hashed, True
            lockout.forget(session, name)
            audit.write(session, self.now(), actor, "user.reset", name)
        return password


def first_password(password: str | None, name: str, display_name: str) -> str:
    """The one that is given, if it will do; made up when none is."""
    if password is None:
        return one_time_password()
    return check_password(password, name=name, display_name=display_name)


def _check_new(new: str, old: str, person: Person) -> None:
    check_password(new, name=person.name, display_name=person.display_name)
    if new == old:
        raise UsageError(
            "지금 비밀번호와 다른 비밀번호를 정하세요.",
            "choose a password other than the one you have.",
        )


def _refused(answer: SignIn) -> KampError:
    if answer.until is not None:
        at = answer.until.astimezone().strftime("%H:%M")
        return KampError(
            f"비밀번호를 여러 번 틀려 잠시 잠겼습니다. {at} 이후에 다시 하세요.",
            f"too many wrong passwords; try again after {at}.",
        )
    return KampError(
        "ID 또는 지금 비밀번호가 맞지 않습니다.", "the name or password is wrong."
    )
