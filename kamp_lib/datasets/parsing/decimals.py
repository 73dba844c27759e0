"""What commas and points mean in a file, where one column alone does not tell."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.numbers import EITHER, POINT, Comma, comma_evidence
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.types import Finding

LOOKED_AT = 1000  # cells of each column
GROUP = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"  # 316.307
SMALL = r"^[+-]?[1-9]\d{0,2}$"  # 79
LARGE = r"^[+-]?[1-9]\d{3,}$"  # 65556
ROUND = r"00$"  # of amounts and counts, seldom of measurements
ENDS_IN_ZERO = r"\.\d\d0$"
MANY = 60  # numbers among which one would end in 0 if zeros had not been cut off


def comma_sense(raw: Raw) -> tuple[Comma | None, list[Finding]]:
    """What a comma between digits means in these files, by the cells that are sure.

    With none, a file of semicolons is taken at its word: programs write it where the
    comma is the decimal sign. That is a doubt, and said.
    """
    decimal = thousands = 0
    # points for decimals elsewhere leave the comma to the thousands
    likely = any(
        pa.types.is_floating(raw.table.schema.field(c).type) for c in raw.columns
    )
    doubtful = []
    for name, cells in _heads(raw):
        likely = likely or _any(cells, POINT)
        if not pc.any(pc.match_substring(cells, ",")).as_py():
            continue
        one, other = comma_evidence(cells)
        decimal, thousands = decimal + one, thousands + other
        if not one and not other and _all(cells, rf"{EITHER}|{SMALL}|^0$"):
            likely = likely or _any(cells, SMALL) or _often(cells, ROUND)
            doubtful.append(name)
    if decimal and thousands:
        return None, []
    if decimal or thousands or likely:
        return "decimal" if decimal else "thousands", []
    semicolons = [s.details.get("delimiter") == ";" for s in raw.sources]
    if not doubtful or not all(semicolons):
        return None, []
    shown = raw.table[doubtful[0]].slice(0, 3).to_pylist()
    said = finding(
        "mixed-decimals",
        columns=doubtful,
        count=len(doubtful),
        examples=shown,
        variant="doubtful",
    )
    return "decimal", [said]


def thousands_points(raw: Raw) -> list[Finding]:
    """Columns whose point parts thousands although it reads as a decimal sign.

    One column gives it away: numbers such as 1.386 and 23.200, always with three
    digits behind the point, beside plain 79 and 865. A program that writes decimals
    either keeps the zeros at the end or cuts them off.
    """
    sure: list[str] = []
    same: list[str] = []
    large: list[str] = []
    for name, cells in _heads(raw):
        dotted = cells.filter(pc.match_substring(cells, "."))
        plain = cells.filter(pc.invert(pc.match_substring(cells, ".")))
        if not len(dotted):
            if _any(plain, LARGE) and _all(plain, r"^[+-]?\d+$"):
                large.append(name)
        elif _all(dotted, GROUP):
            if not len(plain):
                same.append(name)
            elif _any(plain, SMALL) and _all(plain, r"^[+-]?\d{1,3}$"):
                keeps_zeros = len(dotted) >= MANY or _any(dotted, ENDS_IN_ZERO)
                (sure if keeps_zeros else same).append(name)
    if not sure:
        return []
    cells = raw.table[sure[0]].slice(0, LOOKED_AT)
    shown = [
        *cells.filter(pc.match_substring_regex(cells, GROUP)).to_pylist()[:2],
        *cells.filter(pc.match_substring_regex(cells, SMALL)).to_pylist()[:2],
    ]
    columns = [*sure, *same]
    return [
        finding(
            "mixed-decimals",
            columns=[*columns, *large],
            shown=columns,
            count=len(columns),
            examples=shown,
            variant="with-plain" if large else None,
            column=sure[0],
            plain=", ".join(large[:3]),
        )
    ]


def may_be_thousands(column: pa.ChunkedArray) -> bool:
    """Whether every point among the first cells of a column could part thousands."""
    head = column.slice(0, LOOKED_AT)
    return _all(head.filter(pc.match_substring(head, ".")), GROUP)


def _heads(raw: Raw) -> list[tuple[str, pa.ChunkedArray]]:
    """The first filled cells of every column of text."""
    heads = []
    for name in raw.columns:
        column = raw.table[name].slice(0, LOOKED_AT)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            cells = pc.utf8_trim_whitespace(column).drop_null()
            heads.append((name, cells.filter(pc.not_equal(cells, ""))))
    return heads


def _all(cells: pa.ChunkedArray, pattern: str) -> bool:
    return len(cells) > 0 and bool(
        pc.all(pc.match_substring_regex(cells, pattern)).as_py()
    )


def _often(cells: pa.ChunkedArray, pattern: str) -> bool:
    fits = pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0
    return bool(fits >= 0.2 * len(cells))


def _any(cells: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())
