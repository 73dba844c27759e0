"""How alike two column names are, whatever the spelling, unit or language.

A name is cut into the words of the catalogue's vocabulary: `사출압력(MPa)`, `Inj. Press`
and `ActPrsInj` are all *injection pressure*.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, cached_property, lru_cache

from kamp_lib.catalog import units, vocabulary
from kamp_lib.datasets.units import looks_like_unit, to_ucum

_BRACKET = re.compile(r"[(\[{<]\s*([^()\[\]{}<>]{0,24}?)\s*[)\]}>]")
# The first injection unit's index: ActTimFill[1], ActTmpBrlZn[1,3] is zone 3 of it.
_INDEX = re.compile(r"\[1(?:,(\d+))?\]")
# Ordinals: 사출압력 1차, 2단, 3존. Alone, 차 is a difference.
_ORDINAL = re.compile(r"(\d)\s*(?:차|단계?|존|구간|번)(?![가-힣])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SCRIPT = re.compile(r"(?<=[가-힣])(?=[A-Za-z])|(?<=[A-Za-z])(?=[가-힣])")
_LETTER_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
# Korean particles that cling to the first of two nouns: "사출의 시간", "온도는".
_PARTICLES = re.compile(r"(?<=[가-힣]{2})(?:의|은|는|을|를)(?=\s|_|$)")
# In brackets these letters are sides, axes or phases rather than litres and days.
_SIDES = frozenset("LlRrXxYyZzdTtJ1-")
# One step of a tag's path, with something after it.
_STEP = re.compile(r"[^_./:;|\\]+[_./:;|\\]+(?=\w)")
FEWEST_SHARING, SHARE_SHARING = 4, 0.6  # of the names, for a path to be common
_DURATION = re.compile(r"time|tim\b|시간|타임|주기|사이클|싸이클|cycle|duration", re.I)
SHORTEST_CUT = 6  # letters of an English word that may be two: injpress
SHORTEST_PIECE = 3
SHORTEST_SURE = 2  # two letters (H1, CT, AE) mean something else elsewhere
SHORT = 0.8
SHORTEST_MISSPELT = 6  # shorter names differ in one letter by accident
# These words name the quantity as well as its unit and stay in the name.
SPEAKING = frozenset({"rpm", "spm"})


@dataclass(frozen=True)
class Name:
    """A column name taken apart: its words, joined form and unit."""

    words: tuple[str, ...]
    joined: str
    plain: str  # its letters and digits as they are written
    unit: str | None  # as it is written in the name

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        return tuple(w for w in self.words if w.isdecimal())

    @cached_property
    def letters(self) -> frozenset[str]:
        """Single letters: axes and channels such as X, Y, Z."""
        return frozenset(w for w in self.words if len(w) == 1 and w.isalpha())

    @cached_property
    def meaning(self) -> frozenset[str]:
        """The words that tell columns apart; a value is an actual one unless said."""
        return frozenset(self.words) - {"actual"}

    @cached_property
    def meaning_by_unit(self) -> frozenset[str]:
        """With the quantity that only the unit tells: 계량(s) is a time."""
        code = to_ucum(self.unit) if self.unit else None
        if code not in units() or self.meaning & quantity_words().keys():
            return self.meaning
        kind = units()[code].of
        told = (w for w, of in quantity_words().items() if of == kind)
        return self.meaning | {next(told, "")} - {""}


@lru_cache(maxsize=65536)
def take_apart(name: str) -> Name:
    """Words of a name without case, separators, particles and unit.

    Examples
    --------
    >>> take_apart("Max_InjectionPress(MPa)").words
    ('max', 'injection', 'pressure')
    >>> take_apart("사출 시간 (s)").joined
    'injectiontime'
    """
    text, unit = _without_unit(unicodedata.normalize("NFKC", str(name)).strip())
    text = _ORDINAL.sub(r"\1 ", _INDEX.sub(r" \1", text))
    text = _PARTICLES.sub("", _SCRIPT.sub(" ", _CAMEL.sub(" ", text))).lower()
    found = [w for w in re.split(r"[\W_]+", _LETTER_DIGIT.sub(" ", text)) if w]
    found = [
        w.lstrip("0") or "0" if w.isdecimal() else w for w in found
    ]  # zone 04 is zone 4
    words = [meant for word in found for meant in _meanings(word)]
    kept = tuple(words) or tuple(found)
    return Name(kept, "".join(kept), "".join(found), unit)


def common_path(names: Sequence[str]) -> str:
    """What most names begin with and no vocabulary knows: `E77_`, `Root.IMM01.`, `PLC1/`.

    Examples
    --------
    >>> common_path(["IMM1.CycleTime", "IMM1.Cushion", "IMM1.Shot", "IMM1.Mould", "ts"])
    'IMM1.'
    """
    path = ""
    while True:
        rests = [name[len(path) :] for name in names if name.startswith(path)]
        steps = Counter(m[0] for m in map(_STEP.match, rests) if m)
        step, count = steps.most_common(1)[0] if steps else ("", 0)
        if count < max(FEWEST_SHARING, SHARE_SHARING * len(names)):
            return path
        if set(take_apart(step).words) & _meant():
            return path
        path += step


def _without_unit(text: str) -> tuple[str, str | None]:
    """The name without its unit, and the unit: 압력[MPa], 온도_℃, Usage_kWh."""
    for bracket in _BRACKET.finditer(text):
        inside = bracket.group(1)
        rest = f"{text[: bracket.start()]} {text[bracket.end() :]}".strip()
        if inside == "min" and not _DURATION.search(rest):
            continue  # the minimum
        if rest and inside not in _SIDES and looks_like_unit(inside):
            return rest, inside
    ending = _endings().search(text)
    if ending and ending.start() > 0:
        unit = ending.group(1)
        speaking = unit.lower() in SPEAKING
        return (text if speaking else text[: ending.start()]), unit
    return text, None


@cache
def _endings() -> re.Pattern[str]:
    """Units that end a name without a bracket; a sign needs no separator before it."""
    written = {text for unit in units().values() for text in unit.in_names}
    longest = sorted(written, key=len, reverse=True)
    words = "|".join(re.escape(w) for w in longest)
    signs = "|".join(re.escape(w) for w in longest if not w[0].isalnum())
    both = rf"(?:[\s_.,\-/:]+(?:in\s+)?(?={words})|(?={signs}))({words})$"
    return re.compile(both, re.I)


@lru_cache(maxsize=8192)
def _meanings(word: str) -> tuple[str, ...]:
    """What a word stands for; one that is no single word may be several run together."""
    known = vocabulary()
    pieces = [word] if word in known else _cut(word)
    return tuple(
        meant
        for piece in pieces or [word]
        for meant in (known[piece].means.split() if piece in known else [piece])
        if not (piece in known and known[piece].filler)
    )


def _cut(word: str) -> list[str] | None:
    """A word as the fewest words of the vocabulary that make it up, if they do."""
    hangul = "가" <= word[0] <= "힣"
    if not hangul and len(word) < SHORTEST_CUT:
        return None
    least = 1 if hangul else SHORTEST_PIECE
    known = vocabulary()
    best: list[list[str] | None] = [[]] + [None] * len(word)
    for end in range(least, min(len(word), 40) + 1):
        for start in range(end - least, -1, -1):
            before, piece = best[start], word[start:end]
            if before is None or piece not in known:
                continue
            now = best[end]
            if now is None or len(before) + 1 < len(now):
                best[end] = [*before, piece]
    return best[len(word)] if len(word) <= 40 else None


@cache
def _qualifiers() -> frozenset[str]:
    return frozenset(
        part
        for word in vocabulary().values()
        if word.qualifier
        for part in word.means.split()
    )


@cache
def quantity_words() -> dict[str, str]:
    """Words that name a quantity -> the kind of unit it is measured in."""
    return {w.means: w.of for w in vocabulary().values() if w.of is not None}


@cache
def _meant() -> frozenset[str]:
    """Every word that the vocabulary knows by its meaning."""
    return frozenset(m for w in vocabulary().values() for m in w.means.split())


@lru_cache(maxsize=65536)
def likeness(one: str, other: str) -> float:
    """From 0 (unrelated) to 1 (the same name differently written).

    Numbers, single letters and words such as max or average have to agree:
    `barrel_temperature_1` is not a misspelt `barrel_temperature_2`.
    """
    a, b = take_apart(one), take_apart(other)
    if not a.joined or not b.joined:
        return 0.0
    if a.joined == b.joined or a.plain == b.plain:
        return 1.0 if sum(c.isalpha() for c in a.joined) > SHORTEST_SURE else SHORT
    if a.numbers != b.numbers or a.letters != b.letters:
        return 0.0
    if a.meaning == b.meaning:
        return 0.95
    if a.meaning_by_unit == b.meaning_by_unit:
        return 0.9
    odd = a.meaning ^ b.meaning
    if _qualifiers() & odd:
        return 0.0
    agreed = {*a.numbers, *a.letters}  # tell columns apart, but not what they are
    shared = len(a.meaning & b.meaning - agreed) / len((a.meaning | b.meaning) - agreed)
    best = shared if shared >= 0.6 else 0.0
    replaced = a.meaning - b.meaning and b.meaning - a.meaning
    if replaced and not odd <= _meant():  # two known words are no misspelling
        best = max(best, _spelling(a.joined, b.joined))
    return 0.9 * best


def _spelling(one: str, other: str) -> float:
    if min(len(one), len(other)) < SHORTEST_MISSPELT:
        return 0.0
    match = SequenceMatcher(None, one, other, autojunk=False)
    if match.real_quick_ratio() < 0.85 or match.quick_ratio() < 0.85:
        return 0.0
    ratio = match.ratio()
    return ratio if ratio >= 0.85 else 0.0
