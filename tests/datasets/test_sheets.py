"""Workbooks as people and programs write them: which table is read, and what is said."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from kamp_lib.datasets import ingest, open_dataset, parse, read
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading import archives, workbook_parts
from kamp_lib.datasets.reading.grids import Grid, letters, tables
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant

HEADER = ("시각", "온도", "압력", "판정")
RECORDS = [
    (datetime(2024, 1, 1, 10, i), 200.25 + i, 80 + i, "OK" if i % 5 else "NG")
    for i in range(20)
]


def workbook(path: Path, fill: Callable[[Worksheet], None]) -> Path:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active)
    book.save(path)
    return path


def put(
    sheet: Worksheet, rows: Iterable[Iterable[Any]], top: int = 1, left: int = 1
) -> None:
    for r, row in enumerate(rows, start=top):
        for c, value in enumerate(row, start=left):
            sheet.cell(r, c, value)


def edited(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """The workbook with some bytes of one part replaced."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in parts.items():
            book.writestr(name, data)
    return path


def codes(raw: Raw) -> set[str]:
    return {f.code for f in raw.findings}


def rows(raw: Raw) -> list[tuple[Any, ...]]:
    cells = raw.table.drop_columns(["_file", "_row"])
    return list(zip(*(c.to_pylist() for c in cells.columns), strict=True))


# --- where the table is


def test_a_plain_sheet_is_read_without_remarks(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", lambda s: put(s, [HEADER, *RECORDS]))
    raw = read(path)
    assert raw.columns == list(HEADER)
    assert raw.table["_row"].to_pylist() == list(range(2, 22))
    assert not raw.findings


def test_a_report_with_titles_groups_units_and_a_total(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["A1"] = "2024년 1월 생산 일보"
        sheet.merge_cells("A1:F1")
        sheet["A2"] = "설비: 1호기"
        put(sheet, [("일자", "온도", None, "압력", None, "판정")], 4)
        put(sheet, [(None, "설정", "실측", "설정", "실측", None)], 5)
        put(sheet, [(None, "℃", "℃", "bar", "bar", None)], 6)
        for merged in ("A4:A5", "B4:C4", "D4:E4", "F4:F5"):
            sheet.merge_cells(merged)
        put(sheet, [(r[0], 200, r[1], 80, r[2], r[3]) for r in RECORDS], 7)

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert raw.columns == [
        "일자",
        "온도 설정",
        "온도 실측",
        "압력 설정",
        "압력 실측",
        "판정",
    ]
    assert raw.units == {
        "온도 설정": "℃",
        "온도 실측": "℃",
        "압력 설정": "bar",
        "압력 실측": "bar",
    }
    assert raw.table.num_rows == 20
    assert raw.table["_row"][0].as_py() == 7


def test_a_label_merged_down_the_rows_fills_them(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [("로트", "온도"), *[(None, 200.5 + i) for i in range(6)]])
        for top in (2, 5):
            sheet.cell(top, 1, f"L{top}")
            sheet.merge_cells(f"A{top}:A{top + 2}")

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert raw.table["로트"].to_pylist() == ["L2"] * 3 + ["L5"] * 3
    assert codes(raw) == {"merged-cells"}


def test_a_remark_merged_over_data_cells_stays_in_its_first_cell(
    tmp_path: Path,
) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [HEADER, *RECORDS])
        sheet.cell(8, 2, "설비 정지")
        sheet.cell(8, 3, None)
        sheet.merge_cells("B8:C8")

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert rows(raw)[6][1:3] == ("설비 정지", "")


def test_the_largest_of_several_tables_is_read_and_the_others_are_named(
    tmp_path: Path,
) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [HEADER, *RECORDS], 3)
        put(sheet, [("항목", "수량"), ("a", 1), ("b", 2)], 3, 7)
        put(sheet, [("시작", "코드", "내용"), (time(1), 7, "정지"), (time(2), 8, "점검")], 30)  # fmt: skip

    path = workbook(tmp_path / "a.xlsx", fill)
    raw = read(path)
    assert raw.table.num_rows == 20
    (said,) = [f for f in raw.findings if f.code == "several-tables"]
    assert said.examples == ["A30:D32", "G3:H5"]
    other = read(path, options=Options(sheet="Sheet!A30:C32"))
    assert rows(other) == [("01:00:00", "7", "정지"), ("02:00:00", "8", "점검")]


