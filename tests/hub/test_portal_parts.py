"""The portal's addresses, words, entries and view of the registry: without a hub."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from kamp_lib.hub.portal import addresses, portal_roles, portal_service, words
from kamp_lib.hub.portal.assets import FILES, AssetHandler
from kamp_lib.hub.portal.language import address_in, language_of
from kamp_lib.hub.portal.view import Visitor, visitor_named
from kamp_lib.settings import settings
from kamp_lib.tenancy import open_registry
from kamp_lib.tenancy.registry import Registry

RUN = "20261120-010203-injection-quality-aaaaaa"
TEMPLATES = settings().templates / "portal"


@pytest.fixture
def registry() -> Registry:
    found = open_registry()
    found.add_sme("acme", "하늘몰드", "Haneul Mold")
    found.add_sme("bolt", "나래정밀", "Narae CNC")
    for name in ("ann", "mina", "carl"):
        found.add_person(name, name.title())
    found.add_person("olga", "Olga", operator=True)
    found.assign("ann", "acme", "analyst")
    found.assign("mina", "acme", "manager")
    found.assign("carl", "acme", "consultant")
    found.assign("carl", "bolt", "consultant")
    return found


def visitor(registry: Registry, name: str) -> Visitor:
    found = visitor_named(registry, name)
    assert found is not None
    return found


# who is offered what


def test_a_manager_opens_the_reports_of_their_company_only(registry: Registry) -> None:
    mina = visitor(registry, "mina")
    assert mina.may_open("acme", "report")
    assert not mina.may_open("acme", "mina")
    assert not mina.may_open("acme", "ann")
    assert not mina.may_open("bolt", "report")
    assert not mina.may_open("acme", "")


def test_an_analyst_opens_and_stops_their_own_workspace(registry: Registry) -> None:
    ann = visitor(registry, "ann")
    assert ann.may_open("acme", "ann")
    assert ann.may_stop("acme", "ann")
    assert not ann.may_stop("acme", "report")
    assert not ann.may_stop("acme", "carl")


def test_a_consultant_has_a_workspace_per_customer(registry: Registry) -> None:
    carl = visitor(registry, "carl")
    assert [m.sme.slug for m in carl.memberships] == ["acme", "bolt"]
    assert carl.may_open("bolt", "carl")


def test_an_operator_stops_every_server_and_opens_none(registry: Registry) -> None:
    olga = visitor(registry, "olga")
    assert olga.may_stop("acme", "ann")
    assert not olga.may_stop("nowhere", "ann")
    assert not olga.may_open("acme", "report")
    assert [sme.slug for sme in olga.companies] == ["acme", "bolt"]


def test_nobody_else_is_given_the_list_of_companies(registry: Registry) -> None:
    assert visitor(registry, "carl").companies == ()
    assert visitor(registry, "carl").people == ()


def test_a_suspended_company_is_named_but_opens_nothing(registry: Registry) -> None:
    registry.suspend("acme")
    ann = visitor(registry, "ann")
    assert ann.memberships[0].suspended
    assert not ann.may_open("acme", "report")
    assert not ann.may_stop("acme", "ann")
    assert ann.scopes() == frozenset()


def test_somebody_unknown_is_no_visitor(registry: Registry) -> None:
    assert visitor_named(registry, "eve") is None
    assert visitor_named(registry, "acme") is None


# what the portal may do


def test_the_portal_may_neither_open_servers_nor_read_people() -> None:
    allowed = portal_service()["oauth_client_allowed_scopes"]
    assert allowed == ["read:servers", "start:servers", "delete:servers", "list:users"]


def test_the_portals_own_token_has_no_rights() -> None:
    assert portal_roles() == []


def test_the_portal_listens_on_loopback() -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]*", portal_service()["url"])
    assert portal_service(4321)["url"] == "http://127.0.0.1:4321"


def test_the_portal_is_given_no_setting_that_it_does_not_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAMP_FILE_PASSWORD", "secret")
    assert "secret" not in str(portal_service()["environment"])


# addresses


def test_addresses_are_those_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMP_HUB_URL", "https://kamp.example:8443")
    assert addresses.server_url("acme", "report") == (
        "https://acme.kamp.example:8443/user/acme/report/"
    )
    assert addresses.portal_url() == (
        "https://portal--service.kamp.example:8443/services/portal/"
    )


def test_a_report_is_found_inside_its_server() -> None:
    assert addresses.deep_path("acme", "report", RUN) == f"report/acme/{RUN}"


@pytest.mark.parametrize(
    "hostile",
    [
        "//evil.example",
        "https://evil.example/",
        "../../bolt/report/",
        f"{RUN}/../../../../bolt",
        f"{RUN}?next=//evil.example",
        f"{RUN}\r\nSet-Cookie: a=b",
        f"20261120-010203-{'a' * 500}",
        "%2e%2e/",
        "",
        None,
    ],
)
def test_nothing_but_a_runs_id_becomes_part_of_an_address(hostile: str | None) -> None:
    assert addresses.deep_path("acme", "report", hostile) == ""


def test_a_workspace_opens_at_its_start() -> None:
    assert addresses.deep_path("acme", "ann", RUN) == ""


def test_the_run_of_a_stopped_servers_address_is_kept() -> None:
    assert addresses.run_in(f"/hub/user/acme/report/report/acme/{RUN}?lang=ko") == RUN
    assert addresses.run_in("/hub/user/acme/report/") is None
    assert addresses.run_in(f"/hub/user/acme/report/report/acme/{RUN}<script>") is None


# language


def request(uri: str, cookie: str = "", host: str = "kamp.localhost:8000") -> object:
    """As much of a handler as the language looks at."""
    line = RequestStartLine("GET", uri, "HTTP/1.1")
    asked = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host}))
    sent: dict[str, object] = {}
    return SimpleNamespace(
        request=asked,
        get_cookie=lambda name, default: cookie or default,
        set_cookie=lambda name, value, **flags: sent.update({name: value, **flags}),
        sent=sent,
    )


def test_korean_unless_somebody_chose_otherwise() -> None:
    assert language_of(request("/")) == "ko"
    assert language_of(request("/", cookie="en")) == "en"
    assert language_of(request("/?lang=en")) == "en"


@pytest.mark.parametrize("odd", ["fr", "EN", "%ff", "<script>", "en%0d%0a"])
def test_a_language_that_is_none_is_not_taken(odd: str) -> None:
    asked = request(f"/?lang={odd}", cookie="de")
    assert language_of(asked) == "ko"
    assert asked.sent == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("host", ["kamp.localhost:8000", "acme.kamp.localhost:8000"])
def test_a_choice_holds_for_all_of_the_platform(host: str) -> None:
    asked = request("/?lang=en", host=host)
    language_of(asked)
    assert asked.sent["domain"] == "kamp.localhost"  # type: ignore[attr-defined]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "evil.example", "xkamp.localhost"])
def test_a_choice_elsewhere_stays_there(host: str) -> None:
    asked = request("/?lang=en", host=host)
    language_of(asked)
    assert asked.sent["domain"] is None  # type: ignore[attr-defined]


def test_the_other_language_is_the_same_page() -> None:
    asked = request("/hub/login?next=%2Fhub%2Fhome&lang=ko")
    assert address_in(asked, "en") == "/hub/login?next=%2Fhub%2Fhome&lang=en"


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "///evil"])
def test_the_other_language_never_leads_elsewhere(path: str) -> None:
    there = address_in(request(path), "en")
    assert re.match(r"/[^/\\]", there), there


# words and files


def used_words() -> set[str]:
    """Every key that a template or a module asks for by name."""
    room = Path(words.__file__).parent
    sources = [*TEMPLATES.rglob("*.html"), *room.glob("*.py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    found = set(re.findall(r'"([a-z]+(?:_[a-z]+)*\.[a-z0-9_.-]+)"', text))
    return found & set(words.catalogue()) | set(re.findall(r'\bt\("([^"]+)"[,)]', text))


def test_every_word_asked_for_is_there() -> None:
    assert used_words() <= set(words.catalogue())


def test_every_word_there_is_asked_for() -> None:
    composed = ("error.", "state.", "verdict.", "ops.")
    unused = set(words.catalogue()) - used_words()
    assert {key for key in unused if not key.startswith(composed)} == set()


def test_both_languages_have_the_same_places() -> None:
    for key, text in words.catalogue().items():
        places = [sorted(re.findall(r"{(\w+)}", side)) for side in (text.ko, text.en)]
        assert places[0] == places[1], key


def test_only_listed_files_are_served() -> None:
    for name in ("base.py", "../base.py", "words.yaml", "portal.css.map"):
        assert name not in FILES
    assert AssetHandler.get_absolute_path("/", "portal.css").endswith("portal.css")


def test_no_style_or_script_comes_from_elsewhere() -> None:
    for file in [*TEMPLATES.rglob("*.html"), *FILES.values()]:
        if file.suffix in (".html", ".css", ".js"):
            text = file.read_text(encoding="utf-8")
            assert not re.search(
                r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", text
            )


def test_no_page_of_ours_has_a_script_or_style_in_it() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", text), file
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), file


def test_every_page_of_the_hub_is_ours() -> None:
    from jupyterhub._data import DATA_FILES_PATH

    stock = {f.name for f in (Path(DATA_FILES_PATH) / "templates").glob("*.html")}
    assert stock <= {file.name for file in TEMPLATES.glob("*.html")}
