"""Text -> numbers: signs between thousands and before decimals, words for no value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.parsing.cells import NO_VALUE

Comma = Literal["decimal", "thousands"]

WHOLE = r"^[+-]?\d+$"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
HUGE = r"[eE]\+?\d{3}|\d{100}"  # may be beyond any measurement
PADDED = r"^[+-]?0\d"  # 007 is a code, not a number
MAY_BEGIN = r"^[(+\-−△▲]*[.,]?[\d０-９]"
SPACED = r"^[+-]?\d{1,3}([ '’\x{00a0}\x{202f}]\d{3})+([.,]\d+)?$"  # 1'234.5
GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"  # 1,234,567.8
SURELY_GROUPED = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(,\d{3}|\.\d+)$"
DECIMAL_COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"  # 3,14
EITHER = r"^[+-]?[1-9]\d{0,2},\d{3}$"  # 1,234: a thousand, or one and a bit
DOTTED = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?$"  # 1.234.567,8
SURELY_DOTTED = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(\.\d{3}|,\d+)$"
POINT = r"^[+-]?\d+\.(\d{1,2}|\d{4,})$"
ENOUGH = 0.9  # of the filled cells that must be numbers for a number column
EXACT = 2**53  # whole numbers beyond this lose digits as floats
LARGEST = 1e100  # no measurement is beyond this, and sums of squares stay finite
NO_BAD = pd.DataFrame(
    {"row_index": pd.Series(dtype="int64"), "text": pd.Series(dtype="str")}
)


@dataclass
class Numbers:
    """The numbers of a column; NaN where a cell is empty or no number.

    `bad` holds the cells that are filled and no numbers (`row_index`, `text`); `words`
    those that say there is no value, `spoken` how often. `signs` counts cells whose
    decimal sign is not the one of their column.
    """

    values: pd.Series
    bad: pd.DataFrame = field(default_factory=lambda: NO_BAD)
    words: list[str] = field(default_factory=list)
    spoken: int = 0
    signs: int = 0


def as_numbers(text: pa.ChunkedArray, comma: Comma | None = None) -> Numbers | None:
    """The column as numbers, when (nearly) all of its filled cells are.

    Parameters
    ----------
    text : chunked array of text
        Trimmed; null where a cell is empty.
    comma : {"decimal", "thousands"}, optional
        What a comma means in this file, where `1,234` could be either.
    """
    filled = len(text) - text.null_count
    if filled == 0:
        return Numbers(pd.Series(np.nan, index=range(len(text)), dtype="float64"))
    if not may_be_numbers(text):
        return None
    plain = _as_they_stand(text)
    if plain is not None:  # the usual case needs no pattern
        return Numbers(numbers_of(plain))
    text, signs = _plain(text, comma)
    fits = _fits(text)
    misfit = pc.invert(fits)
    silent = pc.and_(misfit, pc.is_in(pc.utf8_lower(text), value_set=_NO_VALUE))
    places = np.flatnonzero(pc.and_not(misfit, silent).to_numpy())
    spoken = pc.sum(silent).as_py()
    numbers = pc.if_else(fits, text, pa.scalar(None, text.type))
    if len(numbers) - numbers.null_count < max(1, ENOUGH * (filled - spoken)):
        return None
    wrong = text.take(pa.array(places)).to_pylist()
    try:
        values = numbers_of(numbers.cast(_narrowest(numbers)))
    except pa.ArrowInvalid:  # whole numbers too long for 64 bits: ids
        return None
    bad = pd.DataFrame({"row_index": places, "text": wrong}) if wrong else NO_BAD
    words = pc.unique(text.filter(silent)).to_pylist()
    return Numbers(values, bad, words, spoken, signs)


_NO_VALUE = pa.array(sorted(NO_VALUE))


def _as_they_stand(text: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The cells as numbers where every one is written as a number of a sound size."""
    try:
        numbers = text.cast(_narrowest(text))
    except pa.ArrowInvalid:
        return None
    if pa.types.is_integer(numbers.type):
        return numbers
    return numbers if are_sound(numbers) else None


def are_sound(numbers: pa.ChunkedArray) -> bool:
    """Whether all are finite, and of a size that something measured may have."""
    return pc.all(_sound(numbers)).as_py() is not False