def test_blank_rows_inside_a_table_do_not_end_it(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [HEADER, *RECORDS[:8]])
        put(sheet, RECORDS[8:], 11)
        put(sheet, [("합계", 4000.0, 1800, None)], 24)

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert raw.table.num_rows == 21
    assert raw.table["_row"].to_pylist()[8] == 11
    assert parse(raw).set_aside == {20: "totals-row"}


def test_a_header_repeated_for_every_day_is_one_table(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [HEADER, *RECORDS[:10]])
        put(sheet, [HEADER, *RECORDS[10:]], 13)

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert "several-tables" not in codes(raw)
    assert len(parse(raw).set_aside) == 1


def test_a_note_below_the_table_is_kept_aside(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [HEADER, *RECORDS])
        sheet["A24"] = "※ 비고: 3호기 정지"

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert [(r.row, r.original) for r in raw.rejected] == [(24, "※ 비고: 3호기 정지")]
    assert raw.rows_read == 21


def test_an_empty_spacer_column_is_no_column(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [r[:2] for r in [HEADER, *RECORDS]])
        put(sheet, [r[2:] for r in [HEADER, *RECORDS]], 1, 4)

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert raw.columns == list(HEADER)


# --- which sheet


@pytest.fixture
def several(tmp_path: Path) -> Path:
    def fill(sheet: Worksheet) -> None:
        sheet.title = "표지"
        sheet["A1"] = "월간 보고"
        assert sheet.parent is not None
        put(sheet.parent.create_sheet("데이터!1"), [HEADER, *RECORDS])
        hidden = sheet.parent.create_sheet("원본")
        later = [(t + timedelta(days=d), *r) for d in (1, 2, 3) for t, *r in RECORDS]
        put(hidden, [HEADER, *later])
        hidden.sheet_state = "hidden"

    return workbook(tmp_path / "a.xlsx", fill)


def test_the_fullest_visible_sheet_is_read_and_the_others_are_named(
    several: Path,
) -> None:
    raw = read(several)
    assert raw.sources[0].details == {"sheet": "데이터!1"}
    (said,) = [f for f in raw.findings if f.code == "sheet-chosen"]
    assert said.examples == ["표지", "원본"]


def test_a_sheet_can_be_named_even_a_hidden_one(several: Path) -> None:
    raw = read(several, options=Options(sheet="원본"))
    assert raw.table.num_rows == 60
    assert "sheet-chosen" not in codes(raw)


def test_an_unknown_sheet_is_answered_with_those_there(several: Path) -> None:
    with pytest.raises(UsageError, match="표지, 데이터!1, 원본"):
        read(several, options=Options(sheet="자료"))


@pytest.fixture
def monthly(tmp_path: Path) -> Path:
    def fill(sheet: Worksheet) -> None:
        sheet["A1"] = "표지"
        assert sheet.parent is not None
        for month in (1, 2, 3):
            records = [(t + timedelta(days=31 * month), *r) for t, *r in RECORDS]
            title = (f"{month}월 생산",)
            put(sheet.parent.create_sheet(f"{month}월"), [title, HEADER, *records])

    return workbook(tmp_path / "a.xlsx", fill)


def test_sheets_with_the_same_columns_are_pointed_out(monthly: Path) -> None:
    raw = read(monthly)
    (said,) = [f for f in raw.findings if f.code == "sheet-chosen"]
    assert (said.severity, raw.table.num_rows) == ("warning", 20)
    assert "--sheet '*'" in said.action_ko


