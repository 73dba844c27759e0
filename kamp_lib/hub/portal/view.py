"""What one visitor is shown: their companies, and for an operator the whole platform."""

from __future__ import annotations

from dataclasses import dataclass

from kamp_lib.hub.portal.addresses import REPORT
from kamp_lib.tenancy import Access, Person, Role, Sme
from kamp_lib.tenancy.registry import Registry

WORKERS = frozenset({Role.ANALYST, Role.CONSULTANT})


@dataclass(frozen=True)
class Membership:
    """One company of a visitor, with the roles they have there."""

    sme: Sme
    roles: frozenset[Role]

    @property
    def suspended(self) -> bool:
        return self.sme.status != "active"

    @property
    def works(self) -> bool:
        """Whether the visitor has a workspace there."""
        return not self.suspended and bool(self.roles & WORKERS)


@dataclass(frozen=True)
class Visitor:
    """Who visits, and what the registry says about them at this moment."""

    access: Access
    memberships: tuple[Membership, ...]
    # the whole platform: for operators, otherwise empty
    companies: tuple[Sme, ...] = ()
    people: tuple[Person, ...] = ()

    @property
    def person(self) -> Person:
        return self.access.person

    def may_open(self, slug: str, server: str) -> bool:
        """Whether `server` of this company is one that the visitor opens from here."""
        membership = next((m for m in self.memberships if m.sme.slug == slug), None)
        if membership is None or membership.suspended:
            return False
        return server == REPORT or (server == self.person.name and membership.works)

    def may_stop(self, slug: str, server: str) -> bool:
        """One's own workspace; an operator stops any server of a company."""
        if self.person.operator:
            return any(sme.slug == slug for sme in self.companies)
        return server != REPORT and self.may_open(slug, server)

    def scopes(self) -> frozenset[str]:
        """What the visitor's token has to hold for the page to work."""
        needed = {"list:users", "delete:servers"} if self.person.operator else set()
        for membership in self.memberships:
            slug = membership.sme.slug
            if not membership.suspended:
                needed.add(f"start:servers!server={slug}/{REPORT}")
            if membership.works:
                needed.add(f"start:servers!server={slug}/{self.person.name}")
        return frozenset(needed)


def visitor_named(registry: Registry, name: str) -> Visitor | None:
    """What the registry says about `name` now; None for somebody it does not know."""
    access = registry.access(name)
    if access is None:
        return None
    companies = registry.smes()
    memberships = []
    for sme in companies:
        roles = access.roles.get(sme.slug, frozenset())
        if sme.status != "active":
            # `access` leaves suspended companies out, but their people should be told
            roles = registry.people_of(sme.slug).get(name, frozenset())
        if roles:
            memberships.append(Membership(sme, roles))
    if not access.person.operator:
        return Visitor(access, tuple(memberships))
    people = tuple(registry.people())
    return Visitor(access, tuple(memberships), tuple(companies), people)
