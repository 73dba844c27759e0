"""Each of the four roles goes through the demo's hub in a real browser.

With `SCREENSHOTS=folder` the pages are kept as pictures, at desk and phone width.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kamp_lib.demo.hub import DemoHub, demo_hub
from kamp_lib.demo.people import Account, let_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
DESK, PHONE = (1280, 900), (390, 844)
PATIENCE_MS = 90_000
MANAGER, ANALYST, CONSULTANT, OPERATOR = "younghee", "jiwoo", "dohyun", "admin-park"
OWN, OTHER = "haneul-mold", "dalbit-tech"

Walk = Callable[..., "Page"]


@pytest.fixture(scope="module")
def home(demo_to_change: Path) -> Path:
    return demo_to_change


@pytest.fixture(scope="module")
def accounts(home: Path) -> dict[str, Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        return {account.person.name: account for account in let_in(home)}


@pytest.fixture(scope="module")
def hub(home: Path, accounts: dict[str, Account]) -> Iterator[DemoHub]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        patch.setenv("KAMP_HUB_URL", "")
        with demo_hub(home, None) as running:
            yield running


@pytest.fixture
def signed_in(
    browser: Browser, hub: DemoHub, accounts: dict[str, Account]
) -> Iterator[Walk]:
    """Open a browser of one's own and sign in with the form; lands on the portal."""
    contexts = []

    def walk(name: str, size: tuple[int, int] = DESK) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, locale="ko-KR")  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.goto(hub.url)
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", accounts[name].password)
        page.click("form button[type=submit]")
        page.wait_for_url("**/services/portal/**")
        return page

    yield walk
    for context in contexts:
        context.close()


def shot(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def consent(page: Page) -> None:
    """Say yes where the hub asks whether a server may know one's name."""
    page.wait_for_url(lambda url: "/services/portal/" not in url)
    if "/oauth2/authorize" in page.url:
        shot(page, "consent")
        page.click("form button[type=submit]")


def fits(page: Page) -> bool:
    """Nothing has to be moved sideways to be seen."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return bool(wide <= page.viewport_size["width"])  # type: ignore[index]


def test_a_manager_opens_a_report_on_a_phone(signed_in: Walk) -> None:
    page = signed_in(MANAGER, PHONE)
    shot(page, "portal-manager-phone")
    assert "사출기 양불 판정" in page.inner_text("main")
    assert fits(page)
    assert "작업공간 시작" not in page.inner_text("body")
    page.click(f"#{OWN} .report button, #{OWN} .report a.button")
    consent(page)
    page.wait_for_selector("body.kamp-ready", state="attached")
    shot(page, "report-phone")
    assert "모의" in page.inner_text("body")
    assert fits(page)
    before = page.locator(".tiles").first.inner_text()
    page.locator(".kamp-threshold [role=slider]").first.focus()
    for _ in range(25):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('.tiles').innerText !== before", arg=before
    )


def test_a_manager_sees_neither_code_nor_other_companies(
    signed_in: Walk, hub: DemoHub
) -> None:
    page = signed_in(MANAGER, PHONE)
    assert "달빛정공테크" not in page.inner_text("body")
    assert "플랫폼 운영" not in page.inner_text("body")
    for address in (
        f"http://{OTHER}.kamp.localhost:{hub.port}/user/{OTHER}/report/",
        f"http://{OWN}.kamp.localhost:{hub.port}/user/{OWN}/{ANALYST}/lab",
        f"http://kamp.localhost:{hub.port}/hub/admin",
    ):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status in (403, 404, 424), address


def test_an_analyst_runs_a_model_by_click_and_publishes_it_to_the_manager(
    signed_in: Walk, home: Path
) -> None:
    page = signed_in(ANALYST)
    shot(page, "portal-analyst")
    page.click(f"#{OWN} .workspace button")
    consent(page)
    page.wait_for_selector("#jp-main-dock-panel")
    page.wait_for_selector("text=파일 가져오기")
    shot(page, "workspace")
    body = page.inner_text("body")
    assert "하늘몰드정밀" in body
    assert "달빛정공테크" not in body
    before = reports(home)
    page.click("button:has-text('▶')")
    publish = page.locator("li.job.done button[data-act=publish]").first
    publish.wait_for(timeout=240_000)
    shot(page, "workspace-run-done")
    publish.click()
    page.locator("li.job.done", has_text="게시:").first.wait_for()
    shot(page, "workspace-published")
    new = reports(home) - before
    assert len(new) == 1
    note = (home / "tenants" / OWN / "published" / new.pop()) / "publication.json"
    assert ANALYST in note.read_text(encoding="utf-8")
    page = signed_in(MANAGER, PHONE)
    assert page.locator(f"#{OWN} .report").count() == len(before) + 1


def reports(home: Path) -> set[str]:
    """Runs that are published, by id."""
    folder = home / "tenants" / OWN / "published"
    return {path.name for path in folder.iterdir() if path.name[0].isdigit()}


def test_a_consultant_has_a_workspace_in_every_company(
    signed_in: Walk, hub: DemoHub
) -> None:
    page = signed_in(CONSULTANT)
    shot(page, "portal-consultant")
    for slug in (OWN, OTHER, "mirinae-press", "onnuri-plating"):
        assert page.locator(f"#{slug} .workspace").count() == 1
    page.click(f"#{OTHER} .workspace button")
    consent(page)
    page.wait_for_selector("text=파일 가져오기")
    assert f"//{OTHER}.kamp.localhost:{hub.port}/user/{OTHER}/{CONSULTANT}/" in page.url
    body = page.inner_text("body")
    assert "달빛정공테크" in body
    assert "하늘몰드정밀" not in body


def test_an_operator_sees_servers_and_companies_but_no_content(
    signed_in: Walk, hub: DemoHub
) -> None:
    page = signed_in(OPERATOR)
    shot(page, "portal-operator")
    text = page.inner_text("#platform")
    assert "기업 4곳" in text
    assert "사출기 양불 판정" not in page.inner_text("body")
    for address in (f"/user/{OWN}/report/", f"/user/{OWN}/{ANALYST}/lab"):
        answer = page.goto(f"http://{OWN}.kamp.localhost:{hub.port}{address}")
        assert answer is not None
        assert answer.status in (403, 404, 424), address
