from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.reports import numbers


@pytest.mark.parametrize(
    ("krw", "said"),
    [
        (0, "0원"),
        (3_400, "3,400원"),
        (1_200_000, "120만 원"),
        (-1_234_567, "-120만 원"),
        (123_456_789, "1.23억 원"),
    ],
)
def test_money_is_said_as_people_say_it(krw: float, said: str) -> None:
    assert numbers.money(krw, "ko") == said


@given(st.floats(min_value=1, max_value=1e11))
def test_rounding_money_keeps_it_within_five_percent(krw: float) -> None:
    shown = numbers.money(krw, "en").removeprefix("KRW ").replace(",", "")
    assert abs(int(shown) - krw) <= 0.05 * krw + 0.5


@pytest.mark.parametrize(
    ("value", "said"), [(231.5, "231.5 °C"), (1234567, "1,234,567 °C"), (None, "–")]
)
def test_a_quantity_has_its_unit(value: float | None, said: str) -> None:
    assert numbers.quantity(value, "°C") == said


def test_times_are_shown_in_the_companys_zone() -> None:
    late = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    assert numbers.when(late, "Asia/Seoul") == "2026-11-21 00:30"


def test_an_unknown_zone_of_a_record_falls_back_to_utc() -> None:
    late = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    assert numbers.when(late, "../etc/passwd") == "2026-11-20 15:30"


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_dash(odd: float) -> None:
    shown = [numbers.count(odd), numbers.few(odd), numbers.money(odd, "ko")]
    assert [*shown, numbers.of_ten(odd), numbers.quantity(odd)] == ["–"] * 5


def test_a_time_at_the_end_of_the_calendar_is_shown() -> None:
    assert numbers.when(datetime.max, "Asia/Seoul") == "9999-12-31 23:59"
