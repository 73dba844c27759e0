from __future__ import annotations

import pytest

from kamp_lib.datasets.mapping.names import likeness, take_apart


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Max_Injection_Pressure", "max injection pressure"),
        ("MaxInjectionPressure", "max_injection_pressure"),
        ("사출시간(s)", "사출 시간"),
        ("사출의 시간", "사출 시간"),
        ("Mold_Temperature_3", "mould_temperature_3"),
        ("Barrel Temp. 1 [°C]", "barrel_temperature_1"),
        ("BARREL_TEMPERATURE_01", "barrel temperature 01"),
    ],
)
def test_spellings_of_one_name_are_the_same_name(one: str, other: str):
    assert likeness(one, other) == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("barrel_temperature_1", "barrel_temperature_2"),
        ("X_OutputCurrent", "Y_OutputCurrent"),
        ("max_back_pressure", "average_back_pressure"),
        ("clamp_open_position", "clamp_close_position"),
        ("최대 사출압력", "평균 사출압력"),
        ("equip_name", "equip_cd"),
    ],
)
def test_one_word_may_make_it_another_quantity(one: str, other: str):
    assert likeness(one, other) == 0.0


def test_a_misspelt_name_is_nearly_the_same():
    assert 0.7 < likeness("plastizicing_time", "plasticizing_time") < 1.0


def test_the_unit_in_brackets_is_kept_apart():
    assert take_apart("사출압력[MPa]").unit == "mpa"
