"""Times in every notation of a factory file, and dates whose order has to be found out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.parsing.columns import Parsed, parse
from kamp_lib.datasets.parsing.dates import by_no_future
from kamp_lib.datasets.parsing.times import parse_times
from kamp_lib.datasets.reading.files import read
from kamp_lib.errors import KampError

SEOUL = "Asia/Seoul"


def times(*cells: str) -> pd.Series | None:
    """The times in a column of these cells."""
    found = parse_times(pa.chunked_array([list(cells)]), SEOUL)
    return None if found is None else found.values


def parsed(
    folder: Path, options: Options = UNSAID, name: str = "a.csv", **columns: object
) -> Parsed:
    """A CSV file of these columns, read and parsed."""
    frame = pd.DataFrame(columns)
    path = folder / name
    frame.to_csv(path, index=False)
    return parse(read(path), options=options)


def codes(result: Parsed) -> list[str]:
    return [f.code for f in result.findings]


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("2020-10-16 오후 4:57:47", "2020-10-16 16:57:47"),
        ("2020-10-16 오후 12:00:00", "2020-10-16 12:00"),
        ("2020-10-16 오전 12:00:00", "2020-10-16 00:00"),
        ("2020-10-16 4:57:47 오후", "2020-10-16 16:57:47"),
        ("2020년 10월 16일 오후 4시 57분 47초", "2020-10-16 16:57:47"),
        ("2020년 10월 16일", "2020-10-16"),
        ("2020년10월16일 16시57분", "2020-10-16 16:57"),
        ("2020년 10월", "2020-10-01"),
        ("2020-10-16(금) 16:57", "2020-10-16 16:57"),
        ("2020. 10. 16. 16:57", "2020-10-16 16:57"),
        ("2020-10-16T16:57:47.123456789", "2020-10-16 16:57:47.123456"),
        ("2020-10-16T16:57:47Z", "2020-10-17 01:57:47"),
        ("2020-10-16T16:57:47.5+09:00", "2020-10-16 16:57:47.5"),
        ("2020-10-16 16:57:47 +0000", "2020-10-17 01:57:47"),
        ("2020-10-16 16:57:47 KST", "2020-10-16 16:57:47"),
        ("2020-10-16T16:57:47-04:00", "2020-10-17 05:57:47"),
        ("20201016165747", "2020-10-16 16:57:47"),
        ("20201016165747123", "2020-10-16 16:57:47.123"),
        ("20201016T165747Z", "2020-10-17 01:57:47"),
        ("20201016_165747", "2020-10-16 16:57:47"),
        ("20201016 16:57:47", "2020-10-16 16:57:47"),
        ("Jan-98", "1998-01-01"),
        ("16-Oct-20", "2020-10-16"),
        ("16 October 2020 16:57", "2020-10-16 16:57"),
        ("Oct 16, 2020 4:57 PM", "2020-10-16 16:57"),
        ("Fri Oct 16 16:57:47 2020", "2020-10-16 16:57:47"),
        ("16/Oct/2020:16:57:47 +0900", "2020-10-16 16:57:47"),
        ("2020-10-16 24:00", "2020-10-17"),
        ("2020-12-31 24:00:00", "2021-01-01"),
        ("2020/3/4 0:05", "2020-03-04 00:05"),
        ("2020-10-16 16.57.47", "2020-10-16 16:57:47"),
        ("２０２０-10-16 16:57", "2020-10-16 16:57"),
        ("16:57:47 2020-10-16", "2020-10-16 16:57:47"),
    ],
)
def test_a_time_is_read_in_every_notation(cell: str, time: str):
    values = times(cell)
    assert values is not None
    assert values.iloc[0] == pd.Timestamp(time)


@pytest.mark.parametrize(
    "cell",
    ["2020-13-45", "12-34-56", "1.2.10", "010-1234-5678", "정지", "Marble-98", "V1.2.3",
     "2020-10-16 25:00", "2021-02-29", "3/4", "99999999"],
)  # fmt: skip
def test_what_only_looks_like_a_time_is_none(cell: str):
    assert times(cell) is None


@given(st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2040-01-01")))
def test_a_time_survives_being_written(moment: pd.Timestamp):
    moment = pd.Timestamp(moment).floor("ms")
    half = "오전" if moment.hour < 12 else "오후"
    written = (
        moment.isoformat(" "),
        f"{moment:%Y/%m/%d} {half} {moment.hour % 12 or 12}{moment:%M:%S.%f}"[
            :-3
        ].replace(
            f"{half} {moment.hour % 12 or 12}", f"{half} {moment.hour % 12 or 12}:"
        ),
        f"{moment:%Y%m%d%H%M%S%f}"[:17],
        f"{moment:%d-%b-%Y %H:%M:%S.%f}",
    )
    for cell in written:
        assert times(cell).iloc[0] == moment


def test_two_notations_may_follow_one_another():
    values = times("2020-10-16 오후 4:57:47", "2020/10/17", "20201018 165747")
    assert values.dt.day.tolist() == [16, 17, 18]


def test_korea_has_no_summer_time():
    cells = ["2021-03-14 02:30:00", "2021-11-07 01:30:00", "2021-03-28 02:30"]
    assert times(*cells).astype(str).tolist()[:2] == cells[:2]


def test_two_digit_years_are_not_far_ahead():
    assert times("16-Oct-69", "16-Oct-99").dt.year.tolist() == [1969, 1999]


# --- day first or month first ---


def test_a_number_above_twelve_decides():
    assert times("4/5/2020 10:00", "13/5/2020 10:00").iloc[0] == pd.Timestamp(
        "2020-05-04 10:00"
    )


def test_rows_that_run_on_in_time_decide_and_it_is_said(tmp_path: Path):
    hours = pd.date_range("2020-05-01", "2020-05-12 23:00", freq="h")
    result = parsed(tmp_path, day=hours.strftime("%d/%m/%Y %H:%M"), x="a")
    assert (result.frame["day"] == hours).all()
    assert codes(result) == ["ambiguous-dates"]


def test_month_first_rows_that_run_on_in_time_decide_too(tmp_path: Path):
    hours = pd.date_range("2020-05-01", "2020-05-12 23:00", freq="h")
    result = parsed(tmp_path, day=hours.strftime("%m/%d/%y %H:%M"), x="a")
    assert (result.frame["day"] == hours).all()


def test_korean_two_digit_years_come_first(tmp_path: Path):
    days = pd.date_range("2020-05-01", "2020-05-12")
    result = parsed(tmp_path, day=days.strftime("%y/%m/%d"), x="a")
    assert (result.frame["day"] == days).all()


def test_without_evidence_dates_are_refused_and_the_option_is_told(tmp_path: Path):
    with pytest.raises(KampError) as refused:
        parsed(tmp_path, day=["05/04/2020 10:00", "05/04/2020 11:00"], x="a")
    assert "--dates dmy" in str(refused.value)
    assert "--dates mdy" in str(refused.value)


def test_daily_or_monthly_cannot_be_told_apart(tmp_path: Path):
    with pytest.raises(KampError):
        parsed(tmp_path, day=["4/5/20", "5/5/20", "6/5/20"], x="a")


@pytest.mark.parametrize(("dates", "month"), [("dmy", 4), ("mdy", 5)])
def test_a_person_decides_doubtful_dates(tmp_path: Path, dates: str, month: int):
    result = parsed(tmp_path, Options(dates=dates), day=["05/04/2020"], x="a")
    assert result.frame["day"].dt.month.tolist() == [month]
    assert codes(result) == []


def test_what_a_person_says_does_not_overrule_clear_dates(tmp_path: Path):
    result = parsed(tmp_path, Options(dates="mdy"), day=["13/04/2020"], x="a")
    assert result.frame["day"].dt.month.tolist() == [4]


def test_the_date_in_the_file_name_decides(tmp_path: Path):
    result = parsed(tmp_path, name="log_20200405.csv", day=["05/04/2020"], x="a")
    assert result.frame["day"].iloc[0] == pd.Timestamp("2020-04-05")
    assert [f.severity for f in result.findings] == ["info"]


def test_another_time_column_decides(tmp_path: Path):
    result = parsed(tmp_path, day=["05/04/2020"], sent=["2020-04-05 10:00:00"], x="a")
    assert result.frame["day"].iloc[0] == pd.Timestamp("2020-04-05")


def test_a_column_of_the_same_style_decides(tmp_path: Path):
    made, due = ["05/04/2020", "06/04/2020"], ["25/04/2020", "26/04/2020"]
    result = parsed(tmp_path, made=made, due=due, x="a")
    assert result.frame["made"].dt.month.tolist() == [4, 4]


def test_no_record_comes_from_the_future():
    now = pd.Timestamp.now()
    past, future = now - pd.Timedelta(days=9), now + pd.Timedelta(days=90)
    readings = {"mdy": pd.Series([past]), "dmy": pd.Series([future])}
    assert by_no_future(readings) == "mdy"


def test_dates_in_two_orders_are_said_and_kept(tmp_path: Path):
    days = pd.date_range("2026-01-01", periods=60)
    cells = [f"{d:%d/%m/%Y}" if d.day % 2 else f"{d:%m/%d/%Y}" for d in days]
    result = parsed(tmp_path, day=cells, x="a")
    assert result.frame["day"].tolist() == cells
    assert codes(result) == ["mixed-dates"]


# --- numbers ---


def test_seventeen_digits_stay_exact(tmp_path: Path):
    result = parsed(tmp_path, at=["20201016165747123", "20201016165747124", ""], x="a")
    assert result.frame["at"].iloc[1] == pd.Timestamp("2020-10-16 16:57:47.124")


@pytest.mark.parametrize("size", [1, 10**3, 10**6, 10**9])
def test_seconds_since_1970_in_every_unit_are_local_time(tmp_path: Path, size: int):
    counted = [(1_602_831_467 + i) * size for i in range(20)]
    result = parsed(tmp_path, timestamp=counted, x="a")
    assert result.frame["timestamp"].iloc[0] == pd.Timestamp("2020-10-16 15:57:47")
    assert codes(result) == ["numeric-time"]


def test_seconds_with_a_fraction_are_times_too(tmp_path: Path):
    result = parsed(tmp_path, time=[1602831467.25, 1602831468.5], x="a")
    assert result.frame["time"].iloc[0] == pd.Timestamp("2020-10-16 15:57:47.25")


@pytest.mark.parametrize("name", ["pulse_count", "cycle_time"])
def test_without_a_name_of_time_numbers_stay_numbers(tmp_path: Path, name: str):
    counted = [1_602_831_467 + i for i in range(20)]
    result = parsed(tmp_path, **{name: counted}, x="a")
    assert result.frame[name].tolist() == counted


def test_numbers_in_no_order_stay_numbers(tmp_path: Path):
    counted = [1_602_831_467 + i * 997 % 20 for i in range(20)]
    assert parsed(tmp_path, time=counted, x="a").frame["time"].tolist() == counted


def test_days_of_a_spreadsheet_are_times(tmp_path: Path):
    result = parsed(tmp_path, 일시=[44120.7067, 44120.7068, 44120.75], x="a")
    assert result.frame["일시"].iloc[2] == pd.Timestamp("2020-10-16 18:00")


def test_eight_digits_need_the_name_of_a_date(tmp_path: Path):
    result = parsed(tmp_path, lot=[20201016, 20201017], 작업일자=[20201016, 20201017])
    assert result.frame["lot"].tolist() == [20201016, 20201017]
    assert result.frame["작업일자"].dt.day.tolist() == [16, 17]


# --- date and clock apart ---


@pytest.mark.parametrize(
    "clock", ["16:57:47", "오후 4:57:47", "오후 4시 57분 47초", "4:57:47 PM", "165747"]
)
def test_date_and_clock_in_two_columns_are_one_time(tmp_path: Path, clock: str):
    result = parsed(tmp_path, 날짜=["2020-10-16"] * 3, 시간=[clock] * 3, x=[1, 2, 3])
    assert result.frame["날짜"].iloc[0] == pd.Timestamp("2020-10-16 16:57:47")
    assert codes(result) == ["joined-time"]


def test_a_clock_that_lost_its_zeros_is_joined(tmp_path: Path):
    result = parsed(tmp_path, 작업일자=[20201016] * 2, 작업시간=[40506, 165747])
    assert result.frame["작업일자"].iloc[0] == pd.Timestamp("2020-10-16 04:05:06")


def test_a_number_beside_a_date_is_no_clock(tmp_path: Path):
    result = parsed(tmp_path, work_date=["2020-10-16"] * 2, press_time=[550, 551])
    assert result.frame["work_date"].iloc[0] == pd.Timestamp("2020-10-16")


def test_a_ratio_beside_a_date_is_no_clock(tmp_path: Path):
    result = parsed(tmp_path, date=["2020-10-16"] * 2, mix=["3:10", "4:10"])
    assert result.frame["date"].iloc[0] == pd.Timestamp("2020-10-16")


def test_24_hours_are_the_next_day(tmp_path: Path):
    result = parsed(tmp_path, date=["2020-10-16"] * 2, time=["23:00", "24:00"], x="a")
    assert result.frame["date"].iloc[1] == pd.Timestamp("2020-10-17")


def test_start_and_end_are_joined_with_their_own_clock(tmp_path: Path):
    result = parsed(
        tmp_path,
        start_date=["2020-10-16"], start_time=["08:00"],
        end_date=["2020-10-17"], end_time=["09:00"],
    )  # fmt: skip
    assert result.frame["start_date"].iloc[0] == pd.Timestamp("2020-10-16 08:00")
    assert result.frame["end_date"].iloc[0] == pd.Timestamp("2020-10-17 09:00")


def test_a_length_of_time_is_not_joined(tmp_path: Path):
    result = parsed(tmp_path, date=["2020-10-16"] * 2, cycle_time=["00:59", "01:00"])
    assert codes(result) == []


def test_a_clock_takes_the_date_of_its_file_and_passes_midnight(tmp_path: Path):
    result = parsed(
        tmp_path, name="press_20201016.csv", 시각=["23:59:59", "00:00:01"], x=[1, 2]
    )
    assert result.frame["시각"].astype(str).tolist() == [
        "2020-10-16 23:59:59",
        "2020-10-17 00:00:01",
    ]


def test_a_clock_without_any_date_is_said_and_kept(tmp_path: Path):
    result = parsed(tmp_path, 시각=["08:00:00", "08:00:01"], x=[1, 2])
    assert result.frame["시각"].tolist() == ["08:00:00", "08:00:01"]
    assert codes(result) == ["time-without-date"]


def test_minutes_that_a_spreadsheet_left_over_are_named(tmp_path: Path):
    result = parsed(tmp_path, time=["57:47.1", "57:48.1"], x=[1, 2])
    assert "spreadsheet" in result.findings[0].message_en


@pytest.mark.parametrize(
    "form", ["%Y/%m/%d %H:%M:%S", "%d-%b-%Y %I:%M:%S %p", "%Y년 %m월 %d일 %H시 %M분"]
)
def test_many_texts_are_read_as_few_are(form: str):
    texts = pd.date_range("2020-01-01", periods=6000, freq="7min").strftime(form)
    many = times(*texts)
    few = pd.concat([times(*texts[i : i + 1000]) for i in range(0, 6000, 1000)])
    assert many.tolist() == few.tolist()
