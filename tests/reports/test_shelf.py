"""What a list of reports shows: the current ones, the earlier ones, and who released them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kamp_lib.reports import numbers
from kamp_lib.reports.blocks import Blocks, templates
from kamp_lib.reports.notes import PUBLICATION
from kamp_lib.reports.publication import publish, withdraw
from kamp_lib.reports.shelf import cards
from kamp_lib.reports.words import Words
from kamp_lib.runs import Bundle
from kamp_lib.tenancy import Tenant

FIRST = "20261121-010203-injection-quality-ab12cd"
SECOND = "20261122-010203-injection-quality-ab12cd"
OTHER = "20261123-010203-cnc-machining-quality-ab12cd"


@pytest.fixture
def released(bundles: Callable[..., Path], tenant: Tenant) -> Tenant:
    """Two releases of one question, one of another."""
    for run, family in ((FIRST, None), (SECOND, None), (OTHER, "tool-wear-rul")):
        bundles(tenant.runs / run, *([family] if family else []))
        publish(tenant, run, by="ann")
    return tenant


def names(tenant: Tenant) -> tuple[list[str], list[str]]:
    now, earlier = cards({tenant.slug: tenant.published})
    return [c.report.run for c in now], [c.report.run for c in earlier]


def test_the_current_ones_come_first_and_earlier_ones_apart(released: Tenant) -> None:
    assert names(released) == ([OTHER, SECOND], [FIRST])


def test_when_the_current_one_is_taken_back_the_earlier_one_is_current(
    released: Tenant,
) -> None:
    withdraw(released, SECOND)
    assert names(released) == ([OTHER, FIRST], [])


def test_a_page_of_an_older_release_is_current(released: Tenant) -> None:
    (released.published / FIRST / PUBLICATION).unlink()
    assert names(released) == ([OTHER, SECOND, FIRST], [])


def test_a_record_that_cannot_be_read_does_not_hide_the_others(
    released: Tenant,
) -> None:
    (released.published / OTHER / "run.json").write_text("{")
    now, _ = cards({released.slug: released.published})
    assert [c.record is None for c in now] == [True, False]
    assert "다시 게시해 주세요" in listed(released)


def test_no_name_of_a_company_becomes_markup(
    bundles: Callable[..., Path], tenant: Tenant
) -> None:
    import json

    run = bundles(tenant.runs / FIRST)
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    record["tenant_name"] = record["model"]["name"] = {"ko": evil, "en": evil}
    record["verdict"]["sentence"] = {"ko": evil, "en": evil}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    publish(tenant, FIRST, by=evil)
    html = listed(tenant)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def listed(tenant: Tenant) -> str:
    now, earlier = cards({tenant.slug: tenant.published})
    return (
        templates()
        .get_template("list.html")
        .render(
            t=Words("ko"),
            n=numbers,
            cards=now,
            earlier=earlier,
            href=lambda report: report.run,
            links={},
        )
    )


def test_a_page_says_who_ran_and_who_released_it(released: Tenant) -> None:
    bundle = Bundle(released.published / FIRST)
    record = bundle.record
    record.person = "bea"
    html = Blocks(bundle, "ko").origin()
    assert "실행: bea" in html
    assert "게시: ann" in html
