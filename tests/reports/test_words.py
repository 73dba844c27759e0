from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from kamp_lib.reports.words import Words, catalogue

REPORTS = Path(__file__).parents[2] / "kamp_lib" / "reports"
SOURCES = [*REPORTS.glob("*.py"), *(REPORTS / "templates").glob("*.html")]
# t("a.b"), words("a.b", ...), _button("a.b"): a key with a dot in quotes
KEY = re.compile(r"""["']((?:[a-z]+)\.[a-z][a-z0-9_-]*)["']""")
PREFIXES = {key.split(".")[0] for key in catalogue()}


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.name)
def test_every_key_used_is_in_the_catalogue(source: Path) -> None:
    used = {
        key
        for key in KEY.findall(source.read_text(encoding="utf-8"))
        if key.split(".")[0] in PREFIXES
        and not key.endswith((".html", ".css", ".js", ".json", ".ipynb", ".py", ".pdf"))
    }
    assert used <= set(catalogue())


@pytest.mark.parametrize("key", catalogue())
def test_both_languages_have_the_same_places(key: str) -> None:
    text = catalogue()[key]
    places = [
        {name for _, name, _, _ in Formatter().parse(side) if name}
        for side in (text.ko, text.en)
    ]
    assert places[0] == places[1]


def test_a_value_with_braces_is_only_text() -> None:
    said = Words("ko")("chart.figure", name="{0.__class__}")
    assert said == "{0.__class__} 관리도"
