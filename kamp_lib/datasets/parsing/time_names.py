"""Whether a column's name speaks of a point in time, and of which."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

TIME_WORDS = frozenset(
    {"time", "timestamp", "datetime", "date", "ts", "dt", "tm", "dttm", "epoch", "unix",
     "utc", "day", "ymd", "hms", "stamp", "clock", "at"}
)  # fmt: skip
CLOCK_WORDS = frozenset({"time", "tm", "hms", "clock"})
ENDINGS = ("년월일", "일시", "일자", "날짜", "시각", "시간", "timestamp", "datetime", "time",
           "date", "일")  # fmt: skip
LASTING = re.compile(
    "cycle|duration|elapsed|lead|run|delay|interval|dwell"
    "|사이클|소요|가동|경과|지속|정지|주기|대기"
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small letters.

    >>> words_of("StartTime_2")
    ('start', 'time', '2')
    """
    text = CAMEL.sub(" ", normalize("NFKC", str(name))).lower()
    return tuple(word for word in re.split(r"[\W_]+", text) if word)


def names_a_time(name: str) -> bool:
    """Whether a name means a point in time, not a length of time.

    >>> names_a_time("작업일시"), names_a_time("cycle_time")
    (True, False)
    """
    words = words_of(name)
    if any(LASTING.search(word) for word in words):
        return False
    return bool(TIME_WORDS & set(words)) or "".join(words).endswith(ENDINGS)


def names_a_day(name: str) -> bool:
    """Whether a name means a date.

    >>> names_a_day("PLAN_DATE"), names_a_day("작업시간")
    (True, False)
    """
    ends = "".join(words_of(name)).endswith(
        ("date", "day", "ymd", "dt", "일자", "날짜", "일")
    )
    return names_a_time(name) and ends


def names_a_clock(name: str) -> bool:
    """Whether a name means the time of day: 작업시간, start_time."""
    words = words_of(name)
    ends = "".join(words).endswith(("time", "시각", "시간"))
    return names_a_time(name) and (bool(CLOCK_WORDS & set(words)) or ends)


def subject(name: str) -> frozenset[str]:
    """What a name says beside that it is a time.

    >>> subject("start_date") == subject("StartTime"), subject("작업일자")
    (True, frozenset({'작업'}))
    """
    kept = set()
    for word in words_of(name):
        ending = next((end for end in ENDINGS if word.endswith(end)), "")
        kept.add(word.removesuffix(ending))
    return frozenset(kept - TIME_WORDS - {""})
