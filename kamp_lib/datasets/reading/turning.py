"""Wide tables to long ones, and lists of tags and values to one row per time.

What is counted and stored from here on are the records of the turned table; each keeps
the file and row it came from, so several records of a wide table share one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.options import Layout
from kamp_lib.datasets.raw import FILE, PROVENANCE, ROW, Raw, unique_names
from kamp_lib.datasets.reading.joining import same_name
from kamp_lib.datasets.reading.periods import Period, periods
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

MOST_CELLS = 50_000_000  # of the turned table
MOST_TAGS = 1000
FILLED = 0.5  # of the turned table, for turning it without being asked
PERIOD, TAG, VALUE = "period", "item", "value"
DATE_NAMES = frozenset(
    {"date", "day", "날짜", "일자", "측정일", "작업일", "생산일", "일시", "검침일"}
)
YEAR_NAMES = frozenset({"year", "yr", "년", "년도", "연도", "해"})
TIME_NAMES = DATE_NAMES | {
    "time",
    "timestamp",
    "datetime",
    "ts",
    "시각",
    "시간",
    "측정시각",
}
TIME_NAMES |= {
    "측정일시",
    "기록시각",
    "기록일시",
    "수집시각",
    "수집일시",
    "t_stamp",
    "tstamp",
}
TAG_NAMES = frozenset(
    {"tag", "tagname", "tagid", "name", "variable", "sensor", "sensorid", "sensorname"}
    | {"item", "itemname", "point", "pointname", "channel", "parameter", "signal"}
    | {
        "태그",
        "태그명",
        "항목",
        "항목명",
        "변수",
        "변수명",
        "센서",
        "센서명",
        "측정항목",
    }
    | {"검사항목", "채널", "포인트"}
)
VALUE_NAMES = frozenset(
    {"value", "val", "values", "reading", "measurement", "measuredvalue", "pv"}
    | {"값", "측정값", "측정치", "데이터", "수치", "센서값", "결과값"}
)
UNIT_NAMES = frozenset({"unit", "units", "uom", "단위"})
IDLE_NAMES = frozenset({"quality", "status", "품질", "상태", "qualitycode"})


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
    if layout == "long":
        return _to_long(raw, asked=True)
    parts = _tag_table(raw)
    if layout == "wide" and parts is None:
        raise KampError(
            "'태그 이름'과 '값' 열을 찾지 못해 표를 돌릴 수 없습니다. 열 이름을 tag, value 로"
            " 고치거나 --layout as-is 로 가져오세요.",
            "no columns of tag names and values were found to turn the table by; call them"
            " tag and value, or use --layout as-is.",
        )
    if parts is not None:
        return _to_wide(raw, parts, asked=layout == "wide")
    return _to_long(raw, asked=False)


def _to_long(raw: Raw, *, asked: bool) -> Raw:
    """One record per row and period (or, where asked, per row and number column)."""
    found = periods(raw.columns)
    if not found and asked:
        found = {c: Period("label", c) for c in raw.columns if _holds_numbers(raw, c)}
        if len(found) < 2 or len(found) == len(raw.columns):
            raise KampError(
                "행으로 돌릴 숫자 열과 그대로 둘 열(품번, 시각)을 가르지 못했습니다."
                " --layout as-is 로 가져오세요.",
                "the number columns to turn cannot be told from those to keep (part, time);"
                " use --layout as-is.",
            )
    if not found:
        return raw
    count = raw.table.num_rows * len(found)
    if count * (len(raw.columns) - len(found) + 2) > MOST_CELLS:
        raise _too_large(count)
    turned_columns = list(found)
    kept = [c for c in raw.columns if c not in found]
    year = next((c for c in kept if same_name(c) in YEAR_NAMES), None)
    day = next((c for c in kept if same_name(c) in DATE_NAMES), None)
    labels = [p.text for p in found.values()]
    rows = raw.table.num_rows
    source = pa.array(np.repeat(np.arange(rows), len(labels)))
    period = pa.array(labels * rows, pa.string())
    kind = next(iter(found.values())).kind
    if kind == "hour" and day is not None:
        period = _beside(raw.table[day].take(source), period)
        kept.remove(day)
    elif kind == "label" and year is not None and turned_columns:
        period = _beside(raw.table[year].take(source), period)
        kept.remove(year)
    names = unique_names(
        [*kept, PERIOD if kind != "label" or not asked else TAG, VALUE]
    )
    columns = {c: raw.table[c].take(source) for c in kept}
    columns[names[-2]] = period
    columns[names[-1]] = _cells(raw, turned_columns)
    columns |= {c: raw.table[c].take(source) for c in PROVENANCE}
    said = _wide_said(raw, turned_columns, names[-2:], columns[names[-1]])
    units = {c: u for c, u in raw.units.items() if c in kept}
    of_values = {raw.units.get(c) for c in turned_columns}
    if len(of_values) == 1 and None not in of_values:
        units[names[-1]] = str(of_values.pop())
    return _recounted(replace(raw, units=units), pa.table(columns), said)


def _cells(raw: Raw, names: Sequence[str]) -> pa.ChunkedArray:
    """The cells of several columns, row by row, as one column."""
    columns = [raw.table[name] for name in names]
    if len({c.type for c in columns}) > 1:
        numbers = all(_is_number(c.type) for c in columns)
        kind = pa.float64() if numbers else pa.string()
        columns = [c.cast(kind) for c in columns]
    rows, width = raw.table.num_rows, len(names)
    order = np.arange(rows * width).reshape(width, rows).T.ravel()
    return pa.chunked_array([c for one in columns for c in one.chunks]).take(
        pa.array(order)
    )


def _beside(one: pa.ChunkedArray, other: pa.Array) -> pa.ChunkedArray:
    text = one.cast(pa.string())
    return pc.binary_join_element_wise(text, other, " ")


def _wide_said(
    raw: Raw, names: Sequence[str], made: Sequence[str], values: pa.ChunkedArray
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
        rows=raw.table.num_rows,
        records=len(values),
        blank=blank,
        period=made[0],
        value=made[1],
    )


@dataclass(frozen=True)
class TagTable:
    """Which columns of a list of measurements are what."""

    time: str
    tag: str
    value: str
    unit: str | None
    idle: list[str]  # quality marks of single values
    keys: list[str]  # what else tells records apart: machine, lot


def _tag_table(raw: Raw) -> TagTable | None:
    """Time, tag and value by their names, when tags repeat; else it is no such list."""
    if len(raw.columns) > 10:
        return None
    time = _named(raw, TIME_NAMES)
    tag, value = _named(raw, TAG_NAMES), _named(raw, VALUE_NAMES)
    if time is None or tag is None or value is None:
        return None
    tags = pc.unique(raw.table[tag])
    if not 2 <= len(tags) <= min(MOST_TAGS, raw.table.num_rows / 2):
        return None
    unit = _named(raw, UNIT_NAMES)
    idle = [c for c in raw.columns if same_name(c) in IDLE_NAMES]
    known = {time, tag, value, unit, *idle}
    return TagTable(
        time, tag, value, unit, idle, [c for c in raw.columns if c not in known]
    )


def _named(raw: Raw, names: frozenset[str]) -> str | None:
    found = [c for c in raw.columns if same_name(c) in names]
    return found[0] if len(found) == 1 else None


def _to_wide(raw: Raw, parts: TagTable, *, asked: bool) -> Raw:
    """One record per time, with a column per tag; a value seen twice makes a second."""
    table = raw.table
    tags, names = _codes(table[parts.tag])
    keys = np.stack(
        [_codes(table[c])[0] for c in (FILE, *parts.keys, parts.time)], axis=1
    )
    group = _numbered(keys)
    again = _occurrence(group, tags)
    record = _numbered(np.stack([group, again], axis=1))
    records = int(record.max()) + 1
    filled = table.num_rows / (records * len(names))
    if not asked and (filled < FILLED or records * len(names) > MOST_CELLS):
        return _left_long(raw, parts, len(names), filled)
    if records * len(names) > MOST_CELLS:
        raise _too_large(records)
    first = np.full(records, -1)
    first[record[::-1]] = np.arange(len(record))[::-1]
    source = pa.array(first)
    kept = [parts.time, *parts.keys]
    columns = {c: table[c].take(source) for c in kept}
    own = unique_names([*kept, *names])[len(kept) :]
    for code, name in enumerate(own):
        places = np.full(records, -1)
        places[record[tags == code]] = np.flatnonzero(tags == code)
        at = pa.array(places, mask=places < 0)
        columns[name] = table[parts.value].take(at)
    columns |= {c: table[c].take(source) for c in PROVENANCE}
    units = {c: u for c, u in raw.units.items() if c in kept}
    if parts.unit is not None:
        units |= _units_of_tags(table, parts.unit, tags, own)
    said = finding(
        "long-table",
        columns=[parts.time, parts.tag, parts.value],
        count=len(own),
        examples=own,
        rows=table.num_rows,
        records=records,
        tags=list_of(own),
        twice=int((again > 0).sum()),
    )
    return _recounted(replace(raw, units=units), pa.table(columns), said)


def _left_long(raw: Raw, parts: TagTable, tags: int, filled: float) -> Raw:
    said = finding(
        "long-table",
        columns=[parts.time, parts.tag, parts.value],
        count=tags,
        variant="uneven",
        filled=f"{filled:.0%}",
    )
    return replace(raw, findings=[*raw.findings, said])


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """A number for every value, and the values as text; a blank is a value, too."""
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    names = ["" if v is None else str(v).strip() for v in coded.dictionary.to_pylist()]
    return coded.indices.to_numpy(zero_copy_only=False), names


def _numbered(keys: np.ndarray) -> np.ndarray:
    """Equal rows of keys get equal numbers, in the order they first occur."""
    _, first, number = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[number.reshape(-1)]


def _occurrence(group: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """How often the same tag stood in the same group before."""
    pair = _numbered(np.stack([group, tags], axis=1))
    order = np.argsort(pair, kind="stable")
    ordered = pair[order]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    since = np.arange(len(pair)) - np.maximum.accumulate(
        np.where(starts, np.arange(len(pair)), 0)
    )
    again = np.empty_like(since)
    again[order] = since
    return again


def _units_of_tags(
    table: pa.Table, unit: str, tags: np.ndarray, names: Sequence[str]
) -> dict[str, str]:
    """The unit of every tag that is always written with the same one."""
    codes, words = _codes(table[unit])
    units = {}
    for code, name in enumerate(names):
        own = np.unique(codes[tags == code])
        if len(own) == 1 and words[own[0]]:
            units[name] = words[own[0]]
    return units


def _recounted(raw: Raw, table: pa.Table, said: Finding) -> Raw:
    """The turned table; every file's rows are now those of the table it became."""
    rows = Counter(table[FILE].to_pylist())
    rejected = Counter(r.file for r in raw.rejected)
    sources = [replace(s, rows=rows[s.name] + rejected[s.name]) for s in raw.sources]
    table = table.set_column(
        table.column_names.index(ROW), ROW, table[ROW].cast(pa.int64())
    )
    return replace(raw, table=table, sources=sources, findings=[*raw.findings, said])


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


def _too_large(records: int) -> KampError:
    return KampError(
        f"표를 돌리면 너무 커집니다({records:,}행). 기간을 나누어 가져오거나 --layout as-is 를 쓰세요.",
        f"the turned table would be too large ({records:,} rows); ingest it in parts, or use"
        " --layout as-is.",
    )
