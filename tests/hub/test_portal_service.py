"""The portal at a real hub: who sees what, who starts and stops what, and attacks on it."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import pytest
import requests
from hub.live_hub import PASSWORD, LiveHub, Visitor, xsrf_of
from hub.portal_hub import PORTAL, known, origin, own_xsrf, page, press, release

from kamp_lib.tenancy import open_registry
from kamp_lib.tenancy.registry import Registry

pytestmark = pytest.mark.e2e
RUN = "20261120-010203-injection-quality-aaaaaa"
SOON_S = 20


@pytest.fixture
def registry(portal_hub: LiveHub) -> Iterator[Registry]:
    url = f"sqlite:///{portal_hub.home / 'platform.db'}"
    found = open_registry(url, home=portal_hub.home)
    yield found
    found.close()


@pytest.fixture(scope="module", autouse=True)
def _report(portal_hub: LiveHub) -> None:
    if not (portal_hub.home / "tenants/acme/published" / RUN).exists():
        release(portal_hub.home, "acme", RUN)


def add(registry: Registry, name: str, display: str = "", **roles: str) -> None:
    """Somebody new, with their own password already."""
    first = registry.add_person(name, display or name.title())
    registry.change_password(name, first, PASSWORD)
    for slug, role in roles.items():
        registry.assign(name, slug, role)


def token_of(visitor: Visitor) -> str:
    """The token that the portal holds for a visitor, out of its signed cookie."""
    page(visitor)
    cookie = next(c for c in visitor.session.cookies if c.name == "service-portal")
    value = (cookie.value or "").strip('"').split("|")[4].split(":")[1]
    return base64.b64decode(value).decode()


def until_running(visitor: Visitor, path: str) -> str:
    """Where the waiting page leads to in the end."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        answer = page(visitor, path, allow_redirects=False)
        if answer.status_code == 302:
            return answer.headers["Location"]
        time.sleep(0.1)
    pytest.fail(visitor.hub.log[-4000:])


def stop_all(hub: LiveHub) -> None:
    """What one test has started is no matter of the next."""
    olga = known(hub, "olga")
    shown = page(olga).text
    for company, server in re.findall(
        r'name="company" value="(\w+)">\s*<input type="hidden" name="server" value="(\w+)">',
        shown,
    ):
        press_as_operator(olga, shown, company, server)


def press_as_operator(
    olga: Visitor, shown: str, company: str, server: str
) -> requests.Response:
    form = {"_xsrf": xsrf_of(shown), "company": company, "server": server}
    return olga.post(
        origin(olga.hub) + PORTAL + "stop", data=form, allow_redirects=False
    )


# who sees what


def test_a_manager_sees_the_verdict_and_the_date_of_their_reports(
    portal_hub: LiveHub,
) -> None:
    shown = page(known(portal_hub, "mina")).text
    assert "불량 10개 중 8개를 미리 찾습니다." in shown
    assert "2026-11-20 10:02" in shown
    assert "사용 가능" in shown


def test_a_manager_sees_no_workspace_no_platform_and_no_other_company(
    portal_hub: LiveHub,
) -> None:
    shown = page(known(portal_hub, "mina")).text
    for word in ("작업공간 시작", "플랫폼 운영", "멈추기", "나래정밀", "/hub/admin"):
        assert word not in shown


def test_an_analyst_sees_their_own_workspace(portal_hub: LiveHub) -> None:
    shown = page(known(portal_hub, "ann")).text
    assert "작업공간 시작" in shown
    assert 'name="server" value="ann"' in shown


def test_a_consultant_sees_all_customers(portal_hub: LiveHub) -> None:
    shown = page(known(portal_hub, "carl")).text
    assert re.findall(r'<section class="card company" id="(\w+)"', shown)[:2] == [
        "acme",
        "bolt",
    ]


def test_an_operator_sees_companies_and_no_report(portal_hub: LiveHub) -> None:
    shown = page(known(portal_hub, "olga")).text
    assert "플랫폼 운영" in shown
    assert "나래정밀" in shown
    assert "불량 10개" not in shown
    assert "작업공간 시작" not in shown


def test_somebody_without_a_company_is_told_so(portal_hub: LiveHub) -> None:
    assert "아직 맡은 기업이 없습니다" in page(known(portal_hub, "nobody")).text


def test_a_stranger_is_led_to_the_sign_in(portal_hub: LiveHub) -> None:
    answer = page(portal_hub.visitor())
    assert answer.url.startswith(f"{portal_hub.url}/hub/login")


def test_the_page_speaks_english_when_asked(portal_hub: LiveHub) -> None:
    mina = portal_hub.visitor("mina")
    assert "It finds 8 of 10 defects beforehand." in page(mina, "?lang=en").text
    assert "Sign out" in page(mina).text


