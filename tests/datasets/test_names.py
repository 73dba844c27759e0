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
        ("사출압력", "InjPress"),
        ("injpress", "injection pressure"),
        ("실린더 온도 3존", "Cyl. Temp Zone 3"),
        ("금형온도_℃", "Mold Temp [degF]"),
        ("X축 위치", "x_pos"),
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
        ("사출압력 설정값", "사출압력 실측값"),
        ("injection speed", "injection pressure"),
        ("온도차", "온도"),
        ("형개 시간", "형폐 시간"),
    ],
)
def test_one_word_may_make_it_another_quantity(one: str, other: str):
    assert likeness(one, other) == 0.0


def test_a_misspelt_name_is_nearly_the_same():
    assert 0.7 < likeness("plastizicing_time", "plasticizing_time") < 1.0


def test_the_unit_in_brackets_is_kept_apart():
    assert take_apart("사출압력[MPa]").unit == "MPa"


@pytest.mark.parametrize(
    ("name", "words", "unit"),
    [
        ("온도_℃", "temperature", "°C"),
        ("부하율%", "load", "%"),
        ("Usage_kWh", "usage", "kWh"),
        ("H1(℃)온도", "h 1 temperature", "°C"),
        ("유량_L/min", "flow", "L/min"),
        ("사이클시간(min)", "cycle time", "min"),
        # words that only look like units
        ("온도(min)", "temperature min", None),
        ("temp_min", "temperature min", None),
        ("하중(L)", "force l", None),
        ("pressure_in", "pressure in", None),
        ("압력(설정)", "pressure setpoint", None),
        # the quantity is its unit
        ("max_screw_rpm", "max screw rpm", "rpm"),
        # the controller's index of the first injection unit
        ("ActTmpBrlZn[1,3]", "actual temperature barrel 3", None),
        ("ActTimFill[1]", "actual time filling", None),
    ],
)
def test_a_name_is_cut_into_words_and_unit(name: str, words: str, unit: str | None):
    assert take_apart(name).words == tuple(words.split())
    assert take_apart(name).unit == unit


def test_the_unit_tells_what_the_name_leaves_out():
    assert likeness("계량(s)", "계량 시간") == 0.9
    assert likeness("계량(mm)", "계량 시간") == 0.0
    assert likeness("계량(mm)", "plasticizing position") == 0.9
