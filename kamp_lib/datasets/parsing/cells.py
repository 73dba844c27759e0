"""What one cell of text says: nothing, a number, a quantity with its unit, a time, a word."""

from __future__ import annotations

import re
from typing import Literal
from unicodedata import normalize

Kind = Literal["", "number", "quantity", "time", "word"]

MISSING = frozenset(
    {
        "none", "nan", "n/a", "na", "null", "nil", "nat", "<na>", "-", "--", "---",
        "inf", "-inf", "#n/a", "#na", "#div/0!", "#value!", "#ref!", "#name?", "#num!",
        "#null!", "없음", "해당없음", "해당 없음", "미측정", "측정불가", "측정 불가",
    }
)  # fmt: skip
NUMBER = re.compile(r"[+-]?(\d+([.,' ]\d+)*[.,]?|[.,]\d+)([eE][+-]?\d+)?")
# Digits in groups as dates and clocks have them, perhaps with words in between.
TIME = re.compile(
    r"\d{1,4}\s*[-/.년]\s*\d{1,2}\s*([-/.월]\s*\d{1,4}\s*[일.]?)?.*|\d{1,2}:\d{2}(:\d{2})?.*"
    r"|(오전|오후)\s*\d{1,2}:\d{2}.*"
)
QUANTITY = re.compile(r"([+-]?[\d.,]*\d[.,]?)\s*([^\d\s.,+-].*)")
_BRACKETS = re.compile(r"[(\[{<]\s*([^()\[\]{}<>]{0,16})\s*[)\]}>]")
_UNITS = """
% ° °c °f c f k ℃ degc degf deg rad 도 s sec secs second seconds ms msec us μs ns
min mins minute minutes h hr hrs hour hours day days 초 분 시간 일 mm cm m km um μm
micron nm inch in ft mil 미터 밀리 g kg mg t ton tons lb lbs oz 톤 그램 n kn mn nm
n·m n-m knm kgf tf gf lbf kgfcm kgf·cm kgf·m pa hpa kpa mpa gpa bar mbar psi torr
mmhg atm v mv kv a ma ka w kw mw kwh mwh wh va kva var kvar kvarh j kj mj cal kcal
hz khz mhz ghz rpm spm r rev l ml cc lpm cmm cfm ppm ppb pcs pc ea ph db dba lx lux
ω ohm kω mω f μf h gauss st cp cst pas tco2 kcal/h 회 개 매 장 원 pct 퍼센트
"""
_UNIT_PARTS = frozenset(_UNITS.split())
_UNIT_JOINTS = re.compile(r"[/·*⋅∕]|\bper\b")
_POWER = re.compile(r"([cdkm]?m|in|ft|s|sec)\^?-?[123]")


def kind_of(text: str) -> Kind:
    """What a (trimmed) cell looks like on its own.

    >>> [kind_of(t) for t in ("", "N/A", "1,200.5", "85 %", "10:00", "1호기")]
    ['', '', 'number', 'quantity', 'time', 'word']
    """
    if not text or text.lower() in MISSING:
        return ""
    if not text.isascii():
        text = normalize("NFKC", text)
    if NUMBER.fullmatch(text):
        return "number"
    if TIME.fullmatch(text):
        return "time"
    parts = QUANTITY.fullmatch(text)
    return "quantity" if parts and is_unit(parts[2]) else "word"


def is_unit(text: str) -> bool:
    """Whether a text reads as a unit of measurement, in any of the usual spellings.

    >>> [is_unit(t) for t in ("℃", "kgf/cm²", "mm/s^2", "호기", "온도")]
    [True, True, True, False, False]
    """
    text = normalize("NFKC", text).strip().lower()
    parts = [part.strip() for part in _UNIT_JOINTS.split(text)]
    return bool(text) and all(
        part in _UNIT_PARTS or _POWER.fullmatch(part) is not None for part in parts
    )


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
