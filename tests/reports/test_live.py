from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import ipywidgets as widgets
import pytest
from traitlets import TraitError

from kamp_lib.reports.live import Page, asked_language
from kamp_lib.runs import Bundle


@pytest.fixture
def page(bundle: Bundle, linear_risk: object, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr(Bundle, "model", lambda self: linear_risk)
    monkeypatch.setattr("kamp_lib.reports.live.WARM_UP_AFTER_S", 0)
    return Page(bundle, "ko")


def all_of(widget: widgets.Widget, kind: type) -> Iterator[Any]:
    if isinstance(widget, kind):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from all_of(child, kind)


def text(widget: widgets.Widget) -> str:
    return "".join(html.value for html in all_of(widget, widgets.HTML))


def test_a_dearer_defect_changes_the_money_and_loses_the_mark(page: Page) -> None:
    block = page.worth()
    before = text(block)
    price = list(all_of(block, widgets.BoundedFloatText))[1]
    price.value = 9_000
    after = text(block)
    assert after != before
    assert before.count("가정값") == 1
    assert after.count("가정값") == 0


def test_a_lower_threshold_misses_less_and_alarms_more(page: Page) -> None:
    block = page.worth()
    slider = next(all_of(block, widgets.IntSlider))
    slider.value = 0
    assert "<b>0건</b><span>24건 중" in text(block).replace("\n", "")
    assert "<b>376건</b><span>376건 중" in text(block).replace("\n", "")


def test_less_pressure_is_computed_to_raise_the_risk(page: Page) -> None:
    block = page.whatif()
    slider = next(all_of(block, widgets.FloatSlider))
    slider.value = 68.0
    # logistic of -4 and of -3
    assert "1.8 %에서 4.7 %로 높아질 것으로" in text(block)
    assert "경험 범위 밖" not in text(block)


def test_beyond_the_safe_range_it_says_so(page: Page) -> None:
    block = page.whatif()
    next(all_of(block, widgets.FloatSlider)).value = 64.0
    assert "경험 범위 밖: 보압" in text(block)


def test_going_back_restores_the_usual_settings(page: Page) -> None:
    block = page.whatif()
    slider = next(all_of(block, widgets.FloatSlider))
    slider.value = 64.0
    next(all_of(block, widgets.Button)).click()
    assert slider.value == 70.0
    assert "막대를 움직이면" in text(block)


def test_only_what_people_can_set_gets_a_slider(page: Page) -> None:
    assert "사이클 시간" not in text(page.whatif())


def test_a_missing_model_is_said_in_plain_words(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bundle, "model", lambda self: None)
    block = page.whatif()
    page._model = None
    next(all_of(block, widgets.FloatSlider)).value = 64.0
    assert "시험 계산을 하지 못합니다" in text(block)


def test_the_switch_turns_every_block_to_english(page: Page) -> None:
    blocks = [page.verdict(), page.worth(), page.causes(), page.whatif(), page.trust()]
    next(all_of(blocks[0], widgets.ToggleButtons)).value = "en"
    said = "".join(map(text, blocks))
    assert "What is it worth?" in said
    assert "얼마의 가치" not in said
    assert "Back to usual values" in {
        b.description for b in all_of(blocks[3], widgets.Button)
    }


@pytest.mark.parametrize("sent", [-1, 10**9, "x", None, float("nan")])
def test_what_a_browser_sends_stays_within_bounds(page: Page, sent: object) -> None:
    slider = next(all_of(page.worth(), widgets.IntSlider))
    with suppress(TypeError, ValueError, OverflowError, TraitError):
        slider.set_state({"value": sent})
    assert slider.min <= slider.value <= slider.max


def test_bounds_that_a_browser_moves_change_no_answer(page: Page) -> None:
    block = page.worth()
    slider = next(all_of(block, widgets.IntSlider))
    slider.value = slider.max
    at_the_end = text(block)
    slider.max = 10**9
    slider.value = 10**9
    assert text(block) == at_the_end


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -5.0, 1e300])
def test_a_price_that_is_no_number_changes_nothing(page: Page, price: float) -> None:
    block = page.worth()
    before = text(block)
    box = next(all_of(block, widgets.BoundedFloatText))
    box.min, box.max = -1e308, 1e308
    with suppress(TraitError):
        box.value = price
    assert text(block) == before


@pytest.mark.parametrize(
    ("query", "lang"), [("lang=en", "en"), ("lang=<script>", "ko"), ("", "ko")]
)
def test_the_address_chooses_the_language(
    monkeypatch: pytest.MonkeyPatch, query: str, lang: str
) -> None:
    monkeypatch.delenv("KAMP_LANG", raising=False)
    monkeypatch.setenv("QUERY_STRING", query)
    assert asked_language() == lang
