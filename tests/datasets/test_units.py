from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.catalog import units
from kamp_lib.datasets.units import compatible, convert, said, to_ucum
from kamp_lib.errors import KampError


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("℃", "Cel"),
        ("degC", "Cel"),
        ("ºC", "Cel"),
        ("℉", "[degF]"),
        ("kgf/cm²", "kgf/cm2"),
        ("kgf/㎠", "kgf/cm2"),
        ("kg/cm2", "kgf/cm2"),
        ("MPA", "MPa"),
        ("sec", "s"),
        ("초", "s"),
        ("min", "min"),
        ("분", "min"),
        ("RPM", "/min"),
        ("r/min", "/min"),
        ("％", "%"),
        ("㎜", "mm"),
        ("㎛", "um"),
        ("µm", "um"),
        ("kN", "kN"),
        ("tf", "Mgf"),
        ("KWH", "kW.h"),
        ("N·m", "N.m"),
        ("Nm", "N.m"),
        ("HZ", "Hz"),
        ("mm/s²", "mm/s2"),
        ("[mm/s]", "mm/s"),
        ("ℓ/min", "L/min"),
        ("㎥/h", "m3/h"),
        ("kJ/kg", "kJ/kg"),
        ("mW", "mW"),
        ("MW", "MW"),
    ],
)
def test_what_people_and_machines_write_is_understood(written: str, code: str):
    assert to_ucum(written) == code


@pytest.mark.parametrize("text", ["", "hello", "10", "°X", "a" * 500, "/", "C", "F"])
def test_what_is_no_unit_is_none(text: str):
    assert to_ucum(text) is None


@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from([*"/·.*()[]2-", "kg", "m", "s", "℃", "dB", "회", "%", "mm"]),
        max_size=8,
    ).map("".join)
)
def test_any_text_is_a_unit_or_none(text: str):
    code = to_ucum(text)
    assert code is None or compatible(code, code)


@pytest.mark.parametrize(
    ("written", "like", "code"),
    [
        ("C", "Cel", "Cel"),
        ("C", "MPa", None),
        ("F", "Cel", "[degF]"),
        ("g", "m/s2", "[g]"),
        ("g", "kg", "g"),
        ("ton", "kN", "Mgf"),
        ("ton", None, "t"),
        ("S", "s", "s"),
    ],
)
def test_what_is_expected_settles_a_doubtful_letter(
    written: str, like: str | None, code: str | None
):
    assert to_ucum(written, like=like) == code


def test_every_spelling_of_the_table_means_its_unit():
    for unit in units().values():
        assert {to_ucum(text) for text in unit.written} == {unit.ucum}
        assert all(to_ucum(text, unit.ucum) == unit.ucum for text in unit.near)


@pytest.mark.parametrize(
    ("value", "one", "other", "expected"),
    [
        (212.0, "[degF]", "Cel", 100.0),
        (300.0, "K", "Cel", 26.85),
        (1400.0, "kgf/cm2", "MPa", 137.2931),
        (140.0, "bar", "MPa", 14.0),
        (5.0, "min", "s", 300.0),
        (100.0, "Mgf", "kN", 980.665),
        (30.0, "Hz", "/min", 1800.0),
        (90.0, "{stroke}/min", "/min", 90.0),
    ],
)
def test_values_are_converted(value: float, one: str, other: str, expected: float):
    assert convert(value, one, other) == expected


def test_missing_values_stay_missing_and_rows_keep_their_place():
    seen = convert(pd.Series([32.0, np.nan], index=[7, 9], name="t"), "[degF]", "Cel")
    pd.testing.assert_series_equal(
        seen, pd.Series([0.0, np.nan], index=[7, 9], name="t")
    )


@pytest.mark.parametrize(
    ("one", "other"), [("Cel", "MPa"), ("N.m", "J"), ("%", "deg"), ("dB", "1")]
)
def test_what_measures_something_else_is_an_error(one: str, other: str):
    assert not compatible(one, other)
    with pytest.raises(KampError, match="바꿀 수 없습니다"):
        convert(1.0, one, other)


@given(
    st.sampled_from(
        [("Cel", "[degF]"), ("MPa", "kgf/cm2"), ("s", "ms"), ("kN", "Mgf")]
    ),
    st.floats(-1e6, 1e6),
)
def test_there_and_back_is_where_it_began(pair: tuple[str, str], value: float):
    there = convert(value, *pair)
    assert convert(there, pair[1], pair[0]) == pytest.approx(value, rel=1e-9, abs=1e-6)


def test_people_read_no_codes():
    assert [said(c) for c in ("Cel", "/min", "kgf/cm2", "{shot}", None)] == [
        "°C",
        "rpm",
        "kgf/cm²",
        "샷",
        "",
    ]
