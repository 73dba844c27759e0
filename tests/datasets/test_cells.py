"""Cells: numbers in every notation, units beside numbers, words for no value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import Finding, Parsed, parse, read
from kamp_lib.datasets.fixes import apply_fixes
from kamp_lib.datasets.parsing.cells import is_unit, kind_of


def parsed(tmp_path: Path, columns: dict[str, list[str]], sep: str = ",") -> Parsed:
    rows = max(map(len, columns.values()))
    table = {"row": [f"r{i}" for i in range(rows)], **columns}
    path = tmp_path / "a.csv"
    pd.DataFrame(table).to_csv(path, index=False, sep=sep)
    return parse(read(path))


def said(result: Parsed, code: str) -> Finding:
    return next(f for f in result.findings if f.code == code)


def codes(result: Parsed) -> set[str]:
    return {f.code for f in result.findings}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "12,345.5", "7"], [1234, 12345.5, 7]),
        (["1.234,5", "12,25", "7"], [1234.5, 12.25, 7]),
        (["1.234.567", "12.345"], [1234567, 12345]),
        (["1 234,5", "12 000,25"], [1234.5, 12000.25]),
        (["1'234.5", "12'000"], [1234.5, 12000]),
        (["1\u00a0234.5", "2"], [1234.5, 2]),
        (["１２.５", "３"], [12.5, 3]),
        (["\u22125", "△3.5", "(1,200)"], [-5, -3.5, -1200]),
        (["1e3", "2.5E-1"], [1000, 0.25]),
    ],
)
def test_numbers_are_read_in_the_notation_of_their_column(
    tmp_path: Path, cells: list[str], values: list[float]
) -> None:
    assert parsed(tmp_path, {"x": cells}).frame["x"].tolist() == values


def test_one_column_tells_what_a_comma_means_in_the_others(tmp_path: Path) -> None:
    columns = {"sure": ["0,5", "12,25"], "either": ["1,234", "2,345"]}
    result = parsed(tmp_path, columns, sep=";")
    assert result.frame["either"].tolist() == [1.234, 2.345]
    assert "mixed-decimals" not in codes(result)


def test_a_comma_that_nothing_explains_is_doubted(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"x": ["1,234", "2,345"]}, sep=";")
    assert said(result, "mixed-decimals").columns == ["x"]


@pytest.mark.parametrize(
    "columns",
    [
        {"x": ["1,234", "2,345"], "y": ["0.5", "1.25"]},
        {"x": ["1,234", "987", "12"]},
        {"x": ["1,000", "2,500", "3,000"]},
    ],
)
def test_a_comma_beside_points_or_small_or_round_numbers_parts_thousands(
    tmp_path: Path, columns: dict[str, list[str]]
) -> None:
    result = parsed(tmp_path, columns, sep=";")
    assert result.frame["x"].max() >= 1234
    assert "mixed-decimals" not in codes(result)


def test_two_decimal_signs_in_one_column_are_read_and_said(tmp_path: Path) -> None:
    cells = ["12.5"] * 9 + ["13,5"]
    result = parsed(tmp_path, {"x": cells})
    assert result.frame["x"].iloc[9] == 13.5
    assert said(result, "mixed-decimals").count == 1


def test_points_between_thousands_are_found_and_left_alone(tmp_path: Path) -> None:
    columns = {
        "fiscal": ["0", "1.386", "79", "23.200", "865", "6.459"],
        "total": ["539.577", "224.675", "129.412", "317.120", "210.517", "207.364"],
        "bank": ["65556", "40419", "11992", "49971", "48534", "52042"],
    }
    result = parsed(tmp_path, columns, sep=";")
    found = said(result, "mixed-decimals")
    assert set(found.columns) == {"fiscal", "total", "bank"}
    assert result.frame["total"].iloc[0] == 539.577


def test_the_fix_makes_thousands_of_such_points_and_leaves_plain_numbers(
    tmp_path: Path,
) -> None:
    columns = {
        "fiscal": ["0", "1.386", "79", "23.200", "865", "6.459", "11"],
        "total": ["539.577", "224.675", "129.000", "317.120", "210.517", "207.364", ""],
        "bank": ["65556", "40419", "11992", "49971", "48534", "52042", "7"],
    }
    result = parsed(tmp_path, columns, sep=";")
    fixed = apply_fixes(
        result.frame,
        result.findings,
        ["mixed-decimals"],
        equipment=equipment_type("generic"),
        record_kind=None,
        mapping=None,
    )
    made = fixed.frame.fillna(0)
    assert made["fiscal"].tolist() == [0, 1386, 79, 23200, 865, 6459, 11]
    assert made["total"].tolist()[:4] == [539577, 224675, 129000, 317120]
    assert made["bank"].tolist() == result.frame["bank"].tolist()


@pytest.mark.parametrize(
    "cells",
    [
        ["181.250", "181.375", "180.500"],  # three digits, always written
        ["1.5", "79", "23.25", "1.386"],  # zeros cut off
        ["0.125", "79", "0.250"],
    ],
)
def test_three_digits_behind_the_point_are_no_evidence_alone(
    tmp_path: Path, cells: list[str]
) -> None:
    columns = {"x": cells * 10, "n": ["65556"] * len(cells) * 10}
    assert "mixed-decimals" not in codes(parsed(tmp_path, columns))


def test_a_unit_in_every_cell_becomes_the_unit_of_the_column(tmp_path: Path) -> None:
    columns = {
        "temp": ["23.5 ℃", "24 ℃", "-1.5℃"],
        "press": ["1,200 kgf/cm²", "1,310 kgf/cm²", "990 kgf/cm²"],
        "load": ["85%", "90 %", "100%"],
    }
    result = parsed(tmp_path, columns)
    assert result.frame["temp"].tolist() == [23.5, 24, -1.5]
    assert result.frame["press"].tolist() == [1200, 1310, 990]
    assert result.units == {"temp": "℃", "press": "kgf/cm²", "load": "%"}
    assert "unit-in-cell" in codes(result)


def test_units_that_differ_are_converted_to_the_commonest(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"temp": ["23.5 ℃", "24 ℃", "74 ℉"]})
    assert result.frame["temp"].round(3).tolist() == [23.5, 24, 23.333]
    found = said(result, "unit-in-cell")
    assert (found.severity, found.count, result.units) == (
        "warning",
        1,
        {"temp": "℃"},
    )


def test_cells_are_converted_to_the_unit_of_the_header(tmp_path: Path) -> None:
    cells = ["10"] * 20 + ["1.5 MPa"]
    result = parsed(tmp_path, {"압력(bar)": cells})
    assert result.frame["압력(bar)"].iloc[20] == 15
    assert result.units == {"압력(bar)": "bar"}


def test_a_cell_that_measures_something_else_is_a_bad_cell(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"x": ["5 kg"] * 20 + ["3 bar"]})
    assert result.bad_cells["text"].tolist() == ["3 bar"]
    assert said(result, "unit-in-cell").severity == "warning"


@pytest.mark.parametrize(
    "cells",
    [["35T", "12A", "7V"], ["5 kg", "3 EA", "2 kg"], ["1호기", "2호기", "3호기"]],
)
def test_codes_and_mixtures_stay_text(tmp_path: Path, cells: list[str]) -> None:
    assert parsed(tmp_path, {"x": cells}).frame["x"].tolist() == cells


@pytest.mark.parametrize(
    "word", ["*", "?", "Bad Input", "통신이상", "#DIV/0!", "미측정", "N/A"]
)
def test_words_for_no_value_leave_a_column_of_numbers(
    tmp_path: Path, word: str
) -> None:
    result = parsed(tmp_path, {"x": ["1.5", word, "2.5", word]})
    assert result.frame["x"].isna().tolist() == [False, True, False, True]
    assert said(result, "text-for-missing").count == 2
    assert len(result.bad_cells) == 0


def test_plus_and_minus_are_a_result(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"x": ["-", "+", "-"]})
    assert result.frame["x"].tolist() == ["-", "+", "-"]
    assert "text-for-missing" not in codes(result)


def test_summaries_below_a_table_are_no_records(tmp_path: Path) -> None:
    times = [f"2020-05-04 10:{i:02}" for i in range(8)]
    path = tmp_path / "a.csv"
    rows = [f"{t},{i}.5" for i, t in enumerate(times)]
    path.write_text("\n".join(["t,x", *rows, "최대,7.5", "최소,0.5", "표준편차,2.3"]))
    result = parse(read(path))
    assert list(result.set_aside) == [8, 9, 10]
    assert result.frame["t"].dtype.kind == "M"


def test_summary_words_are_categories_in_a_column_of_words(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"item": ["온도", "압력", "편차", "범위"] * 3})
    assert result.set_aside == {}


def test_money_is_a_number_in_its_currency(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"x": ["￦1,000", "￦25,000"], "y": ["10원", "1,200원"]})
    assert result.frame["x"].tolist() == [1000, 25000]
    assert result.units == {"x": "￦", "y": "원"}


def test_codes_that_a_spreadsheet_was_kept_from_changing(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"x": ['="007"', '="012"']})
    assert result.frame["x"].tolist() == ["007", "012"]


def test_truth_is_spelled_alike_whatever_wrote_it(tmp_path: Path) -> None:
    result = parsed(tmp_path, {"x": ["TRUE", "False", ""]})
    assert result.frame["x"].fillna("").tolist() == ["true", "false", ""]


@settings(deadline=None)
@given(st.text(max_size=20))
def test_every_text_is_some_kind_of_cell(text: str) -> None:
    assert kind_of(text.strip()) in ("", "number", "quantity", "time", "word")
    assert is_unit(text) in (True, False)


@settings(deadline=None, max_examples=40)
@given(
    numbers=st.lists(
        st.decimals(-(10**9), 10**9, places=2).map(float), min_size=2, max_size=20
    ),
    comma=st.booleans(),
)
def test_grouped_numbers_are_the_numbers_they_were(
    numbers: list[float], comma: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cells = [f"{n:,.2f}" for n in numbers]
    if comma:
        cells = [c.translate(str.maketrans(",.", ".,")) for c in cells]
    # alone in its line, a grouped number could be cells between commas
    columns = {"x": cells, "state": ["ok"] * len(cells)}
    result = parsed(tmp_path_factory.mktemp("cells"), columns, sep=";")
    assert np.array_equal(result.frame["x"].to_numpy(float), np.array(numbers) + 0.0)
