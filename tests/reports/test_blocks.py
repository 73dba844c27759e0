from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kamp_lib.reports.blocks import Blocks
from kamp_lib.runs import Bundle
from kamp_lib.text import Language

HOSTILE = '"><script>evil()</script><img src=x onerror=evil()>{{7*7}}'
RUN = "20261121-010203-injection-quality-ab12cd"
Maker = Callable[..., Path]


class Elements(HTMLParser):
    """Every element of a page, and every attribute that could act."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.acting: list[str] = []
        self.sources: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.acting += [k for k, _ in attrs if k.startswith("on")]
        self.sources += [v or "" for k, v in attrs if k in ("src", "href")]


def said(folder: Path, lang: Language = "ko") -> str:
    return "".join(Blocks(Bundle(folder), lang).all())


@pytest.mark.parametrize("family", ["quality-classification", "vision-inspection"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_hostile_names_are_only_text(
    bundles: Maker, tmp_path: Path, family: str, lang: Language
) -> None:
    html = said(bundles(tmp_path / RUN, family, text=HOSTILE), lang)
    found = Elements(html)
    assert "script" not in found.tags
    assert not found.acting
    assert all(s.startswith(("data:image/png", "#")) for s in found.sources)
    assert "{{7*7}}" in html


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"labelled": False, "verdict": "not-usable-yet"},
        {"failed": True},
    ],
    ids=["usable", "unlabelled", "failed"],
)
def test_simulated_data_is_named_on_every_page(
    bundles: Maker, tmp_path: Path, options: dict[str, Any]
) -> None:
    assert "모의(시뮬레이션) 데이터" in said(bundles(tmp_path / RUN, **options))


def test_real_data_is_not_called_simulated(bundles: Maker, tmp_path: Path) -> None:
    assert "모의" not in said(bundles(tmp_path / RUN, simulated=False))


def test_a_page_that_is_not_usable_yet_promises_nothing(
    bundles: Maker, tmp_path: Path
) -> None:
    html = said(bundles(tmp_path / RUN, verdict="not-usable-yet"))
    assert "아직 사용하기 이릅니다" in html
    assert "아직 약속할 수 있는 금액이 아닙니다" in html
    assert "예상 절감액" not in html
    assert "불량이 나온 날을 5일 더" in html


def test_without_labels_the_page_says_so_and_shows_control_charts(
    bundles: Maker, tmp_path: Path
) -> None:
    html = said(bundles(tmp_path / RUN, labelled=False, verdict="not-usable-yet"))
    assert "금액을 계산할 수 없습니다" in html
    assert "여러 값이 함께 어긋난 정도" in html
    assert "불량 위험이" not in html.replace(
        "불량 위험이 어떻게 달라지는지 계산할 수 없", ""
    )


def test_a_failed_run_gives_its_reason_and_what_to_do(
    bundles: Maker, tmp_path: Path
) -> None:
    html = said(bundles(tmp_path / RUN, failed=True))
    assert "값이 하나뿐입니다" in html
    assert "이렇게 해 보세요" in html
    assert "얼마의 가치" not in html


def test_a_price_is_an_assumption_until_somebody_set_it(bundle: Bundle) -> None:
    blocks = Blocks(bundle, "ko")
    assert blocks.prices is not None
    marks = {f.name: f.mark for f in blocks.fields(blocks.prices)}
    # the run was started with -p cost_missed=50000
    assert marks["cost_missed"] == "yours"
    assert marks["cost_false_alarm"] == "assumption"


def test_the_flattering_score_stands_beside_the_honest_one(bundle: Bundle) -> None:
    html = Blocks(bundle, "ko").trust()
    assert "42점이 아니라 56점" in html


def test_every_number_names_its_run_and_data_version(bundle: Bundle) -> None:
    html = Blocks(bundle, "ko").origin()
    for part in (bundle.record.run, "3판", "9f2c9f2c", "numpy 2.4.0"):
        assert part in html


def test_a_picture_that_is_no_picture_is_left_out(bundle: Bundle) -> None:
    (bundle.path / "figures" / "x.png").write_bytes(b"<svg onload=evil()>")
    assert Blocks(bundle, "ko").picture("x.png") == ""


def test_a_picture_outside_the_bundle_is_left_out(bundle: Bundle) -> None:
    assert Blocks(bundle, "ko").picture("../../run.json") == ""


def test_a_stored_figure_that_acts_is_cleaned(bundle: Bundle) -> None:
    evil = '<svg xmlns="http://www.w3.org/2000/svg" onload="evil()"><g/></svg>'
    for file in (bundle.path / "figures").glob("*.svg"):
        file.write_text(evil)
    assert "evil" not in "".join(Blocks(bundle, "ko").all())
