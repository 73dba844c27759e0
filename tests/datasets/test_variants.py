"""One table, written in every way that programs write it, is one stored data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import xlwt

from kamp_lib.datasets import ingest, open_dataset
from kamp_lib.tenancy import Tenant

NAMES = ["시각", "로트", "금형온도(℃)", "사출압력", "수량", "판정", "비고"]
UNITS = ["", "", "℃", "bar", "EA", "", ""]
ROWS = [
    [
        f"2020-05-{1 + n // 24:02} {n % 24:02}:15:0{n % 7}",
        f"L-{n // 10:03}",
        f"{180 + (n * 37 % 50) / 8:.3f}",
        f"{1200 + (n * 53 % 70) / 4:.2f}",
        str(1000 + n * 7),
        "NG" if n % 13 == 5 else "OK",
        "" if n % 5 else '"가" 라인; 점검, 완료 | 끝',
    ]
    for n in range(120)
]
Write = Callable[[Path], None]


def text(
    rows: list[list[str]] = ROWS,
    *,
    delimiter: str = ",",
    comma: bool = False,
    end: str = "\n",
    above: str = "",
    below: str = "",
) -> str:
    """The table as delimited text; cells are quoted where they have to be."""

    def cell(value: str, place: int) -> str:
        if comma and place in (2, 3):
            value = value.replace(".", ",")
        doubt = any(c in value for c in (delimiter, '"'))
        return '"' + value.replace('"', '""') + '"' if doubt else value

    lines = [delimiter.join(cell(v, p) for p, v in enumerate(row)) for row in rows]
    header = delimiter.join(NAMES)
    return end.join([above + header + below, *lines]) + end


def encoded(encoding: str, mark: bytes = b"", **how: object) -> Write:
    return lambda path: path.write_bytes(mark + text(**how).encode(encoding))  # type: ignore[arg-type, func-returns-value, return-value]


def sheet(path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    page.append(NAMES)
    for time, lot, temperature, pressure, count, *words in ROWS:
        numbers = [float(temperature), float(pressure), int(count)]
        page.append([pd.Timestamp(time).to_pydatetime(), lot, *numbers, *words])
    book.save(path)


def totals(path: Path) -> None:
    path.write_text(text() + "합계,,,,170000,,\n", encoding="utf-8")


def pasted(path: Path) -> None:
    halves = [text(ROWS[:60]), text(ROWS[60:])]
    path.write_bytes(halves[0].encode("utf-8-sig") + halves[1].encode("utf-8-sig"))


def in_two_encodings(path: Path) -> None:
    halves = [text(ROWS[:60]), text(ROWS[60:])]
    path.write_bytes(halves[0].encode("utf-8") + halves[1].encode("cp949"))


def units_in_cells(path: Path) -> None:
    rows = [[t, lot, f"{x} ℃", *rest] for t, lot, x, *rest in ROWS]
    path.write_text(text(rows), encoding="utf-8")


def as_people_write(path: Path) -> None:
    """Korean clocks, commas between thousands, words for an empty cell."""
    rows = []
    for time, lot, temperature, pressure, count, verdict, remark in ROWS:
        clock = pd.Timestamp(time)
        half = "오전" if clock.hour < 12 else "오후"
        said = f"{clock:%Y-%m-%d} {half} {clock:%I:%M:%S}"
        thousands = f"{int(count):,}"
        rows.append(
            [said, lot, temperature, pressure, thousands, verdict, remark or "-"]
        )
    path.write_text(text(rows), encoding="cp949")


def in_fixed_columns(path: Path) -> None:
    """Below each other on a screen, where Korean letters take two places."""

    def padded(cell: str, width: int) -> str:
        return cell + " " * (width - len(cell.encode("cp949")))

    widths = [21, 8, 16, 12, 8, 6, 40]
    lines = [
        "".join(padded(c, w) for c, w in zip(row, widths, strict=True))
        for row in [NAMES, *ROWS]
    ]
    path.write_text("\n".join(lines), encoding="cp949")


def old_sheet(path: Path) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("1")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
    for place, name in enumerate(NAMES):
        page.write(0, place, name)
    for number, (time, lot, temperature, pressure, count, *words) in enumerate(ROWS, 1):
        page.write(number, 0, pd.Timestamp(time).to_pydatetime(), day)
        numbers = [float(temperature), float(pressure), int(count)]
        for place, cell in enumerate([lot, *numbers, *words], 1):
            page.write(number, place, cell)
    book.save(str(path))


TITLE = "사출 일보,,,,,,\n출력일,2020-06-01,,,,,\n\n"
VARIANTS: dict[str, tuple[str, Write]] = {
    "UTF-8": ("a.csv", encoded("utf-8")),
    "UTF-8 with mark": ("a.csv", encoded("utf-8-sig")),
    "CP949": ("a.csv", encoded("cp949")),
    "UTF-16 LE with mark": ("a.csv", encoded("utf-16-le", b"\xff\xfe")),
    "UTF-16 BE with mark": ("a.csv", encoded("utf-16-be", b"\xfe\xff")),
    "UTF-16 LE": ("a.csv", encoded("utf-16-le")),
    "UTF-16 BE": ("a.csv", encoded("utf-16-be")),
    "Unicode text of a sheet": (
        "a.txt",
        encoded("utf-16-le", b"\xff\xfe", delimiter="\t", end="\r\n"),
    ),
    "semicolons": ("a.csv", encoded("utf-8", delimiter=";")),
    "semicolons, decimal comma": (
        "a.csv",
        encoded("cp949", delimiter=";", comma=True),
    ),
    "tabs": ("a.tsv", encoded("utf-8", delimiter="\t")),
    "bars": ("a.txt", encoded("utf-8", delimiter="|")),
    "CRLF": ("a.csv", encoded("cp949", end="\r\n")),
    "CR": ("a.csv", encoded("utf-8", end="\r")),
    "line ends converted twice": ("a.csv", encoded("utf-8", end="\r\r\n")),
    "a hint for Excel": ("a.csv", encoded("utf-8", delimiter=";", above="sep=;\n")),
    "titles": ("a.csv", encoded("utf-8", above=TITLE)),
    "remarks": ("a.csv", encoded("utf-8", above="# logger 3\n# v1.2, 7 columns\n")),
    "totals": ("a.csv", totals),
    "pasted together": ("a.csv", pasted),
    "pasted in two encodings": ("a.csv", in_two_encodings),
    "units in cells": ("a.csv", units_in_cells),
    "as people write": ("a.csv", as_people_write),
    "fixed columns": ("a.txt", in_fixed_columns),
    "a sheet": ("a.xlsx", sheet),
    "an old sheet": ("a.xls", old_sheet),
}


def stored(tenant: Tenant, path: Path, name: str) -> tuple[pd.DataFrame, dict]:
    result = ingest(tenant, "generic", path, dataset=name)
    data = open_dataset(tenant, result.dataset)
    frame = data.to_pandas().drop(columns=["_file", "_row"])
    return frame, {c.source: c.unit for c in data.columns}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    from kamp_lib.tenancy import add_tenant

    return add_tenant("variants", "변형", home=tmp_path_factory.mktemp("kamp"))


@pytest.fixture(scope="module")
def plain(
    company: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, dict]:
    path = tmp_path_factory.mktemp("plain") / "a.csv"
    path.write_text(text(), encoding="utf-8")
    return stored(company, path, "plain")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_the_same_stored_data_set(
    company: Tenant,
    plain: tuple[pd.DataFrame, dict],
    tmp_path: Path,
    variant: str,
) -> None:
    file, write = VARIANTS[variant]
    write(tmp_path / file)
    number = list(VARIANTS).index(variant)
    frame, units = stored(company, tmp_path / file, f"variant-{number}")
    pd.testing.assert_frame_equal(frame, plain[0])
    assert units == plain[1]


def test_a_line_of_units_is_read_alike_from_text_and_sheet(
    company: Tenant, tmp_path: Path
) -> None:
    rows = [UNITS, *ROWS]
    (tmp_path / "a.csv").write_text(text(rows), encoding="cp949")
    (tmp_path / "b.csv").write_text(text(rows, delimiter=";"), encoding="utf-16")
    book = openpyxl.Workbook()
    for row in [NAMES, UNITS]:
        book.active.append(row)
    for row in ROWS:
        book.active.append([*row[:2], *map(float, row[2:5]), *row[5:]])
    book.save(tmp_path / "c.xlsx")
    read = [
        stored(company, tmp_path / name, f"units-{name[0]}")
        for name in ("a.csv", "b.csv", "c.xlsx")
    ]
    assert read[0][1]["사출압력"] == "bar"
    for frame, units in read[1:]:
        pd.testing.assert_frame_equal(frame, read[0][0])
        assert units == read[0][1]