def test_a_suspended_company_is_shown_as_such(
    portal_hub: LiveHub, registry: Registry
) -> None:
    registry.add_sme("still", "쉼터정공", "Shimteo")
    add(registry, "sue", still="analyst")
    registry.suspend("still")
    sue = portal_hub.visitor("sue")
    shown = page(sue).text
    assert "이용이 잠시 정지된 기업입니다" in shown
    assert "<form" not in shown


# starting and stopping


def test_a_manager_opens_a_report_though_they_may_only_start(
    portal_hub: LiveHub,
) -> None:
    mina = known(portal_hub, "mina")
    answer = press(mina, "start", company="acme", server="report", run=RUN)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{PORTAL}starting/acme/report?run={RUN}"
    there = until_running(mina, f"starting/acme/report?run={RUN}")
    assert there == (
        f"{portal_hub.of('acme')}/user/acme/report/report/acme/{RUN}?lang=ko"
    )
    assert f"opened report/acme/{RUN} for mina" in mina.open(there).text
    stop_all(portal_hub)


def test_the_progress_ends_with_the_server_being_ready(portal_hub: LiveHub) -> None:
    ann = known(portal_hub, "ann")
    press(ann, "start", company="acme", server="ann")
    events = page(ann, "progress/acme/ann")
    assert events.headers["Content-Type"] == "text/event-stream"
    assert events.text.rstrip().endswith('"ready": true}')
    stop_all(portal_hub)


def test_an_analyst_stops_their_workspace(portal_hub: LiveHub) -> None:
    ann = known(portal_hub, "ann")
    press(ann, "start", company="acme", server="ann")
    until_running(ann, "starting/acme/ann")
    assert "작업공간 열기" in page(ann).text
    assert press(ann, "stop", company="acme", server="ann").status_code == 303
    assert "작업공간 시작" in page(ann).text


def test_an_operator_stops_a_server_and_is_named_in_the_audit(
    portal_hub: LiveHub, registry: Registry
) -> None:
    ann = known(portal_hub, "ann")
    press(ann, "start", company="acme", server="ann")
    until_running(ann, "starting/acme/ann")
    olga = known(portal_hub, "olga")
    shown = page(olga).text
    assert "Ann의 작업공간" in shown
    assert press_as_operator(olga, shown, "acme", "ann").status_code == 303
    assert "작업공간 시작" in page(ann).text
    entries = registry.audit_entries("acme")
    entry = next(e for e in entries if e.action == "server.stop")
    assert (entry.actor, entry.detail) == ("olga", {"server": "ann"})


@contextmanager
def failing(hub: LiveHub) -> Iterator[None]:
    flag = hub.home / "fail"
    flag.touch()
    try:
        yield
    finally:
        flag.unlink()


def test_a_start_that_fails_says_why_and_offers_another(portal_hub: LiveHub) -> None:
    bora = known(portal_hub, "bora")
    with failing(portal_hub):
        press(bora, "start", company="bolt", server="bora")
        shown = page(bora, "starting/bolt/bora").text
    assert "시작하지 못했습니다" in shown
    assert "디스크가 &lt;b&gt;가득&lt;/b&gt; 찼습니다." in shown
    assert "다시 시작" in shown


def test_a_failure_reaches_somebody_who_is_waiting(portal_hub: LiveHub) -> None:
    bora = known(portal_hub, "bora")
    xsrf = own_xsrf(bora)
    (portal_hub.home / "slow").touch()
    try:
        with failing(portal_hub):
            press(bora, "start", company="bolt", server="bora", _xsrf=xsrf)
            events = page(bora, "progress/bolt/bora").content.decode()
    finally:
        (portal_hub.home / "slow").unlink()
    assert '"failed": true' in events
    assert "Spawn failed" not in events


def test_looking_at_a_stopped_server_starts_nothing(portal_hub: LiveHub) -> None:
    carl = known(portal_hub, "carl")
    assert "켜고 열기" in page(carl, "open/bolt/carl").text
    assert "작업공간이 꺼져 있습니다" in page(carl, "open/bolt/carl").text
    assert page(carl, "starting/bolt/carl").url.endswith("open/bolt/carl")


# what nobody gets


@pytest.mark.parametrize(
    ("person", "company", "server"),
    [
        ("ann", "bolt", "report"),
        ("ann", "bolt", "ann"),
        ("ann", "acme", "bea"),
        ("ann", "acme", ""),
        ("ann", "ann", "report"),
        ("ann", "nowhere", "report"),
        ("ann", "acme/servers/report", "x"),
        ("mina", "acme", "mina"),
        ("mina", "acme", "ann"),
        ("olga", "acme", "report"),
    ],
)
def test_no_start_of_what_is_not_ones_own(
    person: str, company: str, server: str, portal_hub: LiveHub
) -> None:
    visitor = known(portal_hub, person)
    xsrf = own_xsrf(visitor)
    answer = press(visitor, "start", company=company, server=server, _xsrf=xsrf)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("person", "company", "server"),
    [("mina", "acme", "report"), ("ann", "acme", "report"), ("ann", "acme", "bea")],
)
def test_no_stop_of_what_is_not_ones_own(
    person: str, company: str, server: str, portal_hub: LiveHub
) -> None:
    answer = press(known(portal_hub, person), "stop", company=company, server=server)
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["open", "starting", "progress"])
def test_no_page_about_another_companys_server(kind: str, portal_hub: LiveHub) -> None:
    assert page(known(portal_hub, "ann"), f"{kind}/bolt/report").status_code == 404


