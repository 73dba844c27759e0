"""Figures are drawn once and read in two languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from kamp_lib.reports.facts import Facts, Group, draw_facts
from kamp_lib.reports.figures import Figures, draw_figures
from kamp_lib.reports.svg import safe_svg
from kamp_lib.runs import Bundle
from kamp_lib.text import LANGUAGES, Language

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HANGUL = re.compile("[가-힣]")


def _texts(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg)


@pytest.fixture
def drawn(bundle: Bundle) -> Figures:
    return draw_figures(bundle.record, draw_facts(bundle))


def _shapes(svg: str, lang: str) -> str:
    """What is drawn, without words and without the language in names."""
    named = re.sub(rf'( id="|#){lang}-', r"\1", svg)
    return re.sub(r">[^<>]+</text>", "", named)


def test_each_language_has_its_own_words_in_the_same_picture(drawn: Figures) -> None:
    assert drawn["ko"].keys() == drawn["en"].keys()
    for name, korean in drawn["ko"].items():
        english = drawn["en"][name]
        assert _shapes(korean, "ko") == _shapes(english, "en")
        assert HANGUL.search("".join(_texts(korean)))
        assert not HANGUL.search("".join(_texts(english)))


def test_the_words_are_those_of_the_catalogue(drawn: Figures) -> None:
    assert {"놓침", "헛경보", "추천", "판정 기준값"} <= set(
        _texts(drawn["ko"]["tradeoff"])
    )
    assert {"missed", "false alarms", "recommended", "threshold"} <= set(
        _texts(drawn["en"]["tradeoff"])
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        *((ours, ours) for ours in ("found", "놓침")),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        *((like, like) for like in ("url(#x)", ' id="x"', "$$", "$a$", r"$\x{$")),
        ("a\nb\x00c\ud800", "a b c "),
    ],
)
def test_a_group_keeps_its_name_whatever_it_looks_like(
    bundle: Bundle, name: str, shown: str
) -> None:
    facts = draw_facts(bundle)
    groups = [Group(group=name, cases=20, positives=9, missed=2)]
    facts = Facts.model_validate({**facts.model_dump(), "groups": groups})
    figures = draw_figures(bundle.record, facts)
    for lang in LANGUAGES:
        labels = _texts(figures[lang]["groups"])
        assert f"{shown}\u00a0" in labels
        assert safe_svg(figures[lang]["groups"])


OUTSIDE = """() => [...document.querySelectorAll("svg text")].filter((text) => {
  const box = text.getBoundingClientRect();
  const room = text.ownerSVGElement.getBoundingClientRect();
  return box.left < room.left - 1 || box.right > room.right + 1
    || box.top < room.top - 1 || box.bottom > room.bottom + 1;
}).map((text) => text.textContent)"""


@pytest.mark.e2e
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_layout_leaves_room_for_every_label(
    drawn: Figures, browser: Browser, lang: Language
) -> None:
    page = browser.new_page()
    page.set_content("".join(drawn[lang].values()))
    assert page.locator("svg text").count() > 20
    assert page.evaluate(OUTSIDE) == []
    page.close()
