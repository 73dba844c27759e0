from __future__ import annotations

import re
from pathlib import Path

import pytest

from kamp_lib.datasets.findings import catalogue, finding
from kamp_lib.datasets.findings.pages import pages
from kamp_lib.text import speaking

ROOT = Path(__file__).parents[2]
HANGUL = re.compile("[가-힣]")


def test_the_pages_on_disk_say_what_the_catalogue_says():
    folder = ROOT / "docs" / "findings"
    on_disk = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.md")}
    assert on_disk == pages()


@pytest.mark.parametrize("code", catalogue())
def test_a_code_is_raised_somewhere(code: str):
    sources = (ROOT / "kamp_lib").rglob("*.py")
    assert any(f'"{code}"' in path.read_text(encoding="utf-8") for path in sources)


@pytest.mark.parametrize("code", catalogue())
def test_every_word_is_said_in_both_languages(code: str):
    for words in (catalogue()[code], *catalogue()[code].variants.values()):
        said = words.model_dump(exclude={"variants"}, exclude_none=True)
        assert all(HANGUL.search(v) for k, v in said.items() if k.endswith("_ko"))
        assert not any(
            HANGUL.search(v)
            for k, v in said.items()
            if k.endswith("_en") and k != "explain_en"
        )


def test_a_finding_shows_few_columns_and_holds_them_all():
    found = finding("dead-column", columns=[f"c{i}" for i in range(20)], count=20)
    assert len(found.columns) == 20
    with speaking("en"):
        assert str(found.message).endswith("c5 and 14 more")


def test_a_variant_replaces_only_its_own_words():
    usual, kept = (
        finding("duplicate-rows", count=3, variant=v) for v in (None, "kept")
    )
    assert kept.severity == "info" != usual.severity
    assert kept.message_ko != usual.message_ko


def test_an_unknown_code_cannot_be_raised():
    with pytest.raises(KeyError):
        finding("no-such-code")


def test_a_message_with_an_unfilled_place_cannot_be_raised():
    with pytest.raises(KeyError):
        finding("derived-column", columns=["a"])
