"""The page of a batch: everything in one file, in both languages, harmless."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fleet.stand_in import MODEL, record

from kamp_lib.fleet.changes import FIRST, NOTHING, changes
from kamp_lib.fleet.orders import Order, Outcome
from kamp_lib.fleet.record import Batch
from kamp_lib.fleet.report import against, draw_report, headline
from kamp_lib.learning.outcome import Score, Verdict
from kamp_lib.text import Text

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def outcome(machine: str = "m1", status: Any = "succeeded", **more: Any) -> Outcome:
    order = Order(
        tenant="acme",
        name=Text("에이스", "Ace"),
        model=MODEL,
        label=Text("사출 양불 판정", "moulding quality"),
        dataset=machine,
        version=1,
    )
    return Outcome(order=order, status=status, seconds=1.2, **more)


def batch(*outcomes: Outcome, hour: int = 0) -> Batch:
    return Batch(
        id="20261126-000000-aaaaaa",
        status="finished",
        person="ann",
        workers=2,
        started=datetime(2026, 11, 26, hour, tzinfo=UTC),
        seconds=12.3,
        outcomes=list(outcomes),
    )


FAILED = outcome("m2", "failed", said=Text("금형이 없습니다", "no mould"))


def test_a_page_has_its_font_in_it_needs_nothing_from_outside_and_no_script() -> None:
    page = draw_report(batch(outcome(verdict="usable"), FAILED))
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "data:font/woff;base64," in page


def test_a_page_says_why_in_both_languages() -> None:
    page = draw_report(batch(FAILED))
    assert "금형이 없습니다" in page
    assert "no mould" in page


def test_what_a_company_wrote_is_shown_as_it_stands() -> None:
    evil = "<img src=x onerror=alert(1)>"
    page = draw_report(
        batch(
            outcome(evil, "failed", said=Text(evil, evil), changed=[Text(evil, evil)])
        )
    )
    assert "<img" not in page


def test_the_headline_counts() -> None:
    said = headline(batch(outcome(), FAILED, outcome("m3", "known")))
    assert said.en == "2 runs made. 1 had been made on the same data. 1 need a look."


def test_troubles_are_held_against_the_batch_before() -> None:
    before = batch(outcome("m1", "failed"), outcome("m2"))
    said = against(batch(outcome("m1"), FAILED, hour=1), before)
    assert said is not None
    assert said.en.endswith("1 new troubles, 1 mended.")


def test_the_first_run_has_nothing_to_compare_with() -> None:
    assert changes(record(), None) == [FIRST]


def test_the_same_again_is_no_change() -> None:
    assert changes(record(), record()) == [NOTHING]


def test_verdict_and_score_are_compared() -> None:
    early = Verdict(value="not-usable-yet", sentence=Text("아직", "not yet"))
    before = record(verdict=early, metrics={"average_precision": Score(value=0.5)})
    now = record(metrics={"average_precision": Score(value=0.71)})
    assert [c.en for c in changes(now, before)] == [
        "verdict not usable yet → usable",
        "average precision 0.50 → 0.71",
    ]


@pytest.mark.e2e
def test_on_a_phone_nothing_is_wider_than_the_screen(
    browser: Browser, tmp_path: Path
) -> None:
    long = Text("데이터가 없습니다" * 20, "x" * 200)
    page = tmp_path / "report.html"
    page.write_text(
        draw_report(
            batch(outcome(verdict="usable"), outcome("m" * 80, "failed", said=long))
        )
    )
    tab = browser.new_page(viewport={"width": 360, "height": 700})
    tab.goto(page.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert tab.get_by_role("heading", name="여러 기업 분석 보고서").is_visible()
    tab.get_by_text("English").click()
    assert tab.get_by_role("heading", name="Report on a batch of runs").is_visible()
    assert not tab.get_by_role("heading", name="여러 기업 분석 보고서").is_visible()
    tab.close()


def test_a_run_made_again_is_compared_with_the_one_it_repeats() -> None:
    order = outcome().order.model_copy(update={"known": "k", "before": "b"})
    assert order.compared_with == "b"
    assert order.model_copy(update={"again": True}).compared_with == "k"


def test_the_headline_counts_nothing_that_there_is_none_of() -> None:
    assert headline(batch(outcome())).ko == "분석 1건을 실행했습니다."
