"""Every template of the hub's pages, drawn without a hub in both languages."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from kamp_lib.hub.portal import page_variables
from kamp_lib.settings import settings
from kamp_lib.tenancy import add_tenant

SME = SimpleNamespace(name="acme")
SERVER = SimpleNamespace(name="report", user=SME)
SCOPE = {"scope": None, "description": "Identify", "filter": ""}
MORE = {"scope": "tokens", "description": "<b>Tokens</b>", "filter": "user=ann"}
COMMON: dict[str, Any] = {
    "base_url": "/hub/",
    "prefix": "/",
    "xsrf": "x",
    "xsrf_token": "x",
}


class Handler:
    """As much of JupyterHub's handler as a page needs."""

    def __init__(self, uri: str) -> None:
        line = RequestStartLine("GET", uri, "HTTP/1.1")
        headers = HTTPHeaders({"Host": "hub.factory.kr"})
        self.request = HTTPServerRequest(start_line=line, headers=headers)
        self.request.protocol = "http"
        self.current_user = SimpleNamespace(name="ann")

    def static_url(self, name: str, include_version: bool = True) -> str:
        return f"/hub/static/{name}"

    def get_cookie(self, name: str, default: str = "") -> str:
        return default

    def set_cookie(self, *_: Any, **__: Any) -> None:
        return None


def draw(template: str, lang: str = "ko", uri: str = "/hub/x", **values: Any) -> str:
    """As JupyterHub draws it: with await, and for errors without."""
    handler = Handler(f"{uri}?lang={lang}")
    given = {name: make(None) for name, make in page_variables().items()}
    context = {**COMMON, "static_url": handler.static_url, **given, **values}
    loader = FileSystemLoader(settings().templates / "portal")
    waited = Environment(loader=loader, autoescape=True, enable_async=True)
    at_once = Environment(loader=loader, autoescape=True)
    drawn = asyncio.run(waited.get_template(template).render_async(**context))
    assert at_once.get_template(template).render(**context) == drawn
    return drawn


@pytest.fixture(autouse=True)
def _company() -> None:
    add_tenant("acme", "하늘몰드", "Haneul Mold")


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("login.html", {"authenticator": SimpleNamespace(request_otp=True)}, "일회용 코드", "One-time"),
    ("login.html", {"login_service": "KIDP"}, "KIDP(으)로 로그인", "Sign in with KIDP"),
    ("login.html", {"login_term_url": "/terms", "authenticator": None}, "약관", "terms of use"),
    ("password.html", {"person": "ann"}, "새 비밀번호", "New password"),
    ("error.html", {"status_code": 503}, "응답하지 않습니다", "does not answer"),
    ("error.html", {"status_code": 418}, "요청을 이해할 수", "could not be understood"),
    ("404.html", {"status_code": 404}, "찾는 화면이 없거나", "no such page"),
    ("home.html", {}, "첫 화면으로 이동", "Taking you"),
    ("logout.html", {"login_url": "/hub/login"}, "로그아웃했습니다", "signed out"),
    ("spawn.html", {"spawner_options_form": ""}, "작업공간 시작", "Start the workspace"),
    ("stop_pending.html", {}, "멈추는 중입니다", "Stopping"),
    (
        "spawn_pending.html",
        {"spawner": SERVER, "user": SME, "progress_url": "/hub/api/progress"},
        "하늘몰드 보고서를 여는 중",
        "Opening the reports of Haneul Mold",
    ),
    (
        "not_running.html",
        {"user": SME, "server_name": "report"},
        "하늘몰드 보고서 서버가 꺼져 있습니다",
        "The report server of Haneul Mold",
    ),
    (
        "not_running.html",
        {"user": SME, "server_name": "ann", "failed": True, "failed_message": "<b>"},
        "시작하지 못했습니다",
        "It did not start",
    ),
    (
        "oauth.html",
        {
            "oauth_client": SimpleNamespace(spawner=SERVER, description=""),
            "scope_descriptions": [SCOPE],
            "allowed_scopes": [],
        },
        "하늘몰드의 보고서를 여는 데",
        "To open the reports of Haneul Mold",
    ),
    (
        "oauth.html",
        {
            "oauth_client": SimpleNamespace(spawner=None, description="grafana"),
            "scope_descriptions": [MORE],
            "allowed_scopes": ["tokens"],
        },
        "다음도 함께 허락합니다",
        "This also allows",
    ),
    (
        "accept-share.html",
        {
            "owner": SME,
            "code": "c",
            "spawner_ready": False,
            "scope_descriptions": [{**MORE, "scope": "access:servers!server=acme/report"}],
        },
        "함께 보도록 초대했습니다",
        "invites you",
    ),
    ("token.html", {"api_tokens": [], "oauth_clients": []}, "접근 토큰", "Access tokens"),
    ("admin.html", {"server_version": "6"}, "허브 관리", "Hub admin"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "values", "korean", "english"), CASES)
def test_a_page_can_be_drawn_in_both_languages(
    template: str, values: dict[str, Any], korean: str, english: str
) -> None:
    assert korean in draw(template, "ko", **values)
    assert english in draw(template, "en", **values)


@pytest.mark.parametrize(("template", "values", "korean", "english"), CASES)
def test_what_a_page_is_given_is_text(
    template: str, values: dict[str, Any], korean: str, english: str
) -> None:
    assert "<b>" not in draw(template, **values)


def test_a_company_whose_folder_is_unreadable_goes_by_its_id() -> None:
    shown = draw(
        "not_running.html", user=SimpleNamespace(name="ghost"), server_name="report"
    )
    assert "ghost 보고서 서버가 꺼져 있습니다" in shown


def test_a_password_over_an_open_network_is_warned_of() -> None:
    assert "암호화되지 않은 연결입니다" in draw("login.html", authenticator=None)
