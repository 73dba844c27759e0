"""A manager's phone: sign in, choose a report, move a slider, leave again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub.live_hub import PASSWORD, LiveHub
from hub.report_hub import RUN, address

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def phone(report_hub: LiveHub, browser: Browser) -> Iterator[Page]:
    """A phone whose owner, mina, has signed in to the reports of acme."""
    report_hub.visitor("mina").start("acme", "report")
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.goto(address(report_hub, "acme"))
    page.fill("input[name=username]", "mina")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(address(report_hub, "acme") + "*")
    yield page
    context.close()


def fits(page: Page) -> bool:
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    return bool(wide <= PHONE["width"])


def kernels_of(hub: LiveHub) -> int:
    """Processes of kernels on this machine that a server of this hub has started."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"ipykernel_launcher" not in (process / "cmdline").read_bytes():
                continue
            folder = (process / "cwd").resolve(strict=False)
        except OSError:
            continue
        found += folder.is_relative_to(hub.home)
    return found


def test_the_list_fits_a_phone_and_switches_its_language(
    report_hub: LiveHub, phone: Page
) -> None:
    phone.goto(address(report_hub, "acme"))
    assert "의사결정 페이지" in phone.inner_text("h1")
    assert fits(phone)
    phone.get_by_text("이전 보고서 1개").click()
    assert phone.locator("a.card").count() == 2
    assert fits(phone)
    phone.get_by_role("link", name="English").click()
    assert phone.inner_text("h1") == "Decision pages"
    small = phone.evaluate(
        "() => [...document.querySelectorAll('a, summary')].filter(e => e.offsetHeight)"
        ".filter(e => e.getBoundingClientRect().height < 44).map(e => e.innerText)"
    )
    assert small == []


def test_a_page_below_the_servers_address_comes_alive_and_answers(
    report_hub: LiveHub, phone: Page
) -> None:
    phone.goto(address(report_hub, "acme") + "?lang=ko")
    phone.locator(f"a[href*='{RUN}']").click()
    phone.wait_for_selector("body.kamp-ready", state="attached", timeout=40_000)
    assert fits(phone)
    assert "실행: ann" in phone.inner_text("body")
    assert "게시: ann" in phone.inner_text("body")
    before = phone.locator(".tiles").first.inner_text()
    phone.locator(".kamp-threshold [role=slider]").first.focus()
    for _ in range(25):
        phone.keyboard.press("ArrowLeft")
    phone.wait_for_function(
        "before => document.querySelector('.tiles').innerText !== before",
        arg=before,
        timeout=20_000,
    )


def test_a_page_that_is_left_lets_its_kernel_go(
    report_hub: LiveHub, phone: Page
) -> None:
    there = kernels_of(report_hub)
    assert there >= 1
    phone.goto(address(report_hub, "acme"))
    deadline = time.monotonic() + 20
    while kernels_of(report_hub) >= there and time.monotonic() < deadline:
        time.sleep(0.3)
    assert kernels_of(report_hub) < there


def test_signing_out_ends_the_reading(report_hub: LiveHub, phone: Page) -> None:
    phone.goto(address(report_hub, "acme") + "?lang=ko")
    phone.get_by_role("link", name="로그아웃").click()
    phone.wait_for_load_state()
    phone.goto(address(report_hub, "acme"))
    assert "/hub/login" in phone.url
