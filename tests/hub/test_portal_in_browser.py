"""The portal and the hub's pages in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hub.live_hub import PASSWORD, LiveHub
from hub.portal_hub import PORTAL, origin, release

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e
RUN = "20261120-010203-injection-quality-aaaaaa"
PHONE, DESK = 390, 1280


@pytest.fixture(scope="module", autouse=True)
def _report(portal_hub: LiveHub) -> None:
    if not (portal_hub.home / "tenants/acme/published" / RUN).exists():
        release(portal_hub.home, "acme", RUN)


@contextmanager
def browsing(
    browser: Browser, width: int = PHONE, scripts: bool = True
) -> Iterator[Page]:
    """A page of its own; a policy that blocks something of ours fails the test."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text))
    opened.on("pageerror", lambda e: complaints.append(str(e)))
    try:
        yield opened
    finally:
        context.close()
    harmless = "Failed to load resource: the server responded with a status of"
    assert [c for c in complaints if not c.startswith(harmless)] == []


def sign_in(page: Page, hub: LiveHub, name: str) -> None:
    page.goto(hub.url)
    page.fill("#username_input", name)
    page.fill("#password_input", PASSWORD)
    page.click("#login_submit")
    page.wait_for_url(origin(hub) + PORTAL + "*")


@contextmanager
def made(hub: LiveHub, *flags: str) -> Iterator[None]:
    """Starts are slow, or fail, inside the block."""
    for flag in flags:
        (hub.home / flag).touch()
    try:
        yield
    finally:
        for flag in flags:
            (hub.home / flag).unlink()


def stop_everything(page: Page, hub: LiveHub) -> None:
    page.context.clear_cookies()
    sign_in(page, hub, "olga")
    buttons = page.locator("#platform .button.stop")
    while buttons.count():
        buttons.first.click()
        page.wait_for_load_state()
        page.goto(origin(hub) + PORTAL)


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("mina", ["", "open/acme/report", "nowhere"]),
        ("carl", ["?lang=en", "open/bolt/carl?lang=en"]),
        ("olga", [""]),
        ("nobody", [""]),
    ],
)
def test_pages_of_the_portal_fit_their_screen(
    name: str, paths: list[str], width: int, portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser, width) as page:
        sign_in(page, portal_hub, name)
        for path in paths:
            page.goto(origin(portal_hub) + PORTAL + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pages_of_the_hub_fit_their_screen(
    width: int, portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser, width) as page:
        page.goto(portal_hub.url + "/hub/login?lang=en")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sign_in(page, portal_hub, "mina")
        for path in ("password", "token", "nothing"):
            page.goto(f"{portal_hub.url}/hub/{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_pages_wear_the_font_of_the_decision_pages(
    portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser) as page:
        page.goto(portal_hub.url + "/hub/login")
        assert page.evaluate("document.fonts.ready.then(() => true)")
        assert page.evaluate('document.fonts.check("16px \'KAMP Sans\'", "로그인")')


def test_buttons_are_large_enough_for_a_thumb(
    portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser) as page:
        sign_in(page, portal_hub, "ann")
        for button in page.locator(".button:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 44


def test_a_manager_gets_to_a_report_by_a_tap_and_one_consent(
    portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser) as page, made(portal_hub, "slow"):
        sign_in(page, portal_hub, "mina")
        page.click(".report .button")
        page.wait_for_url("**/starting/acme/report?*")
        assert (
            page.locator("h1:visible").inner_text() == "하늘몰드 보고서를 여는 중입니다"
        )
        page.wait_for_url("**/hub/api/oauth2/authorize?*", timeout=20_000)
        page.click("button[type=submit]")
        page.wait_for_url(
            f"{portal_hub.of('acme')}/user/acme/report/report/acme/{RUN}*"
        )
        assert f"opened report/acme/{RUN} for mina" in page.content()
        # the next time it is a plain link
        page.goto(portal_hub.url)
        page.click(".report a.button")
        page.wait_for_url(
            f"{portal_hub.of('acme')}/user/acme/report/report/acme/{RUN}*"
        )
        stop_everything(page, portal_hub)


def test_it_all_works_without_scripts(portal_hub: LiveHub, browser: Browser) -> None:
    with browsing(browser, scripts=False) as page, made(portal_hub, "slow"):
        sign_in(page, portal_hub, "ann")
        page.click(".workspace .button")
        page.wait_for_url("**/starting/acme/ann")
        page.wait_for_url("**/hub/api/oauth2/authorize?*", timeout=20_000)
        page.click("button[type=submit]")
        page.wait_for_url(f"{portal_hub.of('acme')}/user/acme/ann/")
        stop_everything(page, portal_hub)


def test_a_start_that_fails_tells_somebody_who_waits(
    portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser) as page, made(portal_hub, "slow", "fail"):
        sign_in(page, portal_hub, "bora")
        page.click(".workspace .button")
        page.locator("#failed").wait_for(state="visible", timeout=15_000)
        # what a message says is text
        assert (
            page.locator("#failed-message").inner_text()
            == "디스크가 <b>가득</b> 찼습니다."
        )
        assert not page.locator("#waiting").is_visible()


def test_a_language_chosen_at_the_sign_in_stays(
    portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser) as page:
        page.goto(portal_hub.url)
        page.click("text=English")
        sign_in(page, portal_hub, "ann")
        assert page.locator("h1").inner_text() == "Hello, Ann"
        page.click("text=한국어")
        page.goto(portal_hub.url + "/hub/password")
        assert page.locator("h1").inner_text() == "비밀번호 바꾸기"


def test_the_operators_page_of_the_hub_still_works_in_our_frame(
    portal_hub: LiveHub, browser: Browser
) -> None:
    with browsing(browser, DESK) as page:
        sign_in(page, portal_hub, "olga")
        page.goto(portal_hub.url + "/hub/admin")
        page.locator("#react-admin-hook table").first.wait_for(timeout=15_000)
        assert page.locator("#react-admin-hook >> text=acme").count()


def test_another_companys_page_cannot_press_our_buttons(
    portal_hub: LiveHub, browser: Browser
) -> None:
    """A form on a company's own origin, sent by a browser that is signed in to the portal."""
    with browsing(browser) as page:
        sign_in(page, portal_hub, "ann")
        xsrf = page.locator("input[name=_xsrf]").first.input_value()
        hostile = f"""<form method=post action="{origin(portal_hub)}{PORTAL}start">
            <input name=_xsrf value="{xsrf}"><input name=company value=acme>
            <input name=server value=report><button>win a prize</button></form>"""
        there = f"{portal_hub.of('acme')}/prize"
        page.route(
            there, lambda route: route.fulfill(body=hostile, content_type="text/html")
        )
        page.goto(there)
        with page.expect_response(lambda r: r.request.method == "POST") as answer:
            page.click("button")
        assert answer.value.status == 403
        page.goto(origin(portal_hub) + PORTAL)
        assert not page.locator(".report a.button").count()
