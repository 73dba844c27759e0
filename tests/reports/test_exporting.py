from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from kamp_lib.errors import KampError, UsageError
from kamp_lib.reports import export
from kamp_lib.runs import Bundle

RUN = "20261121-010203-injection-quality-ab12cd"
Maker = Callable[..., Path]


def test_html_needs_nothing_from_outside(bundle: Bundle, tmp_path: Path) -> None:
    html = export(bundle, tmp_path / "r.html").read_text(encoding="utf-8")
    urls = re.findall(r"""(?:src|href)=["']([^"'#][^"']*)|url\(['"]?([^'")#]+)""", html)
    assert all((a or b).startswith("data:") for a, b in urls)
    assert "<script" not in html


def test_html_carries_both_weights_of_the_korean_font(
    bundle: Bundle, tmp_path: Path
) -> None:
    html = export(bundle, tmp_path / "r.html").read_text(encoding="utf-8")
    assert html.count("data:font/woff;base64,") == 2


def test_html_speaks_english_when_asked(bundle: Bundle, tmp_path: Path) -> None:
    html = export(bundle, tmp_path / "r.html", "en").read_text(encoding="utf-8")
    assert "What is it worth?" in html
    assert "얼마의 가치" not in html


def test_excel_has_a_sheet_per_table_with_korean_headings(
    bundle: Bundle, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(export(bundle, tmp_path / "r.xlsx"))
    assert "판정 목록" in book.sheetnames
    heading = [cell.value for cell in book["판정 목록"][1]]
    assert heading[:2] == ["번호", "시각(Asia/Seoul)"]
    assert book["판정 목록"].max_row == 1 + len(bundle.table("cases"))


def test_a_cell_that_looks_like_a_formula_stays_text(
    bundles: Maker, tmp_path: Path
) -> None:
    bundle = Bundle(bundles(tmp_path / RUN))
    cases = bundle.table("cases")
    cases["case"] = '=HYPERLINK("http://x")'
    cases["reason_ko"] = "http://x"
    cases.to_parquet(bundle.path / "tables" / "cases.parquet")
    book = openpyxl.load_workbook(export(bundle, tmp_path / "r.xlsx"))
    cell = book["판정 목록"]["A2"]
    assert cell.data_type == "s"
    assert book["판정 목록"]["F2"].hyperlink is None


def test_simulated_data_is_named_in_excel(bundle: Bundle, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(export(bundle, tmp_path / "r.xlsx"))
    assert any("모의" in str(row[0].value) for row in book["요약"].rows)


def test_another_kind_of_file_is_a_usage_error(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="docx"):
        export(bundle, tmp_path / "r.docx")


def test_a_pdf_without_chromium_is_one_sentence(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(KampError, match="KAMP_CHROMIUM"):
        export(bundle, tmp_path / "r.pdf")
    assert list(tmp_path.glob("*.pdf")) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(
    bundle: Bundle, tmp_path: Path
) -> None:
    with pytest.raises(KampError, match="저장하지 못했습니다"):
        export(bundle, tmp_path / "missing" / "r.html")


def test_a_failed_run_is_exported_with_its_reason(
    bundles: Maker, tmp_path: Path
) -> None:
    bundle = Bundle(bundles(tmp_path / RUN, failed=True))
    assert "값이 하나뿐" in export(bundle, tmp_path / "r.html").read_text("utf-8")
    assert export(bundle, tmp_path / "r.xlsx").stat().st_size > 0


def test_a_name_as_long_as_a_name_may_be_is_written(
    bundle: Bundle, tmp_path: Path
) -> None:
    assert export(bundle, tmp_path / f"{'a' * 250}.xlsx").is_file()
    with pytest.raises(KampError):
        export(bundle, tmp_path / f"{'a' * 300}.xlsx")
