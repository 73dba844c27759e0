"""One column of raw cells -> its type: numbers, times or text."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.parsing.cells import MISSING
from kamp_lib.datasets.parsing.numbers import (
    LARGEST,
    NO_BAD,
    Comma,
    Numbers,
    are_sound,
    as_numbers,
    numbers_of,
)
from kamp_lib.datasets.parsing.quantities import Quantities, as_quantities
from kamp_lib.datasets.parsing.times import Times, parse_times, straight_times

FEW = 10
# Text that a spreadsheet was kept from changing: ="007", '007.
KEPT_AS_TEXT = r"""^="(.*)"$|^'(\d.*)$"""


@dataclass(frozen=True)
class Hints:
    """What is known of a column from elsewhere in its file."""

    time_zone: str
    comma: Comma | None = None
    unit: str | None = None


@dataclass
class Typed:
    """The values of a column, the cells that do not fit, and what was made of the rest."""

    values: pd.Series
    bad: pd.DataFrame = field(default_factory=lambda: NO_BAD)
    words: list[str] = field(default_factory=list)  # that say there is no value
    spoken: int = 0
    signs: int = 0  # cells with another decimal sign than the others
    times: Times | None = None  # what is known of a column of times in text
    quantities: Quantities | None = None  # of numbers that stood beside a unit


def typed_column(column: pa.ChunkedArray, keep: np.ndarray, hints: Hints) -> Typed:
    """Give one column its type.

    Parameters
    ----------
    column : chunked array
        Text, or what a typed file holds.
    keep : ndarray of bool
        False for rows that are no records and say nothing about the column.
    hints : Hints
        Where times without an offset were written, what a comma means, the unit.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(column, keep, hints)
    if pa.types.is_timestamp(kind):
        values = column.cast(pa.timestamp("us", kind.tz), safe=False).to_pandas()
        if kind.tz is not None:
            values = values.dt.tz_convert(hints.time_zone).dt.tz_localize(None)
        return Typed(values)
    if pa.types.is_date(kind):
        return Typed(column.cast(pa.timestamp("us")).to_pandas())
    if pa.types.is_boolean(kind):
        return Typed(column.cast(pa.string()).to_pandas().astype("string"))
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        wide = pa.int64() if pa.types.is_signed_integer(kind) else pa.float64()
        if pa.types.is_unsigned_integer(kind) and kind.bit_width < 64:
            wide = pa.int64()
        return _from_numbers(column.cast(wide, safe=False))
    return _from_text(column.cast(pa.string()), keep, hints)


def _from_numbers(column: pa.ChunkedArray) -> Typed:
    """Numbers as the file holds them; what no sensor can have measured is a gap."""
    if pa.types.is_integer(column.type):
        return Typed(numbers_of(column))
    unsound = pc.greater(pc.abs(column), LARGEST)
    if not pc.any(unsound).as_py():
        return Typed(numbers_of(column))
    words = [f"{n:g}" for n in pc.unique(column.filter(unsound)).to_pylist()]
    return Typed(
        numbers_of(_blank(column, unsound)),
        words=words[:FEW],
        spoken=pc.sum(unsound).as_py(),
    )


def _from_text(column: pa.ChunkedArray, keep: np.ndarray, hints: Hints) -> Typed:
    plain = plain_decimals(column) if keep.all() else None
    if plain is not None:
        return plain
    straight = straight_times(column, hints.time_zone) if keep.all() else None
    if straight is not None:
        return Typed(straight, times=Times(straight))
    text = pc.utf8_trim_whitespace(column)
    if not keep.all():  # a header among the rows says nothing about the column
        text = pc.if_else(pa.array(keep), text, pa.scalar(None, text.type))
    if pc.any(pc.match_substring_regex(text.slice(0, 1000), KEPT_AS_TEXT)).as_py():
        text = pc.replace_substring_regex(text, KEPT_AS_TEXT, r"\1\2")
    text, words, spoken = _without_words(text)
    made = _numbers(text, hints) or _times(text, hints.time_zone)
    made = made or _quantities(text, hints) or Typed(_words(text))
    made.words = [*words, *made.words]
    made.spoken += spoken
    return made


def _without_words(
    text: pa.ChunkedArray,
) -> tuple[pa.ChunkedArray, list[str], int]:
    """Cells without the words for a missing value; these, and how often they stood."""
    spoken = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING, text.type))
    if not pc.any(spoken).as_py():
        return _blank(text, pc.equal(text, "")), [], 0
    words = pc.unique(text.filter(spoken)).to_pylist()
    if "-" in words and pc.any(pc.equal(text, "+")).as_py():
        words.remove("-")  # minus and plus are a result
        spoken = pc.and_not(spoken, pc.equal(text, "-"))
    count = pc.sum(spoken).as_py() or 0
    return _blank(text, pc.or_(pc.equal(text, ""), spoken)), words, count


def _blank(text: pa.ChunkedArray, where: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.fill_null(where, True), pa.scalar(None, text.type), text)


def plain_decimals(column: pa.ChunkedArray) -> Typed | None:
    """The short way for what most columns are: decimal numbers and empty cells."""
    try:
        empty = pc.equal(column, "")
        if pc.any(empty).as_py():
            column = pc.if_else(empty, pa.scalar(None, column.type), column)
        numbers = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    values = numbers.to_numpy()
    finite = np.isfinite(values)
    if finite.sum() != len(values) - numbers.null_count or not are_sound(numbers):
        return None  # the words nan and inf, 1e999
    known = values[finite]
    if not len(known) or np.all(known == np.floor(known)):
        return None  # whole numbers may be codes
    return Typed(pd.Series(values, copy=False))


def _numbers(text: pa.ChunkedArray, hints: Hints) -> Typed | None:
    numbers = as_numbers(text, hints.comma)
    if numbers is not None and len(numbers.bad) and hints.unit:
        return _quantities(text, hints) or _of(numbers)
    return None if numbers is None else _of(numbers)


def _quantities(text: pa.ChunkedArray, hints: Hints) -> Typed | None:
    found = as_quantities(text, hints.comma, hints.unit)
    return None if found is None else _of(found.numbers, found)


def _of(numbers: Numbers, quantities: Quantities | None = None) -> Typed:
    return Typed(
        numbers.values,
        numbers.bad,
        numbers.words,
        numbers.spoken,
        numbers.signs,
        quantities=quantities,
    )


def _times(text: pa.ChunkedArray, time_zone: str) -> Typed | None:
    times = parse_times(text, time_zone)
    if times is None:
        return None
    known = pc.is_valid(text).to_numpy()
    wrong = np.flatnonzero(known & times.values.isna().to_numpy())
    texts = text.take(pa.array(wrong)).to_pylist()
    bad = pd.DataFrame({"row_index": wrong, "text": texts}) if len(wrong) else NO_BAD
    return Typed(times.values, bad, times=times)


def _words(text: pa.ChunkedArray) -> pd.Series:
    """Text as it stands; true and false are spelled alike, whatever wrote them."""
    truth = pa.array(["true", "false"], text.type)
    for cells in (text.slice(0, 1000), text):
        lower = pc.utf8_lower(cells)
        if not pc.all(pc.is_in(lower.drop_null(), value_set=truth)).as_py():
            break
    else:
        text = lower
    return text.to_pandas().astype("string")
