"""What one cell of text says: nothing, a number, a quantity with its unit, a time, a word."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal
from unicodedata import normalize

from kamp_lib.datasets.units import to_ucum

Kind = Literal["", "number", "quantity", "time", "word"]

MISSING = frozenset(
    {
        "none", "nan", "n/a", "na", "null", "nil", "nat", "<na>", "-", "--", "---",
        "inf", "-inf", "#n/a", "#na", "#div/0!", "#value!", "#ref!", "#name?", "#num!",
        "#null!", "없음", "해당없음", "해당 없음", "미측정", "측정불가", "측정 불가",
    }
)  # fmt: skip
# What loggers and people write into a column of numbers when there is none.
NO_VALUE = frozenset(
    {
        "*", "**", "***", "****", "*****", "?", "??", ".", "..", "...", "x", "-", "/", "\\",
        "#", "##", "###", "####", "#####", "bad", "bad input", "bad value", "no data",
        "no value", "nodata", "missing", "error", "err", "err.", "fail", "failed", "fault",
        "timeout", "i/o timeout", "offline", "not connected", "pt created", "comm fail",
        "calc failed", "invalid", "unknown", "ovfl", "over", "overflow", "over range",
        "under range", "ol", "o.l", "unit down", "n.a.", "n.d.", "nd", "tbd", "void", "empty",
        "오류", "에러", "이상", "통신이상", "통신불량", "통신두절", "통신오류", "통신 이상", "통신 오류",
        "센서이상", "센서 이상", "결측", "누락", "미입력", "미기록", "무", "점검", "점검중", "고장",
        "정지", "비가동", "측정안함", "측정 안함", "미실시", "불명", "생략",
    }
)  # fmt: skip
LONGEST = 100  # letters of a number, a time or a quantity
NUMBER = re.compile(
    r"[+-]?(\d{1,3}([,.' ]\d{3})+([.,]\d+)?|\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?"
)
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATE = rf"""(\d{{1,4}}\s*[-/.년]\s*(\d{{1,2}}|{_MONTH})(\s*[-/.월,]\s*\d{{1,4}}\s*[일.]?)?
          |\d{{1,4}}[ ]{_MONTH}[ ]\d{{2,4}}|{_MONTH}[ -]\d{{1,2}}(,?[ ]\d{{4}})?
          |\d{{1,2}}월\s*\d{{1,2}}일)"""
_HALF = r"(오전|오후|[AaPp]\.?[Mm]\.?)"
_CLOCK = r"""(\d{1,2}:\d{2}(:\d{2}([.,:]\d{1,9})?)?
           |\d{1,2}시(\s*\d{1,2}분(\s*\d{1,2}초)?)?)"""
_ZONE = r"(Z|KST|UTC|GMT|[+-]\d{2}:?\d{2})"
# Digits in groups as dates and clocks have them, perhaps with words in between.
TIME = re.compile(
    rf"""({_DATE}(\s*\([월화수목금토일]\))?([T\s]\s*|$))?
    ({_HALF}?\s*{_CLOCK}\s*{_HALF}?\s*{_ZONE}?)?""",
    re.VERBOSE,
)
QUANTITY = re.compile(r"([+-]?(?:\d[\d.,]*|[.,]\d+))\s*([^\d\s.,:/+-].*)")
_BRACKETS = re.compile(r"[(\[{<]\s*([^()\[\]{}<>]{0,16})\s*[)\]}>]")
_CODE = re.compile(r"[A-Za-z]+\d")  # A1, L2: names, though ampere and litre are units
_LENGTH = re.compile(r"([cdkm]?m|in|ft|s)\d")


def kind_of(text: str) -> Kind:
    """What a (trimmed) cell looks like on its own.

    >>> [kind_of(t) for t in ("", "N/A", "1,200.5", "85 %", "10:00", "1호기")]
    ['', '', 'number', 'quantity', 'time', 'word']
    """
    if not text or text.lower() in MISSING:
        return ""
    if len(text) > LONGEST:
        return "word"
    if not text.isascii():
        text = normalize("NFKC", text)
    if NUMBER.fullmatch(text):
        return "number"
    if text[0] not in "+-" and TIME.fullmatch(text):
        return "time"
    parts = QUANTITY.fullmatch(text)
    return "quantity" if parts and is_unit(parts[2]) else "word"


_MONEY = r"₩ ￦ \ $ € ¥ £ 원 엔 달러 천원 백만원 krw usd eur jpy won"
CURRENCY = frozenset(_MONEY.split())


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """Whether a text reads as a unit of measurement, in any of the usual spellings.

    >>> [is_unit(t) for t in ("℃", "kgf/cm²", "mm/s^2", "호기", "A1")]
    [True, True, True, False, False]
    """
    text = text.strip()
    if text.lower() in CURRENCY:
        return True
    if text[:1].isdigit() or (_CODE.fullmatch(text) and not _LENGTH.fullmatch(text)):
        return False
    return (to_ucum(text) or to_ucum(text, like="Cel")) is not None


def unit_in_brackets(name: str) -> str | None:
    """The unit at the end of a column's name, if it has one there.

    >>> unit_in_brackets("금형온도(℃)"), unit_in_brackets("Banking orders (1)")
    ('℃', None)
    """
    found = list(_BRACKETS.finditer(name))
    if not found or found[-1].end() != len(name.rstrip()):
        return None
    unit = found[-1][1].strip()
    return unit if is_unit(unit) else None


def unit_cell(text: str) -> str | None:
    """The unit that a cell of a unit line holds: bare, or anything in brackets.

    >>> unit_cell("(s)"), unit_cell("[bar]"), unit_cell("℃"), unit_cell("정상")
    ('s', 'bar', '℃', None)
    """
    text = text.strip()
    inner = _BRACKETS.fullmatch(text)
    if inner:
        return inner[1].strip() or None
    return text if is_unit(text) else None
