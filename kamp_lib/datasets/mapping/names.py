"""How alike two column names are, whatever the spelling, unit or language."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

# A bracket at the end of a name holds its unit: "사출시간(s)", "Temp [degC]".
_UNIT = re.compile(r"[(\[{<]\s*([^()\[\]{}<>]{0,16})\s*[)\]}>]\s*$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
# Korean particles that cling to the first of two nouns: "사출의 시간", "온도는".
_PARTICLES = re.compile(r"(?<=[가-힣]{2})(?:의|은|는|을|를)(?=\s|_|$)")
SHORT = {
    "temp": "temperature",
    "press": "pressure",
    "pres": "pressure",
    "spd": "speed",
    "pos": "position",
    "vel": "velocity",
    "avg": "average",
    "mean": "average",
    "maximum": "max",
    "minimum": "min",
    "no": "number",
    "num": "number",
    "nr": "number",
    "cnt": "count",
    "qty": "quantity",
    "mold": "mould",
    "plasticising": "plasticizing",
    "plasticization": "plasticizing",
    "inj": "injection",
    "cyl": "cylinder",
    "sec": "s",
    "set": "setpoint",
    "act": "actual",
    "cd": "code",
}
# Words that change which quantity is meant: names may not differ in one of these.
QUALIFIERS = frozenset(
    {
        "max",
        "min",
        "average",
        "setpoint",
        "actual",
        "open",
        "close",
        "first",
        "last",
        "start",
        "end",
        "upper",
        "lower",
        "left",
        "right",
        "id",
        "code",
        "name",
        "time",
        "date",
        "reason",
        "최대",
        "최소",
        "평균",
        "설정",
        "실측",
        "시작",
        "종료",
    }
)


@dataclass(frozen=True)
class Name:
    """A column name taken apart: its words, joined form and unit."""

    words: tuple[str, ...]
    joined: str
    unit: str | None

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(str(int(w)) for w in self.words if w.isdecimal())

    @property
    def letters(self) -> frozenset[str]:
        """Single letters: axes and channels such as X, Y, Z."""
        return frozenset(w for w in self.words if len(w) == 1 and w.isalpha())


@lru_cache(maxsize=8192)
def take_apart(name: str) -> Name:
    """Words of a name without case, separators, particles and unit.

    Examples
    --------
    >>> take_apart("Max_InjectionPress(MPa)").words
    ('max', 'injection', 'pressure')
    >>> take_apart("사출 시간 (s)").joined
    '사출시간'
    """
    text = unicodedata.normalize("NFKC", str(name)).strip()
    unit = _UNIT.search(text)
    if unit and unit.start() > 0:
        text = text[: unit.start()]
    text = _PARTICLES.sub("", _CAMEL.sub(" ", text)).lower()
    text = _LETTER_DIGIT.sub(" ", text)
    words = tuple(SHORT.get(w, w) for w in re.split(r"[\W_]+", text) if w)
    return Name(words, "".join(words), unit.group(1).lower() if unit else None)


@lru_cache(maxsize=65536)
def likeness(one: str, other: str) -> float:
    """From 0 (unrelated) to 1 (the same name differently written).

    Numbers, single letters and words such as max or average have to agree:
    `barrel_temperature_1` is not a misspelt `barrel_temperature_2`.
    """
    a, b = take_apart(one), take_apart(other)
    if not a.joined or not b.joined:
        return 0.0
    if a.joined == b.joined:
        return 1.0
    if a.numbers != b.numbers or a.letters != b.letters:
        return 0.0
    words_a, words_b = set(a.words), set(b.words)
    if words_a == words_b:
        return 0.95
    if QUALIFIERS & (words_a ^ words_b):
        return 0.0
    shared = len(words_a & words_b) / len(words_a | words_b)
    spelling = SequenceMatcher(None, a.joined, b.joined, autojunk=False)
    if spelling.real_quick_ratio() < 0.8 and shared < 0.6:
        return 0.0
    # short names differ in one letter by accident; only longer ones are misspelt
    alike = spelling.ratio() if min(len(a.joined), len(b.joined)) >= 6 else 0.0
    best = max(shared if shared >= 0.6 else 0.0, alike if alike >= 0.85 else 0.0)
    return 0.9 * best
