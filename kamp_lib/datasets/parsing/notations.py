"""Text -> the fields of a date and a clock, in every notation that people write.

Nothing is decided here: which of three numbers is the day stays open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MICROSECOND = 1_000_000  # per second
LOCAL = -9999  # no offset is written: the time is local already
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun",
          "jul", "aug", "sep", "oct", "nov", "dec")  # fmt: skip
MANY = 5000  # texts
ZONES = {"z": 0, "utc": 0, "gmt": 0, "kst": 540}

CLOCK = (
    r"(?P<ap>(?i:[AP]M))?\s?(?P<H>\d{1,2})"
    r"(?:\s?(?P<ap1>(?i:[AP]M))|:(?:(?P<M>\d{1,2})(?::(?P<S>\d{1,2})"
    r"(?:[.,:](?P<f>\d{1,9}))?)?)?)"
    r"\s?(?P<ap2>(?i:[AP]M))?\s?(?P<z>Z|UTC|GMT|KST|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
THEN_CLOCK = rf"(?:\s?[T\s:_,-]\s?{CLOCK})?"
COMPACT_CLOCK = (
    r"(?:[T\s_-]?(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?(?:[.,]?(?P<f>\d{1,9}))?"
    r"(?P<z>Z|[+-]\d{2}:?\d{2})?)?"
)
NAME = r"(?P<b>[A-Za-z]{3,9})\.?"
PATTERNS = (
    # 2020-10-16, 16/10/20, 2020. 5. 4.
    r"(?P<a>\d{1,4})(?P<s>[-/.])\s?(?P<b>\d{1,2})[-/.]\s?(?P<c>\d{1,4})\.?"
    + THEN_CLOCK,
    # 16-Oct-20, 16 October 2020, 16/Oct/2020:16:57:47 +0900
    rf"(?P<a>\d{{1,4}})[-/.\s]\s?{NAME}[-/.,\s]\s?(?P<c>\d{{1,4}}){THEN_CLOCK}",
    # Oct 16, 2020
    rf"{NAME}[-/.\s]\s?(?P<a>\d{{1,2}}),?\s(?P<c>\d{{4}}){THEN_CLOCK}",
    # Oct 16 16:57:47 2020
    rf"{NAME}\s(?P<a>\d{{1,2}})\s{CLOCK}\s(?P<c>\d{{4}})",
    # Jan-98, January 1998
    rf"{NAME}[-/.,\s]\s?'?(?P<c>\d{{4}}|\d{{2}})",
    # 2020-01
    r"(?P<a>\d{4})\s?[-/.]\s?(?P<b>\d{1,2})",
    # 20201016, 20201016T165747Z, 20201016165747123
    r"(?P<a>(?:19|20)\d{2})(?P<b>\d{2})(?P<c>\d{2})" + COMPACT_CLOCK,
    # 20201016 16:57:47
    r"(?P<a>(?:19|20)\d{2})(?P<b>\d{2})(?P<c>\d{2})" + THEN_CLOCK,
    # 16:57:47 16/10/2020
    CLOCK + r"\s(?P<a>\d{1,4})(?P<s>[-/.])(?P<b>\d{1,2})[-/.](?P<c>\d{1,4})",
)


@dataclass
class Fields:
    """One row per text: the numbers of its date and the time of its day.

    `a`, `b`, `c` are the numbers in the order written (0 where none is), `digits_a` and
    `digits_c` how wide the first and last are; `named` is true where the month is a
    word and so `b`. `clock` counts microseconds since midnight; `offset` minutes east
    of UTC, or `LOCAL`. Rows that are no date are false in `known`.
    """

    known: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    digits_a: np.ndarray
    digits_c: np.ndarray
    named: np.ndarray
    clock: np.ndarray
    offset: np.ndarray
    separators: set[str]

    @classmethod
    def empty(cls, length: int) -> Fields:
        whole = ("a", "b", "c", "digits_a", "digits_c", "clock")
        return cls(
            **{name: np.zeros(length, np.int64) for name in whole},
            **{name: np.zeros(length, bool) for name in ("known", "named")},
            offset=np.full(length, LOCAL, np.int64),
            separators=set(),
        )


def read_dates(texts: pa.Array) -> Fields:
    """The fields of every text that is a date, with or without a clock.

    Of many texts the dates and the clocks are read apart: there are few of either.
    """
    return _apart(texts) if len(texts) >= MANY else _together(texts)


def _apart(texts: pa.Array) -> Fields:
    parts = pc.split_pattern(texts, " ", max_splits=1)
    if not pc.all(pc.equal(pc.list_value_length(parts), 2)).as_py():
        return _together(texts)
    dates, clocks = (pc.list_element(parts, i).dictionary_encode() for i in (0, 1))
    day, clock = _together(dates.dictionary), _matched(clocks.dictionary, CLOCK)
    if (
        clock is None
        or len(clock.places) < len(clocks.dictionary)
        or not day.known.all()
    ):
        return _together(texts)  # 16 October 2020, or a few words among the times
    on, at = (part.indices.to_numpy() for part in (dates, clocks))
    ticks = _clock(clock)[at]
    return Fields(
        known=day.known[on] & (ticks >= 0),
        a=day.a[on],
        b=day.b[on],
        c=day.c[on],
        digits_a=day.digits_a[on],
        digits_c=day.digits_c[on],
        named=day.named[on],
        clock=ticks,
        offset=_offset(clock)[at],
        separators=day.separators,
    )


def _together(texts: pa.Array) -> Fields:
    fields = Fields.empty(len(texts))
    for pattern in PATTERNS:
        open_ = np.flatnonzero(~fields.known)
        if not len(open_):
            break
        rest = texts if len(open_) == len(texts) else texts.take(pa.array(open_))
        found = _matched(rest, pattern)
        if found is not None:
            _fill(fields, open_[found.places], found)
    return fields


def read_clocks(texts: pa.Array) -> np.ndarray:
    """Microseconds since midnight of every text that is a clock, else -1."""
    result = np.full(len(texts), -1, np.int64)
    found = _matched(texts, CLOCK)
    if found is not None:
        clock = _clock(found)
        result[found.places[clock >= 0]] = clock[clock >= 0]
    return result


@dataclass
class _Matched:
    """Groups of the texts that a pattern fits, and where those stand."""

    places: np.ndarray
    groups: pa.StructArray

    def text(self, name: str) -> pa.Array | None:
        names = {self.groups.type.field(i).name for i in range(len(self.groups.type))}
        return self.groups.field(name) if name in names else None

    def is_number(self, name: str) -> bool:
        text = self.text(name)
        return bool(pc.all(pc.match_substring_regex(text, r"^\d*$")).as_py())

    def number(self, name: str) -> np.ndarray:
        text = self.text(name)
        if text is None:
            return np.zeros(len(self.places), np.int64)
        if not self.is_number(name):
            return _month_numbers(text)
        filled = pc.if_else(pc.equal(text, ""), "0", text)
        return filled.cast(pa.int64()).to_numpy(zero_copy_only=False)

    def digits(self, name: str) -> np.ndarray:
        text = self.text(name)
        if text is None:
            return np.zeros(len(self.places), np.int64)
        return pc.utf8_length(text).to_numpy(zero_copy_only=False).astype(np.int64)

    def has(self, name: str) -> np.ndarray:
        text = self.text(name)
        if text is None:
            return np.zeros(len(self.places), bool)
        return pc.not_equal(text, "").to_numpy(zero_copy_only=False)


def _matched(texts: pa.Array, pattern: str) -> _Matched | None:
    whole = rf"^{pattern}$"
    fits = pc.fill_null(pc.match_substring_regex(texts, whole), False)
    places = np.flatnonzero(fits.to_numpy(zero_copy_only=False))
    if not len(places):
        return None
    taken = texts if len(places) == len(texts) else texts.take(pa.array(places))
    return _Matched(places, pc.extract_regex(taken, whole))


def _fill(fields: Fields, at: np.ndarray, found: _Matched) -> None:
    month, named = found.number("b"), not found.is_number("b")
    clock = _clock(found)
    first, last = found.digits("a"), found.digits("c")
    fields.a[at], fields.b[at], fields.c[at] = (
        found.number("a"),
        month,
        found.number("c"),
    )
    fields.digits_a[at], fields.digits_c[at] = first, last
    fields.named[at] = named
    fields.clock[at], fields.offset[at] = clock, _offset(found)
    odd = (first != 4) & ((first == 3) | (last == 1) | (last == 3))
    separator = found.text("s")
    if separator is not None:
        dotted = pc.equal(separator, ".").to_numpy(zero_copy_only=False)
        odd |= dotted & (first == 1) & (last == 2)  # 1.2.10 is a version
        fields.separators |= set(pc.unique(separator).to_pylist())
    fields.known[at] = (clock >= 0) & (month > 0) & ~odd


def _month_numbers(names: pa.Array) -> np.ndarray:
    coded = names.dictionary_encode()
    words = [word.lower() for word in coded.dictionary.to_pylist()]
    full = ("january", "february", "march", "april", "may", "june", "july", "august",
            "september", "october", "november", "december", "sept")  # fmt: skip
    known = {**dict(zip(MONTHS, range(1, 13), strict=True)),
             **{word: MONTHS.index(word[:3]) + 1 for word in full}}  # fmt: skip
    numbers = np.array([known.get(word, 0) for word in words], np.int64)
    return numbers[coded.indices.to_numpy(zero_copy_only=False)]


def _clock(found: _Matched) -> np.ndarray:
    """Microseconds since midnight; -1 where there is no such time. 24:00 is a whole day."""
    hour, minute, second = (found.number(n) for n in "HMS")
    half = np.zeros(len(hour), np.int64)
    for name in ("ap", "ap1", "ap2"):
        text = found.text(name)
        if text is not None:
            upper = pc.utf8_upper(text)
            half[pc.equal(upper, "AM").to_numpy(zero_copy_only=False)] = 1
            half[pc.equal(upper, "PM").to_numpy(zero_copy_only=False)] = 2
    hour = np.where((half == 1) & (hour == 12), 0, hour)  # 오전 12시 is midnight
    hour = np.where((half == 2) & (hour < 12), hour + 12, hour)
    part = np.zeros(len(hour), np.int64)
    fraction = found.text("f")
    if fraction is not None:
        micro = pc.utf8_slice_codeunits(pc.utf8_rpad(fraction, 6, "0"), 0, 6)
        part = micro.cast(pa.int64()).to_numpy(zero_copy_only=False)
    total = ((hour * 60 + minute) * 60 + second) * MICROSECOND + part
    wrong = (hour > 24) | (minute > 59) | (second > 59) | (total > 86_400 * MICROSECOND)
    return np.where(wrong, -1, total)


def _offset(found: _Matched) -> np.ndarray:
    text = found.text("z")
    if text is None or not found.has("z").any():
        return np.full(len(found.places), LOCAL, np.int64)
    coded = text.dictionary_encode()
    minutes = [_minutes(word) for word in coded.dictionary.to_pylist()]
    return np.array(minutes, np.int64)[coded.indices.to_numpy(zero_copy_only=False)]


def _minutes(zone: str) -> int:
    if not zone:
        return LOCAL
    if zone.lower() in ZONES:
        return ZONES[zone.lower()]
    digits = zone[1:].replace(":", "").ljust(4, "0")
    size = int(digits[:2]) * 60 + int(digits[2:])
    return -size if zone[0] == "-" else size
