"""When a schedule is due, in its company's own time zone.

Clocks that are put forward or back are the calendar's business: a time that a day does
not have comes an hour later, one that it has twice comes once.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, WEEKLY, rrule  # type: ignore[import-untyped]

from kamp_lib.errors import UsageError
from kamp_lib.tenancy.types import When
from kamp_lib.text import Text

DAYS = {
    "mon": Text("월요일", "Monday"),
    "tue": Text("화요일", "Tuesday"),
    "wed": Text("수요일", "Wednesday"),
    "thu": Text("목요일", "Thursday"),
    "fri": Text("금요일", "Friday"),
    "sat": Text("토요일", "Saturday"),
    "sun": Text("일요일", "Sunday"),
}
KOREAN_DAYS = "월화수목금토일"
# A week and a day hold every rhythm once, whatever the clocks do.
AROUND = timedelta(days=8)
DEFAULT_TIME = "02:00"


def last_due(when: When, zone: str, now: datetime) -> datetime | None:
    """The last time up to `now`; None for what comes with new data."""
    return max((t for t in _times(when, zone, now) if t <= now), default=None)


def next_due(when: When, zone: str, now: datetime) -> datetime | None:
    """The first time after `now`; None for what comes with new data."""
    return min((t for t in _times(when, zone, now) if t > now), default=None)


def _times(when: When, zone: str, now: datetime) -> list[datetime]:
    """The times around `now`, in UTC."""
    if when.minute is None:
        return []
    place = ZoneInfo(zone)
    local = now.astimezone(place).replace(tzinfo=None)
    rule = rrule(
        DAILY if when.weekday is None else WEEKLY,
        byweekday=when.weekday,
        byhour=when.minute // 60,
        byminute=when.minute % 60,
        bysecond=0,
        dtstart=datetime.combine((local - AROUND).date(), time.min),
        until=local + AROUND,
    )
    return [t.replace(tzinfo=place).astimezone(UTC) for t in rule]


def minute_of(clock: str) -> int:
    """`"02:30"` -> 150.

    Raises
    ------
    UsageError
        When it is no time of a day.
    """
    try:
        read = datetime.strptime(clock, "%H:%M")
    except ValueError:
        raise UsageError(
            f"'{clock}'은(는) 시각이 아닙니다. 02:30 처럼 적으세요.",
            f"{clock!r} is no time of a day; write it like 02:30.",
        ) from None
    return read.hour * 60 + read.minute


def weekday_of(day: str) -> int:
    """`"mon"`, `"Monday"`, `"월"` or `"월요일"` -> 0.

    Raises
    ------
    UsageError
        When it is no day.
    """
    plain = day.strip().lower()
    short = list(DAYS)
    if plain[:3] in short and DAYS[plain[:3]].en.lower().startswith(plain):
        return short.index(plain[:3])
    if plain.removesuffix("요일") in tuple(KOREAN_DAYS):
        return KOREAN_DAYS.index(plain.removesuffix("요일"))
    raise UsageError(
        f"'{day}'은(는) 요일이 아닙니다. mon … sun 또는 월 … 일로 적으세요.",
        f"{day!r} is no day; write mon … sun.",
    )


def rhythm(when: When) -> Text:
    """`When` in words."""
    if when.minute is None:
        return Text("새 데이터가 들어오면", "when new data comes in")
    clock = f"{when.minute // 60:02d}:{when.minute % 60:02d}"
    if when.weekday is None:
        return Text(f"매일 {clock}", f"every day at {clock}")
    day = list(DAYS.values())[when.weekday]
    return Text(f"매주 {day.ko} {clock}", f"every {day.en} at {clock}")
