from __future__ import annotations

import pytest

from kamp_lib.reports.svg import safe_svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" '
INSIDE = (
    "<script>x()</script>",
    '<g onload="x()"/>',
    '<a href="javascript:x()"><text>a</text></a>',
    "<foreignObject><iframe src='//x'/></foreignObject>",
    '<image href="http://x/y.png"/>',
    '<use href="http://x/y.svg#a"/>',
    '<rect style="fill: url(http://x/y)"/>',
    "<style>@import url(//x);</style>",
    '<animate attributeName="href" values="javascript:x()"/>',
)


@pytest.mark.parametrize("inside", INSIDE)
def test_what_acts_or_leaves_the_page_is_dropped(inside: str) -> None:
    cleaned = safe_svg(f"{HEAD}>{inside}<path d='M0 0'/></svg>")
    assert "path" in cleaned
    for bad in ("x()", "http://x", "//x", "script", "onload", "import"):
        assert bad not in cleaned


def test_the_root_cannot_cover_the_page() -> None:
    cleaned = safe_svg(f'{HEAD}style="position:fixed" onload="x()"><g/></svg>')
    assert "fixed" not in cleaned
    assert "onload" not in cleaned


@pytest.mark.parametrize(
    "text", ["", "<html/>", "<svg", "<!DOCTYPE a [<!ENTITY b 'c'>]>" + HEAD + "/>"]
)
def test_what_is_not_svg_is_nothing(text: str) -> None:
    assert safe_svg(text) == ""


def test_text_of_a_figure_stays_text() -> None:
    cleaned = safe_svg(f"{HEAD}><text>&lt;script&gt;보압</text></svg>")
    assert "&lt;script&gt;보압" in cleaned


@pytest.mark.parametrize("depth", [900, 1_000, 50_000])
def test_groups_in_groups_without_end_are_nothing(depth: int) -> None:
    assert safe_svg(f"{HEAD}>{'<g>' * depth}{'</g>' * depth}</svg>") == ""
