"""What a person may do on the hub: the registry's answer in JupyterHub's scopes.

The company is the hub user and the person (or the report server) its named server, so
every right is a scope of exactly one server. Nobody holds a right over a whole company
or group, and an operator never holds the right to open a server.
"""

from __future__ import annotations

from typing import Any

from kamp_lib.hub.portal import VISIT
from kamp_lib.tenancy import Access, Role

REPORT = "report"
# What every hub user holds, companies included: their servers report activity and let
# their own token in. JupyterHub's own default would let people start servers of theirs.
EVERYBODY: dict[str, Any] = {
    "name": "user",
    "description": "Be known to the hub",
    "scopes": [
        "read:users!user",
        "users:activity!user",
        "access:servers!user",
        VISIT,
    ],
}
OPERATOR = ["admin-ui", "list:users", "read:users", "read:hub", "servers"]


def scopes_of(access: Access) -> list[str]:
    """Every scope that this person holds, sorted."""
    scopes: set[str] = set(OPERATOR if access.person.operator else [])
    for slug, roles in access.roles.items():
        scopes |= _reader(slug)
        if roles & {Role.ANALYST, Role.CONSULTANT}:
            scopes |= _worker(slug, access.person.name)
    return sorted(scopes)


def role_name(person: str) -> str:
    """The managed role that carries one person's scopes."""
    return f"person-{person}"


def managed_role(access: Access) -> dict[str, Any] | None:
    """The person's role as JupyterHub takes it; None for someone without any right."""
    scopes = scopes_of(access)
    if not scopes:
        return None
    name = access.person.name
    return {"name": role_name(name), "scopes": scopes, "users": [name]}


def may_run(access: Access | None, slug: str) -> bool:
    """Whether this person may have a workspace in this company."""
    roles = access.roles.get(slug, frozenset()) if access else frozenset()
    return bool(roles & {Role.ANALYST, Role.CONSULTANT})


def _reader(slug: str) -> set[str]:
    server = f"!server={slug}/{REPORT}"
    return {
        f"access:servers{server}",
        f"start:servers{server}",
        f"read:servers{server}",
    }


def _worker(slug: str, person: str) -> set[str]:
    own = f"!server={slug}/{person}"
    return {f"access:servers{own}", f"servers{own}", f"shares!server={slug}/{REPORT}"}
