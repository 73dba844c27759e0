"""What an ingest did, at a terminal: where rows went, how good they are, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets.types import Finding, IngestResult, Quality

MARKS = {
    "error": Text("✕ 오류", "✕ error"),
    "warning": Text("⚠ 주의", "⚠ warning"),
    "info": Text("○ 안내", "○ note"),
}
ORDER = list(MARKS)
SHOWN = 4  # sentences of one kind


def show_ingest(tenant: Tenant, result: IngestResult) -> None:
    if result.unchanged:
        say(
            "이미 가져온 파일입니다. 바뀐 것이 없습니다.",
            "this file is in already; nothing changed.",
        )
    counts = (
        result.rows_read,
        result.rows_stored,
        result.rows_quarantined,
        result.rows_duplicate,
    )
    say(
        "읽은 행 {:,} = 저장 {:,} + 보류(격리) {:,} + 중복 {:,}".format(*counts),
        "read {:,} = stored {:,} + quarantined {:,} + duplicates {:,}".format(*counts),
    )
    show_quality(result.quality)
    show_findings(result.findings)
    _show_fixes(result)
    unsure = [m for m in result.mapping.columns if m.maybe]
    if unsure:
        console.table(
            [
                Text("파일의 열", "column of the file"),
                Text("혹시 이 열?", "perhaps"),
                Text("이유", "reason"),
            ],
            [[m.source, m.maybe, m.reason] for m in unsure],
            title=Text("확인이 필요한 열 맞추기", "Column mapping to check"),
        )
    if result.mapping_file:
        say(
            f"열 맞추기 파일(고쳐 쓸 수 있음): {result.mapping_file}",
            f"column mapping (you may edit it): {result.mapping_file}",
        )
    if result.dry_run:
        say(
            "살펴보기만 했고 저장하지 않았습니다. 저장하려면 --dry-run 을 빼고 다시 실행하세요.",
            "a dry run: nothing was stored. Run it again without --dry-run to store it.",
        )
        return
    from kamp_lib.catalog import standard_models

    fitting = [
        m.id for m in standard_models().values() if m.equipment == result.equipment
    ]
    if result.version is not None:
        stored = (
            Text("데이터셋", "data set")
            if result.unchanged
            else Text("저장됨", "stored")
        )
        say(
            f"{stored.ko}: {result.dataset} v{result.version}",
            f"{stored.en}: {result.dataset} v{result.version}",
        )
    if fitting:
        say(
            f"다음: kamp run {tenant.slug} {fitting[0]} --dataset {result.dataset}",
            f"next: kamp run {tenant.slug} {fitting[0]} --dataset {result.dataset}",
        )
    else:
        command = (
            f"kamp run {tenant.slug} quality-classification --dataset {result.dataset}"
        )
        say(
            f"다음: {command} -p target=판정열 (양품·불량이 적힌 열의 이름을 넣으세요)",
            f"next: {command} -p target=COLUMN (the column that says good or bad)",
        )


def _show_fixes(result: IngestResult) -> None:
    """What was mended, and what could be."""
    from kamp_lib.datasets.fixes import fixes

    for done in result.fixes:
        where = ", ".join(done.columns)
        say(
            f"고침 · {done.code}: {done.said_ko} {where} ({done.count:,}곳)",
            f"mended · {done.code}: {done.said_en} {where} ({done.count:,})",
        )
    there = {f.code for f in result.findings if f.severity != "info"}
    could = [code for code in fixes() if code in there]
    if could:
        command = " ".join(f"--fix {code}" for code in could)
        say(
            f"고쳐서 다시 가져오려면 필요한 것만 골라 붙이세요: {command}",
            f"to have it mended, ingest again with what you need of: {command}",
        )


def show_quality(quality: Quality) -> None:
    """The score and its five parts on one line."""
    say(
        f"데이터 품질 점수 {quality.score:.0f}점 (완전성 {quality.completeness:.0f},"
        f" 유효성 {quality.validity:.0f}, 유일성 {quality.uniqueness:.0f},"
        f" 일관성 {quality.consistency:.0f}, 적시성 {quality.timeliness:.0f})",
        f"data quality {quality.score:.0f} (completeness {quality.completeness:.0f},"
        f" validity {quality.validity:.0f}, uniqueness {quality.uniqueness:.0f},"
        f" consistency {quality.consistency:.0f}, timeliness {quality.timeliness:.0f})",
    )


def show_findings(findings: Sequence[Finding]) -> None:
    """Findings by kind, the gravest first: what it is, where, and what to do."""
    from kamp_lib.datasets.findings import catalogue

    def kind(finding: Finding) -> tuple[int, str]:
        return ORDER.index(finding.severity), finding.code

    for (place, code), group in groupby(sorted(findings, key=kind), kind):
        alike = list(group)
        mark, title = MARKS[ORDER[place]], catalogue()[code].title
        say(f"\n{mark.ko} · {title.ko} ({code})", f"\n{mark.en} · {title.en} ({code})")
        for finding in alike[:SHOWN]:
            say(f"   · {finding.message.ko}", f"   · {finding.message.en}")
        if len(alike) > SHOWN:
            more = len(alike) - SHOWN
            say(f"   · 그 밖에 {more}건", f"   · and {more} more")
        for action in dict.fromkeys(str(f.action) for f in alike[:SHOWN]):
            if action:
                say(f"   → {action}", f"   → {action}")
    if findings:
        say("", "")