def test_the_hub_refuses_by_itself_what_the_portal_does_not_offer(
    portal_hub: LiveHub,
) -> None:
    """The second wall: the token that the portal acts with, used past the portal."""
    ann = known(portal_hub, "ann")
    header = {"Authorization": f"token {token_of(ann)}"}

    def ask(method: str, path: str) -> int:
        url = f"{portal_hub.url}/hub/api{path}"
        return requests.request(method, url, headers=header, timeout=30).status_code

    assert ask("GET", "/users/acme/servers/ann/progress") in (400, 404)
    for method, path in [
        ("POST", "/users/bolt/servers/report"),
        ("POST", "/users/acme/servers/bea"),
        ("POST", "/users/acme/servers/other"),
        ("POST", "/users/ann/server"),
        ("DELETE", "/users/acme/servers/report"),
        ("GET", "/users"),
        ("POST", "/users/ann/tokens"),
        ("GET", "/users/bolt"),
        ("GET", "/proxy"),
    ]:
        assert ask(method, path) in (403, 404), (method, path)


def test_the_portals_token_opens_no_server(portal_hub: LiveHub) -> None:
    ann = known(portal_hub, "ann")
    press(ann, "start", company="acme", server="ann")
    there = until_running(ann, "starting/acme/ann")
    header = {"Authorization": f"token {token_of(ann)}"}
    answer = requests.get(there, headers=header, timeout=30, allow_redirects=False)
    assert answer.status_code == 403
    stop_all(portal_hub)


def test_a_form_without_its_token_is_refused(portal_hub: LiveHub) -> None:
    ann = known(portal_hub, "ann")
    answer = press(ann, "start", company="acme", server="report", _xsrf="")
    assert answer.status_code == 403


def test_a_form_with_somebody_elses_token_is_refused(portal_hub: LiveHub) -> None:
    theirs = own_xsrf(known(portal_hub, "bea"))
    ann = known(portal_hub, "ann")
    page(ann)
    answer = press(ann, "start", company="acme", server="report", _xsrf=theirs)
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["same-site", "cross-site", "none"])
def test_a_form_of_another_origin_is_refused_even_with_its_token(
    site: str, portal_hub: LiveHub
) -> None:
    """A company's own pages are a sibling sub-domain: same site, another origin."""
    headers = {"Sec-Fetch-Site": site, "Origin": portal_hub.of("acme")}
    ann = known(portal_hub, "ann")
    answer = press(ann, "start", headers, company="acme", server="report")
    assert answer.status_code == 403
    assert "꺼져 있음" in page(ann).text


def test_a_script_of_another_page_cannot_follow_a_start(portal_hub: LiveHub) -> None:
    ann = known(portal_hub, "ann")
    page(ann)
    answer = page(
        ann,
        "progress/acme/ann",
        headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-site"},
        allow_redirects=False,
    )
    assert answer.status_code != 200


def test_nothing_is_done_for_a_stranger(portal_hub: LiveHub) -> None:
    stranger = portal_hub.visitor()
    for action in ("start", "stop"):
        url = f"{origin(portal_hub)}{PORTAL}{action}"
        form = {"company": "acme", "server": "report"}
        assert stranger.post(url, data=form).status_code == 403


@pytest.mark.parametrize("run", ["//evil.example", "https://evil.example/", "\\\\evil"])
def test_no_request_leads_a_visitor_elsewhere(run: str, portal_hub: LiveHub) -> None:
    ann = known(portal_hub, "ann")
    answer = press(ann, "start", company="acme", server="report", run=run, next=run)
    assert answer.headers["Location"] == f"{PORTAL}starting/acme/report"
    there = until_running(ann, "starting/acme/report")
    assert there.startswith(f"{portal_hub.of('acme')}/user/acme/report/?")
    for kind in ("open", "starting"):
        params = {"run": run, "next": run}
        answer = page(ann, f"{kind}/acme/report", params=params, allow_redirects=False)
        assert answer.headers["Location"] == there
    stop_all(portal_hub)


