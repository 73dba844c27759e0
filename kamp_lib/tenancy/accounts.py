"""The registry's part about people: who they are, what they may do, how they sign in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from kamp_lib.errors import UsageError
from kamp_lib.tenancy import lockout, people, smes
from kamp_lib.tenancy.book import Book
from kamp_lib.tenancy.sign_in import Desk, first_password
from kamp_lib.tenancy.types import Access, Person, Role, SignIn


class Accounts(Book):
    """People by name."""

    @property
    def _desk(self) -> Desk:
        return Desk(self.engine, self.passwords, self.now)

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
        hashed = self.passwords.hash(password)
        with self._writing() as session:
            people.add(
                session,
                name,
                display_name,
                operator=operator,
                email=email,
                password=hashed,
                must_change=must_change,
                now=self.now(),
            )
            self._note(session, "user.add", name, operator=operator)
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
            return lockout.locked_until(session, name, self.now())


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        known = ", ".join(Role)
        raise UsageError(
            f"역할 '{role}'이(가) 없습니다. 고를 수 있는 것: {known}",
            f"there is no role {role!r}; choose one of {known}.",
        ) from None
