"""What a notebook shows of an ingest."""

from __future__ import annotations

from pathlib import Path

from kamp_lib.datasets import IngestResult, finding, ingest
from kamp_lib.datasets.types import ColumnMatch, Mapping
from kamp_lib.tenancy import Tenant
from kamp_lib.text import speaking

ROWS = "생산일시,비고\n" + "".join(
    f"2026-06-08 08:00:{i:02d},메모 {i}\n" for i in range(30)
)


def looked_at(tenant: Tenant, folder: Path) -> IngestResult:
    file = folder / "shots.csv"
    file.write_text(ROWS, encoding="utf-8")
    return ingest(tenant, "injection-moulding", [file], dry_run=True)


def test_an_ingest_result_shows_where_the_rows_went(
    tenant: Tenant, tmp_path: Path
) -> None:
    shown = looked_at(tenant, tmp_path)._repr_html_()
    assert "읽은 행 30 = 저장 30 + 보류 0 + 중복 0" in shown
    assert "저장하지 않음" in shown


def test_an_ingest_result_speaks_the_readers_language(
    tenant: Tenant, tmp_path: Path
) -> None:
    result = looked_at(tenant, tmp_path)
    with speaking("en"):
        assert "30 rows read" in result._repr_html_()


def test_a_finding_shows_its_code_its_reason_and_what_to_do() -> None:
    found = finding("dead-column", columns=["온도"], count=3, examples=["0"])
    shown = found._repr_html_()
    assert "<code>dead-column</code>" in shown
    assert found.why_ko in shown
    assert found.action_ko in shown


def test_names_from_a_file_cannot_write_html() -> None:
    match = ColumnMatch(source="<script>", canonical=None)
    shown = Mapping(equipment="press", columns=[match])._repr_html_()
    assert "<script>" not in shown