def test_a_name_is_text_wherever_it_stands(
    portal_hub: LiveHub, registry: Registry
) -> None:
    evil = '<img src=x onerror="alert(1)">'
    registry.add_sme("xss", evil, "</title><script>alert(1)</script>")
    add(registry, "xena", "<b>Xena</b>", xss="analyst")
    hostile = {"ko": "<script>alert(2)</script>", "en": "'\"><svg onload=alert(2)>"}
    release(
        portal_hub.home,
        "xss",
        RUN,
        model={"name": hostile},
        verdict={"value": "usable", "sentence": hostile},
    )
    xena = portal_hub.visitor("xena")
    for path in ("", "?lang=en", "open/xss/report", f"open/xss/report?run={evil}"):
        shown = page(xena, path).text
        assert not re.search(r"<(img|svg|b>|script(?! src=\"/services/portal/))", shown)
    assert "<script>alert(2)</script>" in unescape(page(xena, "?lang=ko").text)
    for path in ("?lang=%22><svg>", "nowhere/<svg>", "open/<svg>/report"):
        assert "<svg" not in page(xena, path).text
    olga = known(portal_hub, "olga")
    assert "<img" not in page(olga).text


def test_no_script_can_run_that_is_not_a_file_of_ours(portal_hub: LiveHub) -> None:
    for path in ("", "nowhere", "open/acme/report"):
        answer = page(known(portal_hub, "ann"), path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_cookie_with_the_token_is_no_scripts_business(portal_hub: LiveHub) -> None:
    ann = known(portal_hub, "ann")
    page(ann)
    (cookie,) = (c for c in ann.session.cookies if c.name == "service-portal")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"
    assert cookie.domain == "portal--service.kamp.localhost"
    assert cookie.path == PORTAL


def test_only_listed_files_are_served(portal_hub: LiveHub) -> None:
    stranger = portal_hub.visitor()
    assert page(stranger, "kamp/portal.css").status_code == 200
    for path in ("kamp/words.yaml", "kamp/..%2fbase.py", "kamp/%2fetc%2fpasswd"):
        assert page(stranger, path).status_code == 404


# changes while somebody is there


def within_seconds(check: object, what: str) -> None:
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        if check():  # type: ignore[operator]
            return
        time.sleep(0.5)
    pytest.fail(f"not within {SOON_S} s: {what}")


def test_a_new_company_appears_without_signing_in_again(
    portal_hub: LiveHub, registry: Registry
) -> None:
    add(registry, "nina")
    nina = portal_hub.visitor("nina")
    assert "아직 맡은 기업이 없습니다" in page(nina).text
    registry.assign("nina", "bolt", "manager")
    within_seconds(lambda: "나래정밀" in page(nina).text, "the company is shown")
    within_seconds(
        lambda: "권한을 적용하고 있습니다" not in page(nina).text, "rights are there"
    )
    answer = press(nina, "start", company="bolt", server="report", _xsrf=own_xsrf(nina))
    assert answer.status_code == 303
    assert "lang=ko" in until_running(nina, "starting/bolt/report")
    stop_all(portal_hub)


def test_a_company_that_is_taken_away_is_gone_from_the_next_page(
    portal_hub: LiveHub, registry: Registry
) -> None:
    add(registry, "tim", acme="manager", bolt="manager")
    tim = portal_hub.visitor("tim")
    xsrf = own_xsrf(tim)
    registry.unassign("tim", "bolt")
    assert "나래정밀" not in page(tim).text
    answer = press(tim, "start", company="bolt", server="report", _xsrf=xsrf)
    assert answer.status_code == 404


def test_somebody_removed_while_a_page_is_open_can_do_nothing_more(
    portal_hub: LiveHub, registry: Registry
) -> None:
    add(registry, "rob", acme="analyst")
    rob = portal_hub.visitor("rob")
    xsrf = own_xsrf(rob)
    registry.remove_person("rob")
    answer = press(rob, "start", company="acme", server="report", _xsrf=xsrf)
    assert answer.status_code == 403
    assert page(rob, allow_redirects=False).status_code in (302, 403)
    within_seconds(
        lambda: "/hub/login" in page(rob).url or page(rob).status_code == 403, "out"
    )


def test_a_company_suspended_while_a_page_is_open_starts_nothing(
    portal_hub: LiveHub, registry: Registry
) -> None:
    registry.add_sme("pause", "잠시정밀", "Pause")
    add(registry, "pam", pause="analyst")
    pam = portal_hub.visitor("pam")
    xsrf = own_xsrf(pam)
    registry.suspend("pause")
    answer = press(pam, "start", company="pause", server="pam", _xsrf=xsrf)
    assert answer.status_code == 404


def test_signing_out_of_the_hub_signs_out_of_the_portal(portal_hub: LiveHub) -> None:
    ann = portal_hub.visitor("ann")
    page(ann)
    ann.get("/hub/logout")
    assert page(ann).url.startswith(f"{portal_hub.url}/hub/login")
