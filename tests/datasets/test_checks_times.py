from __future__ import annotations

import pandas as pd
import pytest
from datasets.small_machine import found, shots

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import checks, ingest


def test_days_for_records_of_a_minute_are_coarse_and_repeated():
    frame = shots().assign(ts=lambda f: f["ts"].dt.normalize())
    frame.loc[200:, "ts"] += pd.Timedelta(days=1)
    coarse = found(frame, "coarse-timestamps")
    assert "day" in coarse[0].message_en
    assert found(frame, "duplicate-timestamps")[0].count == len(frame) - 2


def test_two_machines_may_write_at_the_same_instant():
    frame = pd.concat([shots(), shots().assign(machine_id="M2")])
    assert found(frame, "duplicate-timestamps") == []


def test_a_clock_that_runs_back_is_found():
    frame = shots()
    frame["ts"] = frame["ts"].to_numpy()[::-1].reshape(20, 20)[::-1].ravel()
    unordered = found(frame, "unordered-timestamps")
    assert unordered[0].severity == "warning"


def test_newest_first_is_only_a_note():
    frame = shots().iloc[::-1]
    assert [f.severity for f in found(frame, "unordered-timestamps")] == ["info"]


def test_files_in_any_order_are_in_order():
    late = shots().assign(_file="1.csv", ts=lambda f: f["ts"] + pd.Timedelta(days=3))
    frame = pd.concat([late, shots().assign(_file="2.csv")])
    assert found(frame, "unordered-timestamps") == []


def test_a_counter_that_starts_over_is_counted():
    frame = shots()
    frame["shot_no"] = [*range(1, 151), *range(1, 101), *range(1, 151)]
    assert found(frame, "restarting-id")[0].count == 2


def test_a_counter_may_start_over_in_every_file():
    frame = pd.concat([shots(100).assign(_file=f"{i}.csv") for i in range(3)])
    assert found(frame, "restarting-id") == []


def test_days_of_several_products_are_not_coarse():
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2026-01-01", periods=100).repeat(4),
            "product": pd.array(["a", "b", "c", "d"] * 100, "string"),
            "made": range(400),
        }
    )
    codes = {f.code for f in checks.check(frame, equipment_type("generic"), "record")}
    assert not codes & {"coarse-timestamps", "duplicate-timestamps"}


# --- where and how the order is lost ---


def test_rows_of_a_restarted_logger_are_told_from_shuffled_ones():
    frame = shots()
    frame["ts"] = pd.concat([frame["ts"][:200], frame["ts"][:200]]).to_numpy()
    said = found(frame, "unordered-timestamps")[0]
    assert "restarted" in said.message_en
    assert said.examples == ["2026-01-05 08:00:00 (a.csv:202)"]


def test_records_that_arrived_late_are_told_from_shuffled_ones():
    order = [*range(400)]
    for late in range(1, 400, 8):
        order[late], order[late - 1] = order[late - 1], order[late]
    said = found(shots().iloc[order], "unordered-timestamps")[0]
    assert "late" in said.message_en


def test_shuffled_rows_are_called_shuffled():
    said = found(shots().sample(frac=1, random_state=0), "unordered-timestamps")[0]
    assert "shuffled" in said.message_en


# --- ends of days, impossible dates ---


def meter(days: int = 30, minutes: int = 15) -> pd.DataFrame:
    """A meter that reads every quarter of an hour, day and night."""
    step = pd.Timedelta(minutes=minutes)
    times = pd.date_range(
        pd.Timestamp("2018-01-01") + step, periods=days * 1440 // minutes, freq=step
    )
    frame = shots(len(times))
    return frame.assign(ts=times)


def test_a_midnight_under_the_date_of_the_day_it_ends_is_found():
    frame = meter()
    midnight = frame["ts"] == frame["ts"].dt.normalize()
    frame["ts"] = frame["ts"].where(~midnight, frame["ts"] - pd.Timedelta(days=1))
    assert found(frame, "day-end-midnight")[0].count == 30
    assert found(frame, "unordered-timestamps") == []
    assert found(frame, "time-gaps") == []


@pytest.mark.parametrize(
    "slip", ["1970-01-01 09:00", "2000-01-01", "2068-11-23", "1899-12-30"]
)
def test_an_impossible_date_is_found_and_is_no_step_back(slip: str):
    frame = shots()
    frame.loc[200, "ts"] = pd.Timestamp(slip)
    said = found(frame, "implausible-dates")[0]
    assert (said.count, said.severity) == (1, "warning")
    assert found(frame, "unordered-timestamps") == []


