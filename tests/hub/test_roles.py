"""A person's rights as scopes."""

from __future__ import annotations

import pytest

from kamp_lib.hub.roles import EVERYBODY, managed_role, may_run, scopes_of
from kamp_lib.tenancy import Access, Person, Role


def access(operator: bool = False, **roles: Role) -> Access:
    person = Person("ann", "안", operator, None, False)
    return Access(person, {slug: frozenset({role}) for slug, role in roles.items()})


def test_a_manager_opens_and_starts_the_report_server_only() -> None:
    assert scopes_of(access(acme=Role.MANAGER)) == [
        "access:servers!server=acme/report",
        "read:servers!server=acme/report",
        "start:servers!server=acme/report",
    ]


def test_an_analyst_has_a_server_of_their_own_beside_it() -> None:
    scopes = scopes_of(access(acme=Role.ANALYST))
    assert "servers!server=acme/ann" in scopes
    assert "access:servers!server=acme/ann" in scopes
    assert "shares!server=acme/report" in scopes


def test_a_consultant_has_the_same_once_per_customer() -> None:
    scopes = scopes_of(access(acme=Role.CONSULTANT, bolt=Role.CONSULTANT))
    assert {s.split("=")[1].split("/")[0] for s in scopes} == {"acme", "bolt"}


@pytest.mark.parametrize("role", list(Role))
def test_no_right_goes_beyond_one_server(role: Role) -> None:
    assert all("!server=" in s for s in scopes_of(access(acme=role, bolt=role)))


def test_an_operator_opens_no_server() -> None:
    assert not [s for s in scopes_of(access(operator=True)) if s.startswith("access:")]


def test_an_operator_holds_no_admin_scope_over_people() -> None:
    assert not [s for s in scopes_of(access(operator=True)) if s.startswith("admin:")]


def test_somebody_without_a_role_gets_no_managed_role() -> None:
    assert managed_role(access()) is None


def test_only_analysts_and_consultants_have_workspaces() -> None:
    assert may_run(access(acme=Role.ANALYST), "acme")
    assert may_run(access(acme=Role.CONSULTANT), "acme")
    assert not may_run(access(acme=Role.MANAGER), "acme")
    assert not may_run(access(acme=Role.ANALYST), "bolt")
    assert not may_run(None, "acme")


def test_every_scope_exists_in_this_jupyterhub() -> None:
    from jupyterhub.scopes import _check_scopes_exist

    everything = [
        *EVERYBODY["scopes"],
        *scopes_of(access(True, acme=Role.CONSULTANT, bolt=Role.MANAGER)),
    ]
    _check_scopes_exist(everything)
