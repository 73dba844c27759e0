"""Signing in at a real hub: who gets in, who does not, and for how long."""

from __future__ import annotations

import secrets
import time
from urllib.parse import urljoin, urlsplit

import pytest
from hub.live_hub import PASSWORD, LiveHub, Visitor, xsrf_of

from kamp_lib.tenancy import Role, open_registry
from kamp_lib.tenancy.registry import Registry

pytestmark = pytest.mark.e2e
# "within a minute", and a little for a busy machine
A_MINUTE = 60
NEW_PASSWORD = "lathe-bed-and-tailstock"


@pytest.fixture
def registry(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("KAMP_HOME", str(hub.home))
    return open_registry()


@pytest.fixture
def somebody(registry: Registry) -> str:
    """A new person who has changed the first password."""
    name = f"p{secrets.token_hex(4)}"
    first = registry.add_person(name, "새 사람")
    registry.change_password(name, first, PASSWORD)
    return name


def signed_in(visitor: Visitor) -> bool:
    return visitor.get("/hub/api/user").status_code == 200


def test_the_right_password_opens_the_door(hub: LiveHub) -> None:
    assert signed_in(hub.visitor("mina"))


def test_a_wrong_password_does_not(hub: LiveHub) -> None:
    visitor = hub.visitor()
    page = visitor.sign_in("mina", "not the password")
    assert page.status_code == 403
    assert "이름 또는 비밀번호가 맞지 않습니다" in page.text
    assert not signed_in(visitor)


def test_nobody_signs_in_as_a_company(hub: LiveHub) -> None:
    assert not signed_in(hub.visitor("acme", ""))


@pytest.mark.parametrize("path", ["signup", "register", "native_signup"])
def test_nobody_can_sign_up(hub: LiveHub, path: str) -> None:
    assert hub.visitor().get(f"/hub/{path}", allow_redirects=False).status_code in (
        302,
        404,
    )
    assert hub.visitor().post(f"/hub/{path}").status_code >= 400


@pytest.mark.parametrize(
    "name", ["mina' OR 1=1 --", "<script>alert(1)</script>", "a" * 100_000, "\x00", ""]
)
def test_a_hostile_name_is_just_a_wrong_one(hub: LiveHub, name: str) -> None:
    page = hub.visitor().sign_in(name, "x")
    assert page.status_code in (400, 403)
    assert "<script>alert" not in page.text


def test_five_wrong_passwords_lock_the_account(hub: LiveHub, somebody: str) -> None:
    for _ in range(5):
        hub.visitor().sign_in(somebody, "wrong")
    page = hub.visitor().sign_in(somebody, PASSWORD)
    assert page.status_code == 403
    assert "잠겼습니다" in page.text


def test_the_first_password_has_to_be_changed(hub: LiveHub, registry: Registry) -> None:
    name = f"p{secrets.token_hex(4)}"
    first = registry.add_person(name, "새 사람")
    visitor = hub.visitor()
    page = visitor.sign_in(name, first)
    assert "/hub/password" in page.url
    assert not signed_in(visitor)
    form = {"name": name, "old": first, "_xsrf": xsrf_of(page.text)}
    page = visitor.post(page.url, data={**form, "new": "short", "again": "short"})
    assert page.status_code == 400
    assert not signed_in(visitor)
    new = {"new": NEW_PASSWORD, "again": NEW_PASSWORD}
    visitor.post(page.url, data={**form, **new})
    assert signed_in(visitor)
    assert not signed_in(hub.visitor(name, first))


def test_a_password_is_not_changed_without_the_old_one(
    hub: LiveHub, somebody: str
) -> None:
    visitor = hub.visitor()
    page = visitor.get(f"/hub/password?name={somebody}")
    form = {"name": somebody, "old": "wrong", "_xsrf": xsrf_of(page.text)}
    new = {"new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert visitor.post(page.url, data={**form, **new}).status_code == 400
    assert signed_in(hub.visitor(somebody))


def test_a_password_is_not_changed_from_another_site(
    hub: LiveHub, somebody: str
) -> None:
    form = {
        "name": somebody,
        "old": PASSWORD,
        "new": NEW_PASSWORD,
        "again": NEW_PASSWORD,
    }
    assert hub.visitor().post("/hub/password", data=form).status_code == 403
    assert signed_in(hub.visitor(somebody))


@pytest.mark.parametrize(
    "where",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"],
)
def test_signing_in_leads_to_no_other_site(hub: LiveHub, where: str) -> None:
    visitor = hub.visitor()
    page = visitor.get("/hub/login")
    form = {"username": "mina", "password": PASSWORD, "_xsrf": xsrf_of(page.text)}
    answer = visitor.post(
        "/hub/login", params={"next": where}, data=form, allow_redirects=False
    )
    assert answer.status_code == 302
    there = urlsplit(urljoin(hub.url, answer.headers["Location"]))
    assert there.hostname is not None
    assert there.hostname.endswith("kamp.localhost")


def test_a_new_role_needs_no_new_sign_in(
    hub: LiveHub, registry: Registry, somebody: str
) -> None:
    visitor = hub.visitor(somebody)
    assert visitor.api("GET", "/users/acme").status_code == 404
    registry.assign(somebody, "acme", Role.MANAGER)
    assert becomes(lambda: "access:servers!server=acme/report" in scopes(visitor))


def test_a_role_that_is_taken_away_is_gone_within_a_minute(
    hub: LiveHub, registry: Registry, somebody: str
) -> None:
    registry.assign(somebody, "acme", Role.MANAGER)
    visitor = hub.visitor(somebody)
    assert "access:servers!server=acme/report" in scopes(visitor)
    registry.unassign(somebody, "acme")
    assert becomes(lambda: "access:servers!server=acme/report" not in scopes(visitor))


def test_a_person_who_is_removed_is_out_within_a_minute(
    hub: LiveHub, registry: Registry, somebody: str
) -> None:
    visitor = hub.visitor(somebody)
    assert signed_in(visitor)
    registry.remove_person(somebody)
    assert becomes(lambda: not signed_in(visitor))
    assert not signed_in(hub.visitor(somebody))


def test_a_password_that_is_reset_ends_open_sessions(
    hub: LiveHub, registry: Registry, somebody: str
) -> None:
    visitor = hub.visitor(somebody)
    registry.reset_password(somebody)
    assert becomes(lambda: not signed_in(visitor))


def test_nobody_inherits_the_session_of_a_former_person(
    hub: LiveHub, registry: Registry, somebody: str
) -> None:
    visitor = hub.visitor(somebody)
    registry.remove_person(somebody)
    registry.add_person(
        somebody, "이름만 같은 사람", password=PASSWORD, must_change=False
    )
    assert becomes(lambda: not signed_in(visitor))
    assert becomes(lambda: signed_in(hub.visitor(somebody)))


def scopes(visitor: Visitor) -> list[str]:
    """What the hub says that this visitor may do."""
    answer = visitor.get("/hub/api/user")
    return answer.json()["scopes"] if answer.status_code == 200 else []


def becomes(true: object) -> bool:
    """Whether something becomes true within a minute."""
    deadline = time.monotonic() + A_MINUTE
    while time.monotonic() < deadline:
        if true():  # type: ignore[operator]
            return True
        time.sleep(1)
    return False