def test_a_record_of_tomorrow_is_impossible():
    frame = shots()
    frame["ts"] += pd.Timestamp.now() + pd.Timedelta(days=3) - frame["ts"].min()
    assert found(frame, "implausible-dates")[0].count == len(frame)


# --- gaps ---


def test_missing_records_of_a_logger_are_counted():
    frame = meter().drop(index=range(1000, 1040)).reset_index(drop=True)
    said = found(frame, "time-gaps")[0]
    assert said.severity == "warning"
    assert "about 40 record(s)" in said.message_en
    assert "every 15 min (100%" in said.message_en


def test_a_few_missing_records_are_a_note():
    frame = meter().drop(index=range(1000, 1004))
    assert [f.severity for f in found(frame, "time-gaps")] == ["info"]


def test_nights_and_weekends_are_the_plant_at_rest():
    frame = meter(days=28)
    working = frame["ts"].dt.hour.between(8, 18) & (frame["ts"].dt.day_of_week < 5)
    said = found(frame[working], "time-gaps")
    assert [f.severity for f in said] == ["info"]
    assert "nights, weekends or breaks" in said[0].message_en


def test_a_lost_night_of_a_plant_that_works_at_night_is_missing():
    frame = meter(days=28)
    lost = frame["ts"].between("2018-01-10 22:00", "2018-01-11 05:00")
    assert "missing" in found(frame[~lost], "time-gaps")[0].message_en


def test_a_break_at_the_same_time_every_day_is_no_gap():
    frame = meter(days=5, minutes=1)
    lunch = frame["ts"].dt.hour == 12
    assert [f.severity for f in found(frame[~lunch], "time-gaps")] == ["info"]


def test_a_record_a_day_rests_at_weekends_and_misses_other_days():
    days = pd.Series(pd.date_range("2020-01-01", periods=200))
    working = days[days.dt.day_of_week < 5].reset_index(drop=True)
    frame = shots(len(working)).assign(ts=working)
    assert "weekends" in found(frame, "time-gaps")[0].message_en
    lost = frame.drop(index=range(50, 53))
    assert "missing at 1 place(s)" in found(lost, "time-gaps")[0].message_en


def test_the_stop_of_a_machine_that_makes_parts_is_a_pause():
    frame = shots()
    cycle = pd.Series(range(400)) * 37 % 6 + 57
    cycle[200] = 3 * 3600
    frame["ts"] = frame["ts"].iloc[0] + pd.to_timedelta(cycle.cumsum(), unit="s")
    said = found(frame, "time-gaps")
    assert [f.severity for f in said] == ["info"]
    assert "pauses at 1 place(s), for 3 h" in said[0].message_en


def test_parts_that_come_when_they_come_miss_nothing():
    frame = shots()
    wait = pd.Series(range(400)) * 37 % 50 + 20
    frame["ts"] = frame["ts"].iloc[0] + pd.to_timedelta(wait.cumsum(), unit="s")
    assert found(frame, "time-gaps") == []


# --- clocks ---


def files(*starts: str, rows: int = 300) -> pd.DataFrame:
    parts = [
        shots(rows).assign(
            ts=pd.date_range(start, periods=rows, freq="s"), _file=f"{i}.csv"
        )
        for i, start in enumerate(starts)
    ]
    return pd.concat(parts, ignore_index=True)


def test_files_that_follow_one_another_but_overlap_have_different_clocks():
    frame = files(
        "2026-01-05 08:00",
        "2026-01-05 08:04:30.5",
        "2026-01-05 08:10",
        "2026-01-05 09:00",
    )
    assert found(frame, "clock-drift")[0].examples == ["0.csv → 1.csv"]


def test_a_stretch_in_two_files_is_no_matter_of_clocks():
    frame = files("2026-01-05 08:00", "2026-01-05 08:04:30", "2026-01-05 08:10")
    assert found(frame, "overlapping-files")[0].examples == ["0.csv → 1.csv"]
    assert found(frame, "clock-drift") == []


def test_a_file_in_utc_overlaps_by_nine_hours():
    starts = [
        "2026-01-05 00:00",
        "2026-01-06 00:00",
        "2026-01-06 15:00:07",
        "2026-01-08",
    ]
    days = [
        shots(1440).assign(
            ts=pd.date_range(start, periods=1440, freq="min"), _file=start
        )
        for start in starts
    ]
    frame = pd.concat(days, ignore_index=True)
    assert "UTC" in found(frame, "clock-drift")[0].message_en


