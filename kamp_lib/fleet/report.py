"""The page of a batch: one file, both languages, no scripts; for a phone as for paper."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace

from kamp_lib.fleet.changes import FIRST, NOTHING
from kamp_lib.fleet.orders import Outcome
from kamp_lib.fleet.record import Batch, write_whole
from kamp_lib.reports import fonts, numbers
from kamp_lib.reports.blocks import style, templates
from kamp_lib.text import LANGUAGES, Text, language

PAGE = Path(__file__).with_name("page.html")
ZONE = "Asia/Seoul"
SIGNS = {"usable": "✓", "not-usable-yet": "⚠", "failed": "×", "refused": "×"}
WORDS = SimpleNamespace(
    brand=Text("KAMP 워크벤치", "KAMP Workbench"),
    title=Text("여러 기업 분석 보고서", "Report on a batch of runs"),
    took=Text("{s}초", "{s} s"),
    again=Text("{n}번 만에", "{n} attempts"),
    known=Text("데이터가 그대로라 다시 하지 않음", "not repeated: the same data"),
    troubles=Text("살펴보세요: 실패와 그 이유", "Look at these: what failed and why"),
    moved=Text("지난 실행과 달라진 것", "What changed since the last run"),
    all=Text("기업별 결과", "Results by company"),
)


def write_report(batch: Batch, before: Batch | None = None) -> Path:
    """Write the page of a batch beside its record."""
    write_whole(batch.report, draw_report(batch, before))
    return batch.report


def draw_report(batch: Batch, before: Batch | None = None) -> str:
    """The page as one HTML document that needs nothing from outside."""
    page = templates().from_string(PAGE.read_text(encoding="utf-8"))
    first = language()
    parts = {
        "first": first,
        "title": f"{WORDS.title} · {batch.id}",
        "style": style(),
        "batch": batch,
        "words": WORDS,
        "signs": SIGNS,
        "when": numbers.when(batch.started, ZONE),
        "headline": headline(batch),
        "tone": "failed" if batch.troubles else "usable",
        "against": against(batch, before),
        "tiles": _tiles(batch),
        "troubles": batch.troubles,
        "moved": [o for o in batch.outcomes if _moved(o)],
        "companies": _by_company(batch.outcomes),
        "sides": [SimpleNamespace(lang=lang, t=_said(lang)) for lang in LANGUAGES],
    }
    # drawn once to know which glyphs the font must carry
    bare = page.render(faces="", **parts)
    return page.render(faces=fonts.embedded_faces(bare), **parts)


def headline(batch: Batch) -> Text:
    """The batch in a sentence or two; nothing is counted that there is none of."""
    ran, known = batch.count("succeeded", "failed"), batch.count("known")
    bad, left = len(batch.troubles), batch.count("stopped") + len(batch.waiting)
    parts = [
        (ran or not known, f"분석 {ran:,}건을 실행했습니다.", f"{ran:,} runs made."),
        (
            known,
            f"{known:,}건은 데이터가 그대로라 다시 하지 않았습니다.",
            f"{known:,} had been made on the same data.",
        ),
        (bad, f"{bad:,}건을 살펴보세요.", f"{bad:,} need a look."),
        (left, f"{left:,}건은 실행하지 못했습니다.", f"{left:,} were not run."),
    ]
    said = [(ko, en) for worth, ko, en in parts if worth]
    return Text(*(" ".join(side) for side in zip(*said, strict=True)))


def against(batch: Batch, before: Batch | None) -> Text | None:
    """What got worse and better since the batch before."""
    if before is None:
        return None
    bad = {o.order.key for o in batch.troubles}
    was = {o.order.key for o in before.troubles}
    now_good = {
        o.order.key for o in batch.outcomes if o.status in ("succeeded", "known")
    }
    worse, mended = len(bad - was), len(was & now_good)
    when = numbers.when(before.started, ZONE)
    return Text(
        f"지난 배치({when})와 견주면 새로 생긴 문제 {worse:,}건, 해결된 문제 {mended:,}건입니다.",
        f"Against the batch before ({when}): {worse:,} new troubles, {mended:,} mended.",
    )


def _tiles(batch: Batch) -> list[tuple[Text, str]]:
    usable = sum(o.verdict == "usable" for o in batch.outcomes)
    early = sum(o.verdict == "not-usable-yet" for o in batch.outcomes)
    return [
        (Text("사용 가능", "usable"), f"{usable:,}"),
        (Text("아직 이릅니다", "not usable yet"), f"{early:,}"),
        (Text("살펴볼 것", "need a look"), f"{len(batch.troubles):,}"),
        (Text("이미 실행됨", "already done"), f"{batch.count('known'):,}"),
        (Text("걸린 시간(초)", "seconds"), f"{batch.seconds:,.0f}"),
    ]


def _moved(outcome: Outcome) -> bool:
    return bool(outcome.changed) and outcome.changed not in ([FIRST], [NOTHING])


def _by_company(outcomes: list[Outcome]) -> list[tuple[Text, str, list[Outcome]]]:
    ordered = sorted(
        outcomes, key=lambda o: (o.order.tenant, o.order.model, o.order.dataset)
    )
    groups = groupby(ordered, key=lambda o: o.order.tenant)
    listed = [(slug, list(own)) for slug, own in groups]
    return [(own[0].order.name, slug, own) for slug, own in listed]


def _said(lang: str) -> Callable[[Text], str]:
    return lambda text: text.ko if lang == "ko" else text.en
