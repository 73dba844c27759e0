"""Layouts: titles, header rows, units and the first row of data, in any grid of cells."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamp_lib.datasets.reading.layout import layout_findings, table_layout


def grid(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.strip("\n").split("\n")]


HEADERS: dict[str, tuple[str, list[str], int]] = {
    "a plain one": ("a,b\n1,2\n3,4", ["a", "b"], 1),
    "one record": ("시각,온도\n2020-05-04 10:00,23.5", ["시각", "온도"], 1),
    "words only": ("lot,grade\nA1,good\nA2,bad", ["lot", "grade"], 1),
    "one column": ("temp\n20.5\n21.5", ["temp"], 1),
    "titles": (
        "월간 보고서,,\n출력일,2020-05-31,\n,,\n시각,온도,압력\n10:00,1,2\n10:01,3,4",
        ["시각", "온도", "압력"],
        4,
    ),
    "remarks": ("# logger 3,\n# v1.2,\nt,x\n1,2.5\n2,3.5", ["t", "x"], 3),
    "a remark that is the header": ("# t,x\n1,2.5\n2,3.5", ["t", "x"], 1),
    "settings of two columns": (
        "Device,Logger1\nSerial,12345\nInterval,10\n\nTime,Temp\n"
        + "10:00,21.5\n" * 12,
        ["Time", "Temp"],
        5,
    ),
    "groups": (
        "시각,금형온도,,사출압력,,판정\n,상,하,1차,2차,\n"
        + "10:00,180.5,181.2,90,80,OK\n" * 3,
        ["시각", "금형온도 상", "금형온도 하", "사출압력 1차", "사출압력 2차", "판정"],
        2,
    ),
    "groups over full names": (
        ",금형온도,,사출압력,,\n시각,상,하,1차,2차,판정\n"
        + "10:00,180.5,181.2,90,80,OK\n" * 3,
        ["시각", "금형온도 상", "금형온도 하", "사출압력 1차", "사출압력 2차", "판정"],
        2,
    ),
    "three rows": (
        ",1호기,,,\n,온도,,압력,\n시각,상,하,1,2\n" + "10:00,1.5,2.5,3.5,4.5\n" * 4,
        ["시각", "1호기 온도 상", "1호기 온도 하", "1호기 압력 1", "1호기 압력 2"],
        3,
    ),
    "addresses above names": (
        "D100,D101,D102\n시각,온도,압력\n" + "10:00,1.5,2\n" * 3,
        ["D100 시각", "D101 온도", "D102 압력"],
        2,
    ),
    "cavities": (
        "시각,캐비티 온도,,,판정\n,1,2,3,\n" + "10:00,1.5,2.5,3.5,OK\n" * 4,
        ["시각", "캐비티 온도 1", "캐비티 온도 2", "캐비티 온도 3", "판정"],
        2,
    ),
    "a remark of its own cells that is the header": (
        "# run 5\n#,t,x\n" + "1,2.5\n" * 5,
        ["t", "x"],
        2,
    ),
    "types below names": (
        "시각,온도\nDateTime,REAL\n,℃\n" + "10:00,2.5\n" * 5,
        ["시각", "온도"],
        3,
    ),
    "silent sensors in the first record": (
        "no,a,b\n0,*,측정불가\n" + "1,2.5,3\n" * 5,
        ["no", "a", "b"],
        1,
    ),
    "years": ("품번,2019,2020,2021\nA,10,20,30\nB,5,6,7", ["품번", "2019", "2020", "2021"], 1),
    "months": ("품번,2019-01,2019-02\nA,10,20\nB,5,6", ["품번", "2019-01", "2019-02"], 1),
    "repetitions": ("품번,1회,2회\nA,10,20\nB,5,6", ["품번", "1회", "2회"], 1),
    "places of a data frame": (
        "0,1,2,3,4\n" + "0.5,1.5,2.5,3.5,4.5\n" * 3,
        ["0", "1", "2", "3", "4"],
        1,
    ),
    "a header shorter than its rows": ("a,b\n1,2,3\n4,5,6", ["a", "b", "column_3"], 1),
    "sensors silent at first": (
        "lot,temp,press\nA1,,\nA2,,\n" + "A3,1.5,2.5\n" * 5,
        ["lot", "temp", "press"],
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADERS)
def test_the_header_is_found(case: str) -> None:
    text, names, first = HEADERS[case]
    layout = table_layout(grid(text))
    assert (layout.names, layout.first) == (names, first)


@pytest.mark.parametrize(
    "text",
    ["1,2,3\n4,5,6\n7,8,9", "2020-05-04 10:00,21.5,OK\n2020-05-04 10:01,22.5,NG", "7"],
)
def test_a_file_of_data_only_keeps_its_first_row_and_says_so(text: str) -> None:
    rows = grid(text)
    layout = table_layout(rows)
    assert (layout.first, layout.names[0]) == (0, "column_1")
    assert [f.code for f in layout_findings(layout, rows)] == ["no-header"]


@pytest.mark.parametrize(
    "line",
    ["-,℃,bar,s", "yyyy,(℃),(bar),(s)", ",[℃],[bar],[s]", "단위,℃,bar,s"],
)
def test_a_line_of_units_gives_the_columns_their_units(line: str) -> None:
    layout = table_layout(
        grid(f"시각,온도,압력,시간\n{line}\n" + "10:00,20.5,3,4\n" * 3)
    )
    assert layout.units == {"온도": "℃", "압력": "bar", "시간": "s"}
    assert layout.first == 2


def test_units_stand_below_two_rows_of_names() -> None:
    text = "시각,온도,,압력\n,상,하,\n-,℃,℃,bar\n" + "10:00,20.5,3,4\n" * 3
    layout = table_layout(grid(text))
    assert layout.names == ["시각", "온도 상", "온도 하", "압력"]
    assert layout.units == {"온도 상": "℃", "온도 하": "℃", "압력": "bar"}


def test_a_unit_in_the_brackets_of_a_name_is_the_columns_unit() -> None:
    layout = table_layout(grid("시각,온도(℃),주문 (1)\n10:00,20.5,3\n10:01,20.5,3"))
    assert layout.names == ["시각", "온도(℃)", "주문 (1)"]
    assert layout.units == {"온도(℃)": "℃"}


def test_merged_cells_that_are_filled_in_already_are_not_spread() -> None:
    text = "시각,온도,온도,비고\n시각,상,하,\n" + "10:00,20.5,3,x\n" * 3
    layout = table_layout(grid(text), filled_in=True)
    assert layout.names == ["시각", "온도 상", "온도 하", "비고"]


def test_a_dash_in_every_cell_is_a_record_without_values() -> None:
    layout = table_layout(grid("lot,a,b\n-,-,-\n" + "L1,1.5,2\n" * 4))
    assert layout.first == 1


def test_a_record_of_one_word_is_no_second_header() -> None:
    text = """a,b,c
