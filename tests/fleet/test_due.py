"""When a schedule is due: in the company's own time, also when its clocks change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kamp_lib.errors import UsageError
from kamp_lib.fleet.due import last_due, minute_of, next_due, rhythm, weekday_of
from kamp_lib.tenancy.types import When

SEOUL, NEW_YORK = "Asia/Seoul", "America/New_York"
NIGHTLY = When("nightly", 150)  # 02:30
MONDAY = When("weekly", 360, 0)  # Monday 06:00


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_nightly_is_a_time_of_the_companys_own_day() -> None:
    now = at("2026-03-02T17:29")  # 02:29 of the next day in Seoul
    assert last_due(NIGHTLY, SEOUL, now) == at("2026-03-01T17:30")
    assert next_due(NIGHTLY, SEOUL, now) == at("2026-03-02T17:30")


def test_the_minute_itself_is_due() -> None:
    now = at("2026-03-02T17:30")
    assert last_due(NIGHTLY, SEOUL, now) == now


def test_weekly_is_a_day_of_the_companys_own_week() -> None:
    now = at("2026-11-29T21:00")  # Monday 06:00 in Seoul
    assert last_due(MONDAY, SEOUL, now) == now
    assert next_due(MONDAY, SEOUL, now) == at("2026-12-06T21:00")


def test_after_a_long_absence_only_the_last_time_counts() -> None:
    assert last_due(MONDAY, SEOUL, at("2027-06-05T00:00")) == at("2027-05-30T21:00")


def test_a_time_that_a_day_does_not_have_comes_an_hour_later() -> None:
    # 8 March 2026: New York goes from 02:00 to 03:00
    assert next_due(NIGHTLY, NEW_YORK, at("2026-03-08T06:00")) == at("2026-03-08T07:30")
    assert next_due(NIGHTLY, NEW_YORK, at("2026-03-08T07:30")) == at("2026-03-09T06:30")


def test_a_time_that_a_day_has_twice_comes_once() -> None:
    # 1 November 2026: New York has 01:30 twice
    twice = When("nightly", 90)
    first = at("2026-11-01T05:30")
    assert last_due(twice, NEW_YORK, at("2026-11-01T06:45")) == first
    assert next_due(twice, NEW_YORK, first) == at("2026-11-02T06:30")


def test_new_data_has_no_time() -> None:
    assert last_due(When("new-data"), SEOUL, at("2026-03-02T00:00")) is None
    assert next_due(When("new-data"), SEOUL, at("2026-03-02T00:00")) is None


@pytest.mark.parametrize("day", ["mon", "Monday", "MON", "월", "월요일", " mon "])
def test_days_are_written_in_both_languages(day: str) -> None:
    assert weekday_of(day) == 0


@pytest.mark.parametrize("day", ["", "m", "monkey", "요일", "8", "월월"])
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(UsageError):
        weekday_of(day)


@pytest.mark.parametrize("clock", ["24:00", "2", "02:60", "", "02:30:00", "two"])
def test_what_is_no_time_is_refused(clock: str) -> None:
    with pytest.raises(UsageError):
        minute_of(clock)


def test_a_rhythm_is_said_in_words() -> None:
    assert rhythm(MONDAY).ko == "매주 월요일 06:00"
    assert rhythm(NIGHTLY).en == "every day at 02:30"
