from __future__ import annotations

from unicodedata import normalize

import pandas as pd
import pytest
from datasets.small_machine import found, shots

COMMON = "에어벤트 커버"


def spelt(other: str, rows: int = 5, common: str = COMMON) -> pd.DataFrame:
    words = [other] * rows + [common] * (400 - rows)
    return shots().assign(product=pd.array(words, "string"))


@pytest.mark.parametrize(
    "other",
    [
        "에어벤트커버",
        " 에어벤트 커버 ",
        "에어벤트_커버",
        "에어벤트　커버",
        normalize("NFD", COMMON),
        "에어밴트 커버",
    ],
)
def test_one_word_in_two_spellings_is_found(other: str):
    variants = found(spelt(other), "category-variants")
    assert [(f.columns, f.count) for f in variants] == [(["product"], 5)]


@pytest.mark.parametrize("other", ["ＣＯＶＥＲ", "cover", "Cover", "CO-VER"])
def test_width_and_case_do_not_make_another_word(other: str):
    assert found(spelt(other, common="COVER"), "category-variants")


@pytest.mark.parametrize(
    ("one", "other"), [("M-101", "M-102"), ("LINE-A", "LINE-B"), ("좌측", "우측")]
)
def test_codes_and_short_words_are_different_words(one: str, other: str):
    assert found(spelt(one, common=other), "category-variants") == []


def test_a_slip_is_rare_and_another_product_is_not():
    assert found(spelt("housing B", 150, "housing A"), "category-variants") == []
