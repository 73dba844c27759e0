"""Wide tables to long ones, and lists of tags and values to one row per time.

What is counted and stored from here on are the records of the turned table; each keeps
the file and row it came from, so several records of a wide table share one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import Layout
from kamp_lib.datasets.raw import FILE, PROVENANCE, Raw, unique_names
from kamp_lib.datasets.reading.alike import same_name
from kamp_lib.datasets.reading.periods import Period, periods
from kamp_lib.datasets.reading.tags import (
    DATE_NAMES,
    MOST_CELLS,
    TIME_NAMES,
    tag_table,
    tags_as_columns,
    too_large,
)
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError
from kamp_lib.text import Text

PERIOD, ITEM, VALUE = "period", "item", "value"
YEAR_NAMES = frozenset({"year", "yr", "년", "년도", "연도", "해"})
MIDNIGHT = r"[ T]0?0:00(:00(\.0+)?)?$"


def turned(raw: Raw, layout: Layout | None) -> Raw:
    """The table in the shape to work with, and what was done about it.

    Parameters
    ----------
    raw : Raw
        One table, joined from all files.
    layout : {"as-is", "long", "wide"} or None
        What the person says; None decides by the names of the columns.

    Raises
    ------
    KampError
        When the table cannot be turned as asked.
    """
    if layout == "as-is" or raw.table.num_rows == 0:
        return raw
    parts = None if layout == "long" else tag_table(raw)
    if layout == "wide" and parts is None:
        raise KampError(
            "'태그 이름'과 '값' 열을 찾지 못해 표를 돌릴 수 없습니다. 열 이름을 tag, value 로"
            " 고치거나 --layout as-is 로 가져오세요.",
            "no columns of tag names and values were found to turn the table by; call them"
            " tag and value, or use --layout as-is.",
        )
    if parts is not None:
        return _recounted(raw, *tags_as_columns(raw, parts, asked=layout == "wide"))
    found = periods(raw.columns)
    if not found and layout == "long":
        found = _number_columns(raw)
    return _to_long(raw, found) if found else raw


def _number_columns(raw: Raw) -> dict[str, Period]:
    found = {c: Period("item", c) for c in raw.columns if _holds_numbers(raw, c)}
    if len(found) < 2 or len(found) == len(raw.columns):
        raise KampError(
            "행으로 돌릴 숫자 열과 그대로 둘 열(품번, 시각)을 가르지 못했습니다."
            " --layout as-is 로 가져오세요.",
            "the number columns to turn cannot be told from those to keep (part, time);"
            " use --layout as-is.",
        )
    return found


def _to_long(raw: Raw, found: dict[str, Period]) -> Raw:
    """One record per row and column that is turned."""
    rows, width = raw.table.num_rows, len(found)
    kept = [c for c in raw.columns if c not in found]
    if rows * width * (len(kept) + 2) > MOST_CELLS:
        raise too_large(rows * width)
    source = pa.array(np.repeat(np.arange(rows), width))
    place = pa.array(np.tile(np.arange(width), rows))
    kind = next(iter(found.values())).kind
    beside = _beside(kind, kept)
    kept = [c for c in kept if c != beside]
    texts = [p.text if beside or kind != "yearless" else c for c, p in found.items()]
    period = pa.array(texts, pa.string()).take(place)
    if beside is not None:
        period = _joined(raw.table[beside].take(source), kind, period)
    *_, first, second = unique_names([*kept, ITEM if kind == "item" else PERIOD, VALUE])
    columns = {c: raw.table[c].take(source) for c in kept}
    columns[first], columns[second] = period, _cells(raw, list(found))
    columns |= {c: raw.table[c].take(source) for c in PROVENANCE}
    units = {c: u for c, u in raw.units.items() if c in kept}
    of_values = {raw.units.get(c) for c in found}
    if len(of_values) == 1 and None not in of_values:
        units[second] = str(of_values.pop())
    said = _said(raw, list(found), (first, second), columns[second])
    return _recounted(raw, pa.table(columns), units, said)


def _beside(kind: str, kept: Sequence[str]) -> str | None:
    """The column that says of which day an hour is, or of which year a month."""
    names = {"hour": DATE_NAMES, "yearless": YEAR_NAMES}.get(kind, frozenset())
    return next((c for c in kept if same_name(c) in names), None)


def _joined(column: pa.ChunkedArray, kind: str, period: pa.Array) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    if kind == "hour":
        text = pc.replace_substring_regex(text, MIDNIGHT, "")
        return pc.binary_join_element_wise(text, period, " ")
    text = pc.replace_substring_regex(text, r"(\.0|년)$", "")
    return pc.binary_join_element_wise(text, period, "-")


def _cells(raw: Raw, names: Sequence[str]) -> pa.ChunkedArray:
    """The cells of several columns, row by row, as one column."""
    columns = [raw.table[name] for name in names]
    if len({c.type for c in columns}) > 1:
        numbers = all(_is_number(c.type) for c in columns)
        kind = pa.float64() if numbers else pa.string()
        columns = [c.cast(kind) for c in columns]
    rows, width = raw.table.num_rows, len(names)
    order = np.arange(rows * width).reshape(width, rows).T.ravel()
    chunks = [chunk for column in columns for chunk in column.chunks]
    return pa.chunked_array(chunks).take(pa.array(order))


def _said(
    raw: Raw, names: Sequence[str], made: tuple[str, str], values: pa.ChunkedArray
) -> Finding:
    blank = values.null_count
    if pa.types.is_string(values.type):
        empty = pc.equal(pc.utf8_trim_whitespace(values), "")
        blank += int(pc.sum(empty).as_py() or 0)
    return finding(
        "wide-table",
        columns=names,
        shown=[names[0], "…", names[-1]],
        count=len(names),
        examples=[names[0], names[-1]],
        variant="items" if made[0].startswith(ITEM) else None,
        rows=raw.table.num_rows,
        records=len(values),
        blank=Text(
            f" 빈칸 {blank:,}개는 0이 아니라 '값 없음'으로 두었습니다.",
            f" {blank:,} blanks mean no value, not 0.",
        )
        if blank
        else "",
        period=made[0],
        value=made[1],
    )


def _recounted(raw: Raw, table: pa.Table, units: dict[str, str], said: Finding) -> Raw:
    """The turned table; every file's rows are now those of the table it became."""
    counts = pc.value_counts(table[FILE]).to_pylist()
    rows = {count["values"]: count["counts"] for count in counts}
    for rejected in raw.rejected:
        rows[rejected.file] = rows.get(rejected.file, 0) + 1
    sources = [replace(s, rows=rows.get(s.name, 0)) for s in raw.sources]
    found = [*raw.findings, said]
    return replace(raw, table=table, sources=sources, units=units, findings=found)


def _holds_numbers(raw: Raw, name: str) -> bool:
    if _is_number(raw.table[name].type):
        return True
    if same_name(name) in TIME_NAMES:
        return False
    sample = raw.table[name].slice(0, 200).cast(pa.string()).to_pylist()
    filled = [cell.strip().replace(",", "") for cell in sample if cell and cell.strip()]
    fits = sum(cell.replace(".", "", 1).lstrip("+-").isdecimal() for cell in filled)
    return bool(filled) and fits >= 0.9 * len(filled)


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    )