def test_a_sheet_per_month_can_be_one_table(tenant: Tenant, monthly: Path) -> None:
    result = ingest(tenant, "generic", monthly, options=Options(sheet="*"))
    assert (result.rows_read, result.rows_stored) == (60, 60)
    data = open_dataset(tenant, "generic")
    files = data.to_pandas().groupby("_file").size().to_dict()
    assert files == {"a.xlsx!1월": 20, "a.xlsx!2월": 20, "a.xlsx!3월": 20}
    assert [f["sheet"] for f in data.files] == ["1월", "2월", "3월"]


def test_another_sheet_of_the_same_file_can_follow(
    tenant: Tenant, several: Path
) -> None:
    first = ingest(tenant, "generic", several, options=Options(sheet="데이터!1"))
    again = ingest(tenant, "generic", several)
    other = ingest(tenant, "generic", several, options=Options(sheet="원본"))
    assert (first.unchanged, again.unchanged, other.unchanged) == (False, True, False)


# --- cells


def test_times_durations_and_numbers_read_as_their_csv(tmp_path: Path) -> None:
    cells = [
        datetime(2024, 1, 5, 10, 0, 0, 250_000),
        date(2024, 1, 5),
        time(9, 30),
        timedelta(hours=25, minutes=1),
        3,
        0.25,
        "0012",
        True,
    ]
    head = [f"c{i}" for i in range(len(cells))]
    raw = read(workbook(tmp_path / "a.xlsx", lambda s: put(s, [head, cells, cells])))
    assert rows(raw)[0] == (
        "2024-01-05 10:00:00.250000",
        "2024-01-05",
        "09:30:00",
        "25:01:00",
        "3",
        "0.25",
        "0012",
        "True",
    )


