"""Who stands in the data: names, phone and resident numbers, e-mail addresses.

Found by the values of every text column, by the header only where the values fit it.
`masked` puts a stable pseudonym in the place of a name, so that one worker's records
still belong together, and stars in the place of numbers and addresses.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Kind = Literal["name", "phone", "resident-number", "email"]

PERSON_HEADERS = re.compile(
    r"작업자|작업원|성명|이름|담당자|검사자|검사원|측정자|운전자|조작자|사원|직원|근무자|"
    r"관리자|책임자|확인자|승인자|등록자|입력자|대표자|고객명|"
    r"worker|operator|inspector|employee|person|staff|full[ _]?name|^name$",
    re.IGNORECASE,
)
PHONE_HEADERS = re.compile(
    r"전화|휴대|핸드폰|연락처|phone|mobile|(^|[ _])(tel|hp)", re.I
)
RESIDENT_HEADERS = re.compile(r"주민|resident|외국인\s*등록|(^|[ _])rrn", re.I)

SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나"
    "진지엄채원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용"
)
TWO_SURNAMES = ("남궁", "황보", "제갈", "선우", "사공", "독고")
# Without a header that speaks of people, only the usual names count as names.
USUAL_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노"
)
GIVEN = frozenset(
    "가강건경광규균근기길나남늘다대덕도동두라람래량련례록리린림만명모무문미민범별병보복봉빈상"
    "새서석선설섭성세소솔수숙순슬승시식신아안양언여연열영예오옥온완용우욱운웅원월유윤율은"
    "을의이익인일자재정제조종주준중지진찬창채천철초춘충태택하학한해향헌혁현형혜호홍화환효"
    "후훈휘희"
)
FEWEST_NAMES = 5  # different ones, where no header helps
MOST_PEOPLE = 50_000  # more different words are no names of workers

_DIGITS = r"(^|[^0-9])"
_END = r"($|[^0-9])"
# Patterns are RE2's and Python's alike: no look-around.
PHONE = r"(01[016789][-. ]+[0-9]{3,4}[-. ]+[0-9]{4}|0(2|[3-6][1-5]|70)[-)]+[0-9]{3,4}-[0-9]{4})"
PHONE_BARE = r"^(\+82|0)?1[016789][0-9]{7,8}$"
RESIDENT = r"([0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[- ][1-8][0-9]{6})"
RESIDENT_BARE = r"^[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[1-8][0-9]{6}$"
EMAIL = r"([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})"
WEIGHTS = np.array([2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5])
MOST = 0.8  # of a column, for what only the whole column can prove


@dataclass(frozen=True)
class Personal:
    """One kind of personal data in one column; `count` cells of it."""

    column: str
    kind: Kind
    count: int


def personal_columns(frame: pd.DataFrame) -> list[Personal]:
    """What in a frame tells who somebody is.

    Every distinct value of every text column is looked at; nothing is sampled.

    Parameters
    ----------
    frame : DataFrame
        Typed columns under the names of the file; provenance is passed over.
    """
    found = []
    for column in map(str, frame.columns):
        if column.startswith("_"):
            continue
        words = _words(frame[column], column)
        if words is not None and len(words.text):
            found += _in_column(column, words)
    return found


@dataclass(frozen=True)
class _Words:
    """The distinct values of a column as text, and how often each stands there."""

    text: pa.Array
    count: np.ndarray

    def matching(self, pattern: str) -> np.ndarray:
        return np.asarray(pc.match_substring_regex(self.text, pattern)).astype(bool)

    def cells(self, which: np.ndarray) -> int:
        return int(self.count[which].sum())


def _words(values: pd.Series, column: str) -> _Words | None:
    if pd.api.types.is_string_dtype(values):
        held = pa.array(values, from_pandas=True)
    elif pd.api.types.is_integer_dtype(values) and _long_numbers(values):
        held = pa.array(values.astype("Int64").astype("string"), from_pandas=True)
    else:
        return None
    counts = pc.value_counts(held.drop_null())
    text = counts.field("values").cast(pa.string())
    return _Words(text, counts.field("counts").to_numpy())


def _long_numbers(values: pd.Series) -> bool:
    """Whole numbers of 9 to 13 digits may be phone or resident numbers."""
    known = values.dropna()
    return len(known) > 0 and bool(known.min() >= 10**8 and known.max() < 10**13)


def _in_column(column: str, words: _Words) -> list[Personal]:
    found = []
    kinds: tuple[tuple[Kind, np.ndarray], ...] = (
        ("resident-number", _resident(column, words)),
        ("phone", _phone(column, words)),
        ("email", words.matching(EMAIL)),
        ("name", _names(column, words)),
    )
    for kind, which in kinds:
        if which.any():
            found.append(Personal(column, kind, words.cells(which)))
    return found


def _phone(column: str, words: _Words) -> np.ndarray:
    parted = words.matching(_DIGITS + PHONE + _END)
    bare = words.matching(PHONE_BARE)
    # eleven digits in a row may be a serial number: the header, or all of them, decide
    if PHONE_HEADERS.search(column):
        return parted | bare
    all_of_them = bare.sum() >= max(FEWEST_NAMES, MOST * len(bare))
    numbers = [t for t in words.text.filter(pa.array(bare)).to_pylist() if t[0] != "1"]
    return parted | bare if all_of_them and numbers else parted


def _resident(column: str, words: _Words) -> np.ndarray:
    parted = words.matching(_DIGITS + RESIDENT + _END)
    bare = words.matching(RESIDENT_BARE)
    if not bare.any():
        return parted
    if RESIDENT_HEADERS.search(column):
        return parted | bare
    # a barcode of 13 digits passes for a date by chance, but seldom has its check digit
    some = words.text.filter(pa.array(bare))[:1000].to_pylist()
    right = np.mean([resident_number_is_valid(text) for text in some])
    return parted | bare if right >= MOST and len(some) >= 3 else parted


def resident_number_is_valid(text: str) -> bool:
    """Whether 13 digits end in the check digit of a resident number.

    Numbers given out since October 2020 carry none.

    >>> resident_number_is_valid("900101-1234568")
    True
    """
    digits = [int(c) for c in text if c.isdecimal()]
    if len(digits) != 13:
        return False
    return bool((11 - int(WEIGHTS @ digits[:12]) % 11) % 10 == digits[12])


def _names(column: str, words: _Words) -> np.ndarray:
    nothing = np.zeros(len(words.text), dtype=bool)
    if len(words.text) > MOST_PEOPLE or not _all_short(words):
        return nothing
    spoken = [normalize("NFC", text).strip() for text in words.text.to_pylist()]
    named = np.array([_is_korean_name(text) for text in spoken], dtype=bool)
    if PERSON_HEADERS.search(normalize("NFC", column)):
        people = named | np.array([_is_foreign_name(text) for text in spoken])
        return people if people.mean() >= 0.5 else nothing
    usual = np.array([_is_usual_name(text) for text in spoken], dtype=bool)
    enough = usual.sum() >= max(FEWEST_NAMES, MOST * len(usual))
    return named if enough else nothing


def _all_short(words: _Words) -> bool:
    """A column of names holds names only."""
    longest = pc.max(pc.utf8_length(words.text)).as_py()
    return longest is not None and longest <= 40


def _is_korean_name(text: str) -> bool:
    if not re.fullmatch(r"[가-힣]{2,4}", text):
        return False
    return text[0] in SURNAMES or text.startswith(TWO_SURNAMES)


def _is_usual_name(text: str) -> bool:
    if not re.fullmatch(r"[가-힣]{3,4}", text):
        return False
    surname = 2 if text.startswith(TWO_SURNAMES) else 1
    usual = surname == 2 or text[0] in USUAL_SURNAMES
    return usual and len(text) == surname + 2 and set(text[surname:]) <= GIVEN


def _is_foreign_name(text: str) -> bool:
    return re.fullmatch(r"[^\W\d_]+([ .'-]+[^\W\d_]+)+\.?", text) is not None and (
        text.isascii() or not re.search(r"[가-힣]", text)
    )


def masked(values: pd.Series, kind: Kind, key: bytes) -> pd.Series:
    """A column in which nobody can be recognised.

    Parameters
    ----------
    values : Series
        Text, or whole numbers that are phone or resident numbers.
    kind : {"name", "phone", "resident-number", "email"}
        What `personal_columns` found in it.
    key : bytes
        The company's own secret: the same name gives the same pseudonym under the same
        key, and without the key nobody can try names until one fits.

    Returns
    -------
    Series of string
        Gaps stay gaps; text around a number or address stays.
    """
    text = values.astype("Int64") if pd.api.types.is_numeric_dtype(values) else values
    codes, words = pd.factorize(text.astype("string"))
    hidden = [_hidden(str(word), kind, key) for word in words]
    table = np.array([*hidden, None], dtype=object)
    return pd.Series(table[codes], index=values.index, dtype="string", name=values.name)


class Veil:
    """Hides in any text what is personal in a frame: its names, and all numbers.

    For what is kept beside the rows: lines in quarantine, examples in messages.

    Parameters
    ----------
    frame : DataFrame
        As it was read, before masking.
    found : sequence of Personal
        What `personal_columns` found in it.
    key : bytes
        See `masked`.
    """

    def __init__(
        self, frame: pd.DataFrame, found: Sequence[Personal], key: bytes
    ) -> None:
        self._key = key
        self._kinds = {p.kind for p in found}
        names = {
            str(name).strip()
            for p in found
            if p.kind == "name"
            for name in frame[p.column].dropna().unique()
        }
        # the longest first, so that no name is hidden inside another
        ordered = sorted(names - {""}, key=len, reverse=True)
        self._names = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        for kind in ("resident-number", "phone", "email"):
            if kind in self._kinds:
                text = _hidden(text, kind, self._key)
        if self._names is None:
            return text
        return self._names.sub(lambda m: _hidden(m.group(), "name", self._key), text)


def _hidden(text: str, kind: Kind, key: bytes) -> str:
    if kind == "name":
        plain = normalize("NFC", text).strip().casefold()
        digest = hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()
        return f"작업자-{digest[:6]}"
    if kind == "phone":
        text = re.sub(PHONE_BARE, "***-****-****", text)
        return re.sub(PHONE, "***-****-****", text)
    if kind == "resident-number":
        text = re.sub(RESIDENT_BARE, "******-*******", text)
        return re.sub(RESIDENT, "******-*******", text)
    return re.sub(EMAIL, "***@***", text)
