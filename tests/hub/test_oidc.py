"""Sign-in through an OpenID Connect provider that speaks the real protocol."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from hub.live_hub import LiveHub, Visitor, running_hub, settle
from oidc_provider_mock import User, run_server_in_thread

from kamp_lib.errors import KampError
from kamp_lib.hub.oidc import discover

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    people = [
        User(sub="u-1", claims={"preferred_username": "mina", "email": "m@a.example"}),
        User(sub="u-2", claims={"preferred_username": "stranger"}),
        User(sub="u-3", claims={"preferred_username": "acme"}),
    ]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def hub(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    home = tmp_path_factory.mktemp("oidc") / "kamp"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        settle(home)
    with running_hub(
        home,
        KAMP_OIDC_ISSUER=provider,
        KAMP_OIDC_CLIENT_ID="kamp",
        KAMP_OIDC_CLIENT_SECRET="a secret of this test",
    ) as running:
        yield running


def come_in(hub: LiveHub, sub: str) -> tuple[Visitor, requests.Response]:
    """Go through the provider's own form."""
    visitor = hub.visitor()
    form = visitor.get("/hub/oauth_login")
    return visitor, visitor.post(form.url, data={"sub": sub})


def test_a_person_of_the_registry_comes_in_with_their_rights(hub: LiveHub) -> None:
    visitor, _ = come_in(hub, "u-1")
    user = visitor.get("/hub/api/user").json()
    assert user["name"] == "mina"
    assert "access:servers!server=acme/report" in user["scopes"]


def test_whom_the_registry_does_not_know_stays_out(hub: LiveHub) -> None:
    visitor, page = come_in(hub, "u-2")
    assert page.status_code == 403
    assert "등록되어 있지 않습니다" in page.text
    assert visitor.get("/hub/api/user").status_code == 403


def test_a_company_is_no_person_for_the_provider_either(hub: LiveHub) -> None:
    visitor, page = come_in(hub, "u-3")
    assert page.status_code == 403
    assert visitor.get("/hub/api/user").status_code == 403


def test_a_forged_callback_is_refused(hub: LiveHub) -> None:
    visitor = hub.visitor()
    answer = visitor.get("/hub/oauth_callback?code=x&state=y")
    assert answer.status_code in (400, 403)
    assert visitor.get("/hub/api/user").status_code == 403


def test_the_sign_in_page_offers_the_company_account_only(hub: LiveHub) -> None:
    page = hub.visitor().get("/hub/login").text
    assert "oauth_login" in page
    assert 'type="password"' not in page


def test_a_provider_that_is_not_there_is_told_in_one_sentence() -> None:
    with pytest.raises(KampError, match="KAMP_OIDC_ISSUER"):
        discover("http://127.0.0.1:9")
