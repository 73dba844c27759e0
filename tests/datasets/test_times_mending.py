"""Times rebuilt from the order of rows: only when that is safe."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.datasets.parsing.columns import parse
from kamp_lib.datasets.parsing.mending import (
    mended_dates,
    misplaced,
    moved_day_ends,
    rebuilt_times,
)
from kamp_lib.datasets.reading.files import read


def true_times(n: int, every: str, start: str = "2020-03-04 08:00") -> pd.Series:
    return pd.Series(pd.date_range(start, periods=n, freq=every))


def real_column(path: Path, column: str) -> pd.Series:
    return parse(read(path)).frame[column]


@given(
    seconds=st.sampled_from([1, 2, 3, 5, 6, 10, 12, 15, 20, 30]),
    rows=st.integers(200, 400),
    late=st.integers(0, 59),
)
def test_minutes_are_rebuilt_to_the_step_between_rows(
    seconds: int, rows: int, late: int
):
    start = pd.Timestamp("2020-03-04 08:00") + pd.Timedelta(seconds=late)
    true = pd.Series(pd.date_range(start, periods=rows, freq=f"{seconds}s"))
    rebuilt = rebuilt_times(true.dt.floor("min"))
    assert rebuilt is not None
    assert (rebuilt - true).abs().max() < pd.Timedelta(seconds=seconds)
    assert rebuilt.is_monotonic_increasing
    assert rebuilt.is_unique


def test_a_rebuilt_time_stays_within_its_stamp():
    stamps = true_times(500, "7s").dt.floor("min")
    assert (rebuilt_times(stamps).dt.floor("min") == stamps).all()


def test_samples_of_a_tenth_of_a_second_are_rebuilt():
    true = true_times(300, "100ms")
    assert (rebuilt_times(true.dt.floor("s")) == true).all()


def test_a_standstill_between_stretches_does_no_harm():
    true = pd.concat(
        [true_times(200, "6s"), true_times(200, "6s", "2020-03-04 13:00:30")],
        ignore_index=True,
    )
    assert (rebuilt_times(true.dt.floor("min")) == true).all()


def test_uneven_numbers_of_rows_per_stamp_are_left_alone():
    days = pd.date_range("2020-05-04", periods=5)
    assert rebuilt_times(pd.Series(days.repeat([2800, 2500, 2425, 3230, 3770]))) is None


def test_rows_out_of_order_are_left_alone():
    stamps = true_times(200, "6s").dt.floor("min")
    assert rebuilt_times(stamps.iloc[::-1].reset_index(drop=True)) is None


def test_fine_stamps_are_left_alone():
    assert rebuilt_times(true_times(200, "6s")) is None


def test_the_minutes_of_the_melting_tank_become_six_seconds(real_data: Path):
    stamps = real_column(real_data / "kamp_melting_tank" / "melting_tank.csv", "STD_DT")
    steps = rebuilt_times(stamps).diff().dropna().dt.total_seconds()
    assert steps.unique().tolist() == [6.0]


def test_the_days_of_the_press_cannot_be_rebuilt(real_data: Path):
    stamps = real_column(real_data / "kamp_press" / "press.csv", "working_time")
    assert rebuilt_times(stamps) is None


def test_nonsense_dates_of_the_press_lie_on_the_day_around_them(real_data: Path):
    stamps = real_column(real_data / "kamp_press" / "press.csv", "working_time")
    mended = mended_dates(stamps)
    assert misplaced(stamps).sum() == 1634
    assert mended.min() == pd.Timestamp("2020-05-04")
    assert mended.max() == pd.Timestamp("2020-05-29")
    assert mended.is_monotonic_increasing


def test_the_ends_of_days_of_the_steel_works_move_to_the_next_day(real_data: Path):
    path = real_data / "steel_energy" / "Steel_industry_data.csv"
    stamps = real_column(path, "date")
    moved = moved_day_ends(stamps)
    assert (moved != stamps).sum() == 365
    assert moved.diff().dropna().unique().tolist() == [pd.Timedelta(minutes=15)]


@given(st.sampled_from([5, 10, 15, 30, 60]), st.integers(1, 5))
def test_moved_ends_of_days_give_back_the_true_times(minutes: int, days: int):
    rows = days * 1440 // minutes
    step = pd.Timedelta(minutes=minutes)
    true = pd.Series(
        pd.date_range(pd.Timestamp("2018-01-01") + step, periods=rows, freq=step)
    )
    midnight = true == true.dt.normalize()
    written = true.where(~midnight, true - pd.Timedelta(days=1))
    assert (moved_day_ends(written) == true).all()


def test_a_midnight_that_begins_its_day_stays():
    assert moved_day_ends(true_times(200, "15min", "2018-01-01")) is None


def test_a_day_exported_twice_is_no_end_of_a_day():
    day = true_times(96, "15min", "2018-01-01")
    assert moved_day_ends(pd.concat([day, day], ignore_index=True)) is None


def test_few_old_records_before_many_new_ones_are_in_place():
    old = pd.date_range("2012-01-01", periods=10, freq="100D")
    new = pd.date_range("2020-01-01", periods=400, freq="h")
    assert not misplaced(pd.Series([*old, *new])).any()


def test_a_future_or_ancient_stamp_is_misplaced():
    stamps = true_times(50, "min")
    stamps.iloc[10], stamps.iloc[20] = pd.Timestamp("2068-01-01"), pd.Timestamp(0)
    assert misplaced(stamps).sum() == 2
