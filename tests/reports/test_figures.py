"""Figures are drawn once and read in two languages."""

from __future__ import annotations

import re

import pytest

from kamp_lib.reports.facts import Facts, Group, draw_facts
from kamp_lib.reports.figures import Figures, draw_figures
from kamp_lib.runs import Bundle

HANGUL = re.compile("[가-힣]")


def _texts(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg)


@pytest.fixture
def drawn(bundle: Bundle) -> Figures:
    return draw_figures(bundle.record, draw_facts(bundle))


def test_each_language_has_its_own_words_in_the_same_picture(drawn: Figures) -> None:
    assert drawn["ko"].keys() == drawn["en"].keys()
    for name, korean in drawn["ko"].items():
        english = drawn["en"][name]
        assert re.sub(r">[^<>]+</text>", "", korean) == re.sub(
            r">[^<>]+</text>", "", english
        )
        assert HANGUL.search("".join(_texts(korean)))
        assert not HANGUL.search("".join(_texts(english)))


def test_the_words_are_those_of_the_catalogue(drawn: Figures) -> None:
    assert {"놓침", "헛경보", "추천", "판정 기준값"} <= set(
        _texts(drawn["ko"]["tradeoff"])
    )
    assert {"missed", "false alarms", "recommended", "threshold"} <= set(
        _texts(drawn["en"]["tradeoff"])
    )


@pytest.mark.parametrize("name", ["found", "놓침", "<b>&amp;"])
def test_a_group_named_like_one_of_our_words_keeps_its_name(
    bundle: Bundle, name: str
) -> None:
    facts = draw_facts(bundle)
    groups = [Group(group=name, cases=20, positives=9, missed=2)]
    facts = Facts.model_validate({**facts.model_dump(), "groups": groups})
    figures = draw_figures(bundle.record, facts)
    for lang in ("ko", "en"):
        labels = _texts(figures[lang]["groups"])
        shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert f"{shown}\u00a0" in labels


def test_nothing_sticks_out(drawn: Figures) -> None:
    """Every label begins inside the picture: the layout left room for it."""
    for svg in drawn["ko"].values():
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
        assert box
        width, height = float(box[1]), float(box[2])
        # matplotlib places text by `translate(x y)` or by x and y
        for x, y in re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)", svg):
            assert -1 <= float(x) <= width + 1
            assert -1 <= float(y) <= height + 1