def test_dates_of_a_mac_workbook_are_the_same_dates(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    assert isinstance(book.active, Worksheet)
    put(book.active, [HEADER, *RECORDS])
    book.save(tmp_path / "a.xlsx")
    assert parse(read(tmp_path / "a.xlsx")).frame["시각"][0] == datetime(2024, 1, 1, 10)


def test_formulas_without_results_are_named(tmp_path: Path) -> None:
    table = [("a", "b"), *[(i, f"=A{i}*2") for i in range(2, 9)]]
    raw = read(workbook(tmp_path / "a.xlsx", lambda s: put(s, table)))
    (said,) = [f for f in raw.findings if f.code == "formula-without-value"]
    assert said.count == 7
    assert said.examples[:2] == ["B2", "B3"]


def test_error_cells_are_empty_and_named(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [HEADER, *RECORDS])
        sheet["B5"] = "#DIV/0!"
        sheet["B5"].data_type = "e"

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert rows(raw)[3][1] == ""
    (said,) = [f for f in raw.findings if f.code == "error-cells"]
    assert said.examples == ["B5"]


def test_hidden_rows_and_columns_are_read_and_said(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        put(sheet, [HEADER, *RECORDS])
        sheet.row_dimensions[4].hidden = True
        sheet.column_dimensions["C"].hidden = True

    raw = read(workbook(tmp_path / "a.xlsx", fill))
    assert raw.table.num_rows == 20
    assert codes(raw) == {"hidden-cells"}


@pytest.mark.parametrize("ending", ["xls", "xlsm"])
def test_other_workbooks_hold_the_same_table(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "xlsm":
        workbook(path, lambda s: put(s, [HEADER, *RECORDS]))
    else:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Sheet")
        when = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm")
        for r, row in enumerate([HEADER, *RECORDS]):
            for c, value in enumerate(row):
                style = [when] if isinstance(value, datetime) else []
                sheet.write(r, c, value, *style)
        book.save(path)
    assert [tuple(map(str, r)) for r in RECORDS] == rows(read(path))


def test_excel_and_csv_of_one_table_are_stored_alike(
    tenant: Tenant, tmp_path: Path
) -> None:
    workbook(tmp_path / "a.xlsx", lambda s: put(s, [HEADER, *RECORDS]))
    lines = [",".join(map(str, row)) for row in [HEADER, *RECORDS]]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="cp949")
    frames = []
    for name in ("a.xlsx", "a.csv"):
        data = name.replace(".", "-")
        ingest(tenant, "generic", tmp_path / name, dataset=data)
        frames.append(open_dataset(tenant, data).to_pandas().drop(columns="_file"))
    assert frames[0].equals(frames[1])


# --- locked


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    from msoffcrypto.format.ooxml import OOXMLFile

    open_ = workbook(tmp_path / "open.xlsx", lambda s: put(s, [HEADER, *RECORDS]))
    with open(open_, "rb") as plain, open(tmp_path / "locked.xlsx", "wb") as out:
        OOXMLFile(plain).encrypt("비밀", out)
    return tmp_path / "locked.xlsx"


def test_a_locked_workbook_is_read_with_its_password(locked: Path) -> None:
    raw = read(locked, options=Options(password=lambda name: "비밀"))
    assert raw.table.num_rows == 20


@pytest.mark.parametrize(("password", "said"), [(None, "잠긴"), ("x", "맞지 않습니다")])
def test_a_locked_workbook_without_the_password(
    locked: Path, password: str | None, said: str
) -> None:
    with pytest.raises(KampError, match=said):
        read(locked, options=Options(password=lambda name: password))


# --- hostile


SHEET = "xl/worksheets/sheet1.xml"


def test_one_cell_in_the_farthest_corner_does_not_fill_the_memory(
    tmp_path: Path,
) -> None:
    path = workbook(tmp_path / "a.xlsx", lambda s: put(s, [HEADER, *RECORDS]))
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    with pytest.raises(KampError, match="너무 큽니다"):
        read(edited(path, SHEET, b"</sheetData>", far))


def test_formats_down_to_the_last_row_are_no_cells(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", lambda s: put(s, [HEADER, *RECORDS]))
    styled = b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    assert read(edited(path, SHEET, b"</sheetData>", styled)).table.num_rows == 20


def test_declared_entities_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", lambda s: put(s, [HEADER, *RECORDS]))
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet'
    with pytest.raises(KampError, match="DTD"):
        read(edited(path, SHEET, b"<worksheet", bomb))


def test_a_workbook_that_inflates_beyond_reason_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "PLENTY", 1 << 20)
    path = workbook(tmp_path / "a.xlsx", lambda s: put(s, [HEADER, *RECORDS]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/media/x.bin", bytes(8 << 20))
    with pytest.raises(KampError, match="너무 커집니다"):
        read(path)


def test_one_endless_text_shown_by_every_cell_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_parts, "MOST_TEXT", 1 << 20)
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    for row in range(100):
        sheet.write(row, 0, "x" * 30_000)
    book.close()
    with pytest.raises(KampError, match="너무 큽니다"):
        read(tmp_path / "a.xlsx")


def test_an_old_workbook_that_asks_for_all_memory_is_refused(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    book.add_sheet("s").write(0, 0, "x")
    saved = io.BytesIO()
    book.save(saved)
    data = bytearray(saved.getvalue())
    data[44:48] = b"\xff\xff\xff\x0f"  # sectors of the allocation table
    (tmp_path / "a.xls").write_bytes(data)
    with pytest.raises(KampError, match=r"a\.xls"):
        read(tmp_path / "a.xls")


# --- tables on a grid


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_table_is_found_wherever_it_stands(
    columns: int, records: int, top: int, left: int
) -> None:
    blank = [""] * (left + columns)
    table = [["name"] * columns, *[["1.5"] * columns for _ in range(records)]]
    grid = Grid.of([*[blank] * top, *[[""] * left + row for row in table]])
    (found,) = tables(grid)
    last = f"{letters(left + columns - 1)}{top + records + 1}"
    assert grid.name(found.area) == f"{letters(left)}{top + 1}:{last}"
