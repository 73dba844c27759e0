"""Numbers with their unit in the same cell: the number is kept, in one unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.cells import is_unit
from kamp_lib.datasets.parsing.numbers import ENOUGH, Comma, Numbers, as_numbers
from kamp_lib.datasets.types import Finding
from kamp_lib.datasets.units import compatible, convert, to_ucum

PARTS = (
    r"^(?P<number>[+\-−△▲]?(?:[\d０-９][\d０-９.,' ]*|[.,]\d+))\s*"
    r"(?P<unit>[^\d\s.,:/+\-０-９].*)$"
)
MONEY = r"^([₩￦$€¥£\\])\s?(-?[\d.,]+)$"  # its sign stands before the number
MOST_UNITS = 50  # different ones in a column; more are remarks


@dataclass
class Quantities:
    """Numbers that stood beside a unit: the unit they are in now, and those they had."""

    numbers: Numbers
    unit: str
    said: int  # cells that named a unit
    converted: dict[str, int]  # unit of cells that had to be converted -> how many
    strange: dict[str, int]  # unit that measures something else -> how many

    def finding(self, name: str, examples: Iterable[str]) -> Finding:
        variant, cells = None, {self.unit: self.said}
        if self.converted:
            variant, cells = "converted", self.converted
        if self.strange:
            variant, cells = "strange", self.strange
        return finding(
            "unit-in-cell",
            columns=[name],
            count=sum(cells.values()),
            examples=examples,
            variant=variant,
            unit=self.unit,
            others=", ".join(cells),
        )


def as_quantities(
    text: pa.ChunkedArray, comma: Comma | None, known: str | None
) -> Quantities | None:
    """The column as numbers in one unit, when its cells name units.

    Parameters
    ----------
    text : chunked array of text
        Trimmed; null where a cell is empty.
    comma : {"decimal", "thousands"}, optional
        See `as_numbers`.
    known : str, optional
        The unit that the header gives. Without one, a few cells with a unit among bare
        numbers are a doubt, not a measurement.
    """
    head = text.slice(0, 20_000).drop_null().slice(0, 1000)
    if pc.any(pc.match_substring_regex(head, MONEY)).as_py():
        text = pc.replace_substring_regex(text, MONEY, r"\2 \1")
        head = pc.replace_substring_regex(head, MONEY, r"\2 \1")
    if known is None and not pc.any(pc.match_substring_regex(head, PARTS)).as_py():
        return None
    parts = pc.extract_regex(text, PARTS).combine_chunks()
    unit = pc.utf8_trim_whitespace(parts.field("unit"))
    unit = pc.if_else(pc.is_valid(parts), unit, pa.scalar(None, pa.string()))
    different = pc.unique(unit).drop_null().to_pylist()
    units = [u for u in different if is_unit(u)] if len(different) < MOST_UNITS else []
    said = pc.is_in(unit, value_set=pa.array(units, pa.string()))
    count = pc.sum(said).as_py() or 0
    filled = len(text) - text.null_count
    if not count or (known is None and count * 2 < filled) or _are_codes(text, units):
        return None
    bare = pc.utf8_trim_whitespace(parts.field("number"))
    numbers = as_numbers(pc.if_else(said, bare, text), comma)
    if numbers is None:
        return None
    cells = pc.if_else(said, unit, pa.scalar(None, pa.string()))
    return _in_one_unit(numbers, text, cells, known)


def _are_codes(text: pa.ChunkedArray, units: list[str]) -> bool:
    """35T and 12A are more often names than tonnes and amperes."""
    letters = all(len(u) == 1 and u.isascii() and u.isalpha() for u in units)
    return letters and not pc.any(pc.match_substring_regex(text, r"[\s.,]")).as_py()


def _in_one_unit(
    numbers: Numbers, text: pa.ChunkedArray, cells: pa.Array, known: str | None
) -> Quantities | None:
    """All values in the unit of the header, or else in the commonest.

    None when too many measure something else: kilograms and pieces are no column.
    """
    counts = Counter(cells.drop_null().to_pylist())
    often = sorted(counts, key=lambda unit: (-counts[unit], unit))
    unit, base = often[0], _code(often[0])
    if known is not None and compatible(base, _code(known)):
        unit, base = known, _code(known)
    converted: dict[str, int] = {}
    strange: dict[str, int] = {}
    for other in often:
        code = to_ucum(other, like=base) or _code(other)
        if code == base:
            continue
        at = np.flatnonzero(pc.fill_null(pc.equal(cells, other), False).to_numpy(False))
        values = numbers.values.to_numpy("float64", na_value=np.nan, copy=True)
        if compatible(code, base):
            values[at] = convert(values[at], code, base)
            converted[other] = len(at)
        else:
            values[at] = np.nan
            wrong = pd.DataFrame({"row_index": at, "text": text.take(at).to_pylist()})
            numbers.bad = pd.concat([numbers.bad, wrong], ignore_index=True)
            strange[other] = len(at)
        numbers.values = pd.Series(values)
    said = counts.total()
    if sum(strange.values()) > (1 - ENOUGH) * said:
        return None
    return Quantities(numbers, unit, said, converted, strange)


def _code(unit: str) -> str:
    return to_ucum(unit) or to_ucum(unit, like="Cel") or unit
