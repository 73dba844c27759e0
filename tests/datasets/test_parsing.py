"""Parsing: numbers, times, codes, missing words, and rows that are no records."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kamp_lib.datasets import Parsed, parse, read


def parsed(tmp_path: Path, columns: dict[str, list[str]]) -> Parsed:
    path = tmp_path / "a.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return parse(read(path))


def column(tmp_path: Path, cells: list[str]) -> pd.Series:
    rows = [f"r{i}" for i in range(len(cells))]
    return parsed(tmp_path, {"row": rows, "x": cells}).frame["x"]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "2", "-3"], [1, 2, -3]),
        (["1.5", "2", "+3e2"], [1.5, 2.0, 300.0]),
        (["1,234", "12,345.5", "7"], [1234.0, 12345.5, 7.0]),
        (["12345678901234567", "12345678901234568"], None),
    ],
)
def test_numbers_are_read_exactly(
    tmp_path: Path, cells: list[str], values: list[float] | None
) -> None:
    assert column(tmp_path, cells).tolist() == (values or [int(c) for c in cells])


@pytest.mark.parametrize(
    "cells",
    [
        ["007", "012", "113"],
        ["5f8928bb9c01", "5f8928de9c02"],
        ["123456789012345678901234", "123456789012345678901235"],
        ["12-34", "56-78"],
        ["A1", "7", "B2"],
    ],
)
def test_codes_stay_text(tmp_path: Path, cells: list[str]) -> None:
    assert column(tmp_path, cells).tolist() == cells


def test_long_ids_beside_gaps_keep_every_digit(tmp_path: Path) -> None:
    values = column(tmp_path, ["12345678901234567", "", "12345678901234569"])
    assert values.dropna().tolist() == [12345678901234567, 12345678901234569]


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2020-10-16 04:57:47", "2020-10-17"], "2020-10-16 04:57:47"),
        (
            ["2020-10-16 오전 12:00:05", "2020-10-16 오후 3:05:01"],
            "2020-10-16 00:00:05",
        ),
        (
            ["2020. 5. 4. 오후 1:02:03", "2020. 5. 5. 오전 1:02:03"],
            "2020-05-04 13:02:03",
        ),
        (
            ["2020년 5월 4일 15시 30분", "2020년 5월 5일 9시 05분"],
            "2020-05-04 15:30:00",
        ),
        (["5/4/20 0:00", "5/13/20 0:00"], "2020-05-04"),
        (["4/5/2020 10:00", "13/5/2020 10:00"], "2020-05-04 10:00:00"),
        (["2020-05-04T01:00:00Z", "2020-05-04T02:00:00Z"], "2020-05-04 10:00:00"),
        (["20/05/04 01:00:00.250", "20/05/31 02:00:00.500"], "2020-05-04 01:00:00.25"),
    ],
)
def test_times_are_read_in_the_usual_notations(
    tmp_path: Path, cells: list[str], first: str
) -> None:
    assert column(tmp_path, cells).iloc[0] == pd.Timestamp(first)


def test_dates_that_can_be_read_both_ways_are_doubted(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"day": ["1/4/20", "5/3/20", "8/6/20"], "x": list("abc")})
    assert "ambiguous-dates" in [f.code for f in result.findings]


def test_words_for_missing_are_missing(tmp_path: Path) -> None:
    cells = ["1.5", "None", "NaN", "-", "없음", "#DIV/0!", "2.5"]
    result = parsed(tmp_path, {"row": list("abcdefg"), "x": cells})
    assert result.frame["x"].notna().sum() == 2
    found = next(f for f in result.findings if f.code == "text-for-missing")
    assert found.count == 5


def test_a_word_in_a_number_column_is_a_bad_cell(tmp_path: Path) -> None:
    cells = [str(i) for i in range(30)]
    cells[7] = "12kg"
    result = parsed(tmp_path, {"row": [f"r{i}" for i in range(30)], "x": cells})
    assert result.bad_cells.to_numpy().tolist() == [[7, "x", "12kg", "not-a-number"]]


def test_a_word_in_a_time_column_is_a_bad_cell(tmp_path: Path) -> None:
    cells = [f"2020-05-04 10:{i:02}:00" for i in range(30)]
    cells[3] = "정지"
    result = parsed(tmp_path, {"t": cells, "x": [str(i) for i in range(30)]})
    assert result.bad_cells["reason"].tolist() == ["not-a-time"]


def test_repeated_headers_and_totals_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f"2020-05-{d:02},{d},{d}.5\n" for d in range(1, 30))
    path.write_text(f"day,count,weight\n{rows}day,count,weight\n{rows}합계,870,885\n")
    result = parse(read(path))
    assert result.set_aside == {29: "repeated-header", 59: "totals-row"}
    assert result.frame["count"].dtype.kind == "f"
    assert len(result.bad_cells) == 0