1,2,x
1.5,1.5,
,,dropped
,1.5,1.5
,1.5,1.5
2020-01-02,,
3,4,y"""
    layout = table_layout([line.split(",") for line in text.splitlines()])
    assert (layout.names, layout.first) == (["a", "b", "c"], 1)


def test_a_plain_table_has_nothing_to_say() -> None:
    rows = grid("a,b\n1,2\n3,4")
    assert layout_findings(table_layout(rows), rows) == []


def test_no_rows_at_all_are_no_error() -> None:
    assert table_layout([]).first == 0


CELLS = st.sampled_from(
    [
        "",
        "온도",
        "상",
        "1",
        "2.5",
        "℃",
        "(s)",
        "-",
        "# a",
        "10:00",
        "REAL",
        "합계",
        "a b",
    ]
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, max_size=6), max_size=12))
def test_any_grid_has_a_layout(rows: list[list[str]]) -> None:
    layout = table_layout(rows)
    layout_findings(layout, rows)
    above = [*layout.titles, *layout.header]
    assert all(row < layout.first for row in above)
    assert 0 <= layout.first <= len(rows)
    assert len({name.lower() for name in layout.names}) == len(layout.names)
    assert set(layout.units) <= set(layout.names)


@settings(deadline=None)
@given(
    names=st.lists(
        st.text("가나다라마바사아자차", min_size=2, max_size=5),
        min_size=2,
        max_size=6,
        unique=True,
    ),
    count=st.integers(1, 8),
    titles=st.integers(0, 3),
    units=st.booleans(),
)
def test_no_record_is_taken_for_a_header(
    names: list[str], count: int, titles: int, units: bool
) -> None:
    blank = [""] * (len(names) - 1)
    rows = [[f"제목 {n}", *blank] for n in range(titles)]
    rows += [names] + [["℃"] * len(names)] * units
    rows += [[f"{r}.5"] * len(names) for r in range(count)]
    layout = table_layout(rows)
    assert (layout.names, layout.first) == (names, len(rows) - count)