def _sound(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.less_equal(pc.abs(numbers), LARGEST)  # never so for nan


def _fits(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which cells are empty or numbers of a sound size: 1e999 is none."""
    written = pc.match_substring_regex(text, NUMBER)
    huge = pc.match_substring_regex(text, HUGE)
    if not pc.any(huge).as_py():
        return pc.fill_null(written, True)
    numbers = pc.if_else(written, text, pa.scalar(None, text.type)).cast(pa.float64())
    return pc.fill_null(pc.and_(written, pc.fill_null(_sound(numbers), False)), True)


def may_be_numbers(text: pa.ChunkedArray) -> bool:
    """Whether the first cells begin like numbers, and none like a code (007)."""
    head = text.slice(0, 20_000).drop_null().slice(0, 1000)
    if not pc.any(pc.match_substring_regex(head, MAY_BEGIN)).as_py():
        return len(head) == 0
    return not pc.any(pc.match_substring_regex(text, PADDED)).as_py()


def comma_evidence(text: pa.ChunkedArray) -> tuple[int, int]:
    """How many cells have a comma that can only be decimal, and only for thousands."""
    cells = text.filter(pc.match_substring(text, ","))
    decimal = _count(cells, DECIMAL_COMMA) - _count(cells, EITHER)
    return decimal + _count(cells, DOTTED), _count(cells, SURELY_GROUPED)


def _plain(text: pa.ChunkedArray, comma: Comma | None) -> tuple[pa.ChunkedArray, int]:
    """Numbers as a program writes them, and how many have another decimal sign."""
    if not pc.all(pc.string_is_ascii(text)).as_py():
        wide = pc.match_substring_regex(text, r"^[+\-−△▲＋－\d０-９.,．，]+$")
        text = pc.if_else(wide, pc.utf8_normalize(text, form="NFKC"), text)
        text = pc.replace_substring_regex(text, r"^[−△▲]\s?(\d)", r"-\1")
    text = pc.replace_substring_regex(text, r"^\(([\d.,]+)\)$", r"-\1")
    text = _where(text, SPACED, r"[ '’\x{00a0}\x{202f}]", "")
    if pc.any(pc.match_substring(text, ",")).as_py():
        return _without_commas(text, comma)
    if _count(text, SURELY_DOTTED):
        signs = _count(text, POINT)
        return _where(text, DOTTED, r"\.", ""), signs
    return text, 0


def _without_commas(
    text: pa.ChunkedArray, comma: Comma | None
) -> tuple[pa.ChunkedArray, int]:
    """Thousands commas taken out, or decimal commas made points, as most cells say."""
    decimal, thousands = comma_evidence(text)
    if decimal or thousands:
        comma = "decimal" if decimal > thousands else "thousands"
    if comma == "decimal":
        signs = thousands + min(decimal, _count(text, POINT))
        text = _where(text, SURELY_GROUPED, ",", "")
        text = _where(text, DOTTED, r"\.", "")
        return _where(text, DECIMAL_COMMA, ",", "."), signs
    text = _where(text, GROUPED, ",", "")
    return _where(text, DECIMAL_COMMA, ",", "."), decimal


def _where(text: pa.ChunkedArray, pattern: str, old: str, new: str) -> pa.ChunkedArray:
    fits = pc.match_substring_regex(text, pattern)
    if not pc.any(fits).as_py():
        return text
    return pc.if_else(fits, pc.replace_substring_regex(text, old, new), text)


def _count(text: pa.ChunkedArray, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(text, pattern)).as_py() or 0)


def _narrowest(data: pa.ChunkedArray) -> pa.DataType:
    whole = pc.all(pc.match_substring_regex(data, WHOLE)).as_py()
    return pa.int64() if whole else pa.float64()


def numbers_of(column: pa.ChunkedArray) -> pd.Series:
    """int64 when every number is whole, else float64; long ids with gaps stay exact.

    A sheet does not tell 4 from 4.0; so no file does.
    """
    if pa.types.is_floating(column.type):
        values = column.to_numpy()
        # a fraction among the first tells at once
        whole = all(bool(_whole(part).all()) for part in (values[:1000], values))
        return pd.Series(values.astype("int64") if whole else values, copy=False)
    if column.null_count == 0:
        return pd.Series(column.to_numpy(), copy=False)
    largest = pc.max(pc.abs(column)).as_py()
    if largest is not None and largest >= EXACT:
        return column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return pd.Series(column.cast(pa.float64()).to_numpy(), copy=False)


def _whole(values: np.ndarray) -> np.ndarray:
    return (np.abs(values) < EXACT) & (values == np.floor(values))


def whole_again(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of whole numbers as int64, once the rows that had none are gone."""
    whole = {
        name: made
        for name in frame.columns[frame.dtypes == "float64"]
        if (made := numbers_of(pa.chunked_array([frame[name]]))).dtype == "int64"
    }
    return frame.assign(**whole)