def test_files_one_after_the_other_agree():
    frame = files("2026-01-05 08:00", "2026-01-05 08:05", "2026-01-05 08:10")
    assert found(frame, "clock-drift") == []


def test_files_of_machines_side_by_side_agree():
    frame = files("2026-01-05 08:00", "2026-01-05 08:01", "2026-01-05 08:02")
    assert found(frame, "clock-drift") == []


def test_a_second_clock_that_runs_slow_is_found():
    frame = shots()
    slow = pd.to_timedelta(pd.Series(range(400)) * 0.5, unit="s")
    frame["server_time"] = frame["ts"] + slow
    said = found(frame, "clock-drift")[0]
    assert {"ts", "server_time"} <= set(said.columns)


def test_nine_hours_between_two_columns_are_a_time_zone():
    frame = shots()
    frame["utc_time"] = frame["ts"] - pd.Timedelta(hours=9)
    assert "UTC" in found(frame, "clock-drift")[0].message_en


def test_start_and_end_of_jobs_do_not_drift():
    frame = shots()
    frame["finished"] = frame["ts"] + pd.to_timedelta(frame["cycle_time"], unit="s")
    assert found(frame, "clock-drift") == []


def logger(start: str, end: str, zone: str) -> pd.DataFrame:
    """A logger on a PC whose clock follows a zone with summer time."""
    true = pd.date_range(start, end, freq="min", tz="Asia/Seoul")
    wall = true.tz_convert(zone).tz_localize(None)
    return shots(len(wall)).assign(ts=wall)


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("2021-03-14 10:00", "2021-03-14 22:00", "America/New_York"),
        ("2021-11-07 10:00", "2021-11-07 22:00", "America/New_York"),
        ("2021-03-28 04:00", "2021-03-28 14:00", "Europe/Berlin"),
        ("2021-10-31 04:00", "2021-10-31 14:00", "Europe/Berlin"),
    ],
)
def test_summer_time_of_another_country_is_found(start: str, end: str, zone: str):
    assert found(logger(start, end, zone), "summer-time")[0].count == 1


def test_the_clock_of_seoul_never_changes():
    frame = logger("2021-03-13", "2021-03-15", "Asia/Seoul")
    assert found(frame, "summer-time") == []


def test_an_hour_lost_on_another_day_is_a_gap_only():
    frame = logger("2021-03-16", "2021-03-18", "Asia/Seoul")
    lost = frame["ts"].between("2021-03-17 02:00", "2021-03-17 02:59")
    assert found(frame[~lost], "summer-time") == []


# --- which rows belong to one source ---


def generic(frame: pd.DataFrame) -> set[str]:
    return {f.code for f in checks.check(frame, equipment_type("generic"), "record")}


def test_words_that_change_along_one_record_do_not_split_it():
    frame = pd.DataFrame(
        {"time": pd.date_range("2026-01-05", periods=900, freq="15min")}
    )
    frame["weekday"] = frame["time"].dt.day_name().astype("string")
    frame["load"] = pd.array(["light", "light", "heavy"] * 300, "string")
    assert not generic(frame) & {"time-gaps", "unordered-timestamps"}


def test_months_of_many_parts_are_one_row_a_part_and_month():
    months = pd.date_range("2020-01-01", periods=24, freq="MS")
    frame = pd.DataFrame(
        {
            "part": [1000 + part for part in range(200) for _ in months],
            "month": [*months] * 200,
            "sold": range(24 * 200),
        }
    )
    assert not generic(frame) & {
        "coarse-timestamps",
        "duplicate-timestamps",
        "unordered-timestamps",
        "day-end-midnight",
    }


def test_a_counter_that_starts_over_every_day_names_no_parts():
    days = pd.date_range("2020-05-04", periods=12)
    frame = shots(1200).assign(ts=days.repeat(100))
    frame["shot_no"] = [*range(1, 101)] * 12
    assert found(frame, "duplicate-timestamps")[0].count == 1200 - 12
    assert found(frame, "coarse-timestamps")[0].count == 1200


def test_rejected_rows_are_no_gap(tmp_path, tenant):
    rows = [f"2026-03-02 08:{i:02}:00,{i % 7}" for i in range(60)]
    rows[20] = "점검,3"
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time,x", *rows]), "utf-8")
    found = ingest(tenant, "generic", path).findings
    assert {f.code for f in found} == {"not-a-time"}
