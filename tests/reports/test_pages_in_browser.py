"""Each family's page in Chromium: it loads, a slider moves, and the number changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kamp_lib import reports
from kamp_lib.runs import Bundle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

MODELS = {
    "hanbit": "injection-quality",
    "dasan": "cnc-machining-quality",
    "saebit": "machine-vision-surface",
    "daeil": "injection-quality",
    "doraji": "machine-vision-surface",
    "nuri": "injection-quality",
}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
THRESHOLD = ".kamp-threshold [role=slider]"


@pytest.fixture
def opened(browser: Browser, served: Any) -> Iterator[Any]:
    pages: list[Page] = []

    def open_(
        slug: str, size: dict[str, int] | None = None, *, lang: str = "ko"
    ) -> Page:
        page = browser.new_page(viewport=size or DESK)  # type: ignore[arg-type]
        pages.append(page)
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        run = f"20261121-010203-{MODELS[slug]}-ab12cd"
        page.goto(served.address(slug, run, lang))
        page.wait_for_selector("body.kamp-ready", state="attached", timeout=20_000)
        return page

    yield open_
    for page in pages:
        page.goto("about:blank")  # leaving tells the server to let the kernel go
        page.close()


def body(page: Page) -> str:
    return page.inner_text("body")


def nudge(page: Page, slider: str, key: str, times: int) -> None:
    page.locator(slider).first.focus()
    for _ in range(times):
        page.keyboard.press(key)


@pytest.mark.parametrize("slug", ["hanbit", "dasan", "saebit"])
def test_moving_the_threshold_changes_missed_and_false_alarms_at_once(
    opened: Any, slug: str
) -> None:
    page = opened(slug)
    tiles = page.locator(".tiles").first
    before = tiles.inner_text()
    nudge(page, THRESHOLD, "ArrowLeft", 25)
    page.wait_for_function(
        "before => document.querySelector('.tiles').innerText !== before", arg=before
    )
    after = [int(x) for x in numbers(tiles.inner_text())]
    was = [int(x) for x in numbers(before)]
    # flagged, of, missed, of, false alarms, of
    assert after[2] <= was[2]
    assert after[4] > was[4]


def numbers(text: str) -> list[str]:
    import re

    return re.findall(r"\d+", text.replace(",", ""))


@pytest.mark.parametrize("slug", ["hanbit", "dasan"])
def test_moving_a_what_if_slider_asks_the_model(opened: Any, slug: str) -> None:
    page = opened(slug)
    nudge(page, ".kamp-slider:not(.kamp-threshold) [role=slider]", "ArrowLeft", 30)
    page.wait_for_function(
        "() => document.querySelector('[data-risk]').innerText.includes('높아질')",
        timeout=20_000,
    )
    page.wait_for_function(
        "() => document.body.innerText.includes('경험 범위 밖: 보압')"
    )


def test_typing_a_price_changes_the_money_and_its_mark(opened: Any) -> None:
    page = opened("hanbit")
    before = page.locator(".amount").inner_text()
    box = page.locator(".kamp-input input[type=number]").nth(1)
    box.fill("9000")
    box.press("Enter")
    page.wait_for_function(
        "before => document.querySelector('.amount').innerText !== before", arg=before
    )
    assert "가정값(귀사 값 아님)" not in body(page)


@pytest.mark.parametrize("slug", ["hanbit"])
def test_the_switch_turns_the_page_to_english(opened: Any, slug: str) -> None:
    page = opened(slug)
    page.get_by_role("button", name="English").click()
    page.wait_for_function(
        "() => document.body.innerText.includes('What is it worth?')"
    )
    assert "얼마의 가치" not in body(page)


@pytest.mark.parametrize(
    ("slug", "lang"),
    [
        *((slug, "ko") for slug in MODELS),
        *(pytest.param(s, "en", marks=pytest.mark.long) for s in ("hanbit", "saebit")),
    ],
)
def test_a_phone_never_scrolls_sideways(opened: Any, slug: str, lang: str) -> None:
    page = opened(slug, PHONE, lang=lang)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def test_touch_targets_are_big_enough_for_a_thumb(opened: Any) -> None:
    page = opened("hanbit", PHONE)
    small = page.evaluate(
        """[...document.querySelectorAll('button, input, summary')]
        .map(e => e.getBoundingClientRect()).filter(r => r.height && r.height < 40)
        .length"""
    )
    assert small == 0


def test_hostile_names_do_nothing(opened: Any) -> None:
    page = opened("doraji")
    page.wait_for_timeout(300)
    assert page.title() != "HACKED"
    assert page.locator("img[src=x]").count() == 0
    assert "<script>" in body(page)


def test_no_code_is_visible(opened: Any) -> None:
    said = body(opened("hanbit"))
    for code in ("import", "page.", "Traceback", "VBox", "In [", "Out["):
        assert code not in said


def test_a_run_without_labels_shows_its_control_charts(opened: Any) -> None:
    page = opened("daeil")
    assert "관리도" in body(page)
    assert page.locator("figure svg").count() == 3


def test_a_failed_run_says_why(opened: Any) -> None:
    assert "값이 하나뿐입니다" in body(opened("nuri"))


def test_the_first_view_is_there_before_the_kernel(
    browser: Browser, served: Any
) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    run = f"20261121-010203-{MODELS['dasan']}-ab12cd"
    page.goto(served.address("dasan", run), wait_until="commit")
    first = page.frame_locator("iframe.kamp-first")
    first.locator("[data-lang=ko] .banner").wait_for(timeout=15_000)
    assert page.evaluate("document.body.classList.contains('kamp-ready')") is False
    page.close()


def test_pictures_of_the_vision_page_are_drawn(opened: Any) -> None:
    page = opened("saebit")
    drawn = page.evaluate(
        "[...document.querySelectorAll('.gallery img')].map(i => i.naturalWidth)"
    )
    assert len(drawn) == 24
    assert min(drawn) > 0


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_an_exported_page_opens_offline_without_a_word_on_the_console(
    browser: Browser, bundle: Bundle, tmp_path: Path, lang: Any
) -> None:
    file = reports.export(bundle, tmp_path / "report.html", lang)
    context = browser.new_context(viewport=PHONE, offline=True)  # type: ignore[arg-type]
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda m: heard.append(m.text))
    page.on("pageerror", lambda e: heard.append(str(e)))
    page.on("requestfailed", lambda r: heard.append(r.url))
    page.goto(file.as_uri())
    assert heard == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate("[...document.fonts].every(f => f.status === 'loaded')")
    context.close()


def test_a_pdf_has_korean_text_in_our_font(
    browser: Browser, bundle: Bundle, tmp_path: Path
) -> None:
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(reports.export(bundle, tmp_path / "r.pdf"))
    assert "사용 가능" in reader.pages[0].extract_text()
    fonts = [
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"].get("/Font", {}).values()
    ]
    assert any("Pretendard" in name for name in fonts)
