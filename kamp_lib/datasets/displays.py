"""What came through the door, as a notebook shows it: small tables of plain HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from kamp_lib.datasets.findings import SEVERITY
from kamp_lib.datasets.quality import PARTS
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets.types import Finding, IngestResult, Mapping, Quality

SCORE = Text("데이터 품질 점수", "Data quality score")
LEFT = "style='text-align:left'"


def result_html(result: IngestResult) -> str:
    """Whose data, where the rows went, how good they are, and what was found."""
    note = f" · {Text('모의(시뮬레이션) 데이터', 'simulated data')}"
    if result.dry_run:
        state = Text("살펴보기만 함(저장하지 않음)", "looked at only (nothing stored)")
    elif result.unchanged:
        state = Text(
            "이미 저장된 파일(바뀐 것 없음)", "stored already (nothing changed)"
        )
    else:
        state = Text(f"데이터 판(버전) {result.version}", f"version {result.version}")
    rows = Text(
        f"읽은 행 {result.rows_read:,} = 저장 {result.rows_stored:,}"
        f" + 보류 {result.rows_quarantined:,} + 중복 {result.rows_duplicate:,}",
        f"{result.rows_read:,} rows read = {result.rows_stored:,} stored"
        f" + {result.rows_quarantined:,} quarantined"
        f" + {result.rows_duplicate:,} duplicate",
    )
    found = Text("발견 사항", "Findings")
    count = Text(f"{len(result.findings)}가지", f"{len(result.findings)}")
    return (
        f"<h4>{escape(result.dataset)} · {escape(str(state))}"
        f"{note if result.simulated else ''}</h4><p>{escape(str(rows))}</p>"
        f"{quality_html(result.quality)}"
        f"<p><b>{found}</b> {count}</p>{findings_html(result.findings)}"
    )


def findings_html(findings: Iterable[Finding]) -> str:
    """Findings as a list: what and where, why it matters, what was done or to do."""
    items = "".join(f"<li>{finding_html(f)}</li>" for f in findings)
    return f"<ul>{items}</ul>" if items else ""


def finding_html(finding: Finding) -> str:
    """One finding in three sentences, with its code for the handbook."""
    why = Text("왜 중요한가", "Why it matters")
    action = Text("조치", "What was done or to do")
    told = [(why, finding.why), (action, finding.action)]
    lines = "".join(
        f"<br><i>{label}</i>: {escape(str(said))}" for label, said in told if str(said)
    )
    return (
        f"<b>[{SEVERITY[finding.severity]}]</b> {escape(str(finding.message))}"
        f" <code>{escape(finding.code)}</code>{lines}"
    )


def quality_html(quality: Quality) -> str:
    """The score and its five parts, 0 to 100."""
    values = quality.model_dump()
    parts = {"score": SCORE, **PARTS}
    head = [str(label) for label in parts.values()]
    return _table(head, [[f"{values[part]:g}" for part in parts]])


def mapping_html(mapping: Mapping) -> str:
    """Every column of the file, its standard name, and why."""
    head = [
        str(Text("파일의 열", "column of the file")),
        str(Text("표준 이름", "standard name")),
        str(Text("확신", "confidence")),
        str(Text("이유", "reason")),
    ]
    kept = str(Text("(그대로 보관)", "(kept as it is)"))
    rows = [
        [
            match.source,
            match.canonical or kept,
            f"{match.confidence:.0%}" if match.canonical else "–",
            str(match.reason),
        ]
        for match in mapping.columns
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th {LEFT}>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td {LEFT}>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
