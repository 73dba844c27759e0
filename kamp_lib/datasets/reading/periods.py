"""Names of columns that are points in time: months, days, weeks, hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["month", "day", "hour", "yearless", "label", "item"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun"]
MONTHS += ["jul", "aug", "sep", "oct", "nov", "dec"]
_REST = "(?:uary|ruary|ch|il|e|y|ust|tember|t|ober|ember)?"
_NAME = rf"(?P<name>{'|'.join(MONTHS)}){_REST}\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_SHAPES: tuple[tuple[Kind, str], ...] = (
    ("day", rf"{_YEAR}[-./]{_MONTH}[-./]{_DAY}(?:[ t]0?0:00(?::00)?)?"),
    ("day", rf"{_YEAR}(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"),
    ("day", rf"{_YEAR}년 ?{_MONTH}월 ?{_DAY}일"),
    ("month", rf"{_YEAR}[-./ ]{_MONTH}"),
    ("month", rf"{_YEAR}(?P<month>0[1-9]|1[0-2])"),
    ("month", rf"(?P<year>(?:19|20)?\d\d)년 ?{_MONTH}월"),
    ("month", rf"{_NAME}[-/' ]+(?P<year>(?:19|20)?\d\d)"),
    ("month", rf"(?P<year>(?:19|20)?\d\d)[-/' ]+{_NAME}"),
    ("hour", r"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::00)?"),
    ("hour", r"(?P<hour>[01]?\d|2[0-4])시(?: ?(?P<minute>[0-5]?\d)분)?"),
    ("yearless", rf"{_MONTH}월(?: ?{_DAY}일)?"),
    ("yearless", rf"{_NAME}"),
    ("label", r"(?:w|week|wk) ?\d{1,2}|\d{1,2} ?주차?"),
    ("label", r"(?:(?:19|20)\d\d ?)?[1-4]분기|(?:(?:19|20)\d\d[- ]?)?q[1-4]"),
    ("label", r"(?:(?:19|20)\d\d[- ]?)w\d\d"),
)
FEWEST = 4  # so many names of one kind make a table wide


@dataclass(frozen=True)
class Period:
    """A column's name as a point in time, written so that it sorts.

    A month without its year is `yearless`; an `item` is no time, but is turned as asked.
    """

    kind: Kind
    text: str


def period_of(name: str) -> Period | None:
    """The point in time that a column's name is.

    >>> period_of("Jan-98").text, period_of("2024년 3월").text, period_of("9시").text
    ('1998-01-01', '2024-03-01', '09:00')
    """
    plain = " ".join(name.split()).casefold()
    for kind, shape in _SHAPES:
        found = re.fullmatch(shape, plain)
        if found:
            return Period(kind, _written(kind, found.groupdict(), name))
    return None


def _written(kind: Kind, parts: dict[str, str | None], name: str) -> str:
    if kind == "label":
        return name
    if kind == "hour":
        return f"{int(parts['hour'] or 0):02}:{int(parts.get('minute') or 0):02}"
    named = parts.get("name")
    month = MONTHS.index(named) + 1 if named else int(parts["month"] or 1)
    day = f"{month:02}-{int(parts.get('day') or 1):02}"
    if kind == "yearless":
        return day
    year = int(parts["year"] or 0)
    if year < 100:  # as Excel reads two digits
        year += 2000 if year < 30 else 1900
    return f"{year}-{day}"


def periods(names: Sequence[str]) -> dict[str, Period]:
    """The columns that are points in time of one kind, in the order they stand.

    Empty when they are few, less than half of the columns, or one twice.
    """
    every = {name: p for name in names if (p := period_of(name)) is not None}
    kinds = [p.kind for p in every.values()]
    if not kinds:
        return {}
    usual = max(set(kinds), key=kinds.count)
    found = {name: p for name, p in every.items() if p.kind == usual}
    texts = {p.text for p in found.values()}
    if len(found) < max(FEWEST, len(names) / 2) or len(texts) < len(found):
        return {}
    return found
