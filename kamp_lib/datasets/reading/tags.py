"""Lists of time, tag and value, as historians export them -> one row per time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.raw import FILE, PROVENANCE, Raw, unique_names
from kamp_lib.datasets.reading.alike import same_name
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError
from kamp_lib.text import Text

MOST_CELLS = 50_000_000  # of a turned table
MOST_TAGS = 1000
FILLED = 0.5  # of the turned table, for turning it without being asked


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DATE_NAMES = _words("date day 날짜 일자 일시 측정일 작업일 생산일 검침일")
TIME_NAMES = DATE_NAMES | _words(
    "time timestamp datetime ts tstamp 시각 시간 측정시각 측정일시 기록시각 기록일시"
    " 수집시각 수집일시"
)
TAG_NAMES = _words(
    "tag tagname tagid name variable sensor sensorid sensorname item itemname point"
    " pointname channel parameter signal 태그 태그명 항목 항목명 변수 변수명 센서 센서명"
    " 측정항목 검사항목 채널 포인트"
)
VALUE_NAMES = _words(
    "value val values reading measurement measuredvalue pv 값 측정값 측정치 데이터 수치"
    " 센서값 결과값"
)
UNIT_NAMES = _words("unit units uom 단위")
IDLE_NAMES = _words("quality qualitycode status 품질 상태")


@dataclass(frozen=True)
class TagTable:
    """Which columns of a list of measurements are what."""

    time: str
    tag: str
    value: str
    unit: str | None
    idle: list[str]  # quality marks of single values
    keys: list[str]  # what else tells records apart: machine, lot


def tag_table(raw: Raw) -> TagTable | None:
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


def tags_as_columns(
    raw: Raw, parts: TagTable, *, asked: bool
) -> tuple[pa.Table, dict[str, str], Finding]:
    """One record per time, with a column per tag; a value seen twice makes a second.

    Unless it is asked for, a table that would hold mostly blanks is not made.
    """
    table = raw.table
    tags, names = _codes(table[parts.tag])
    group = _group(table, [FILE, *parts.keys, parts.time])
    again = pd.Series(tags).groupby([group, tags]).cumcount().to_numpy()
    record = _numbered(group, again)
    records = int(record.max()) + 1
    filled = table.num_rows / (records * len(names))
    if records * len(names) > MOST_CELLS and asked:
        raise too_large(records)
    if not asked and (filled < FILLED or records * len(names) > MOST_CELLS):
        return table, raw.units, _left_a_list(parts, len(names), filled)
    first = pa.array(np.unique(record, return_index=True)[1])
    kept = [parts.time, *parts.keys]
    own = unique_names([*kept, *names])[len(kept) :]
    columns = {c: table[c].take(first) for c in kept}
    for code, name in enumerate(own):
        here = np.flatnonzero(tags == code)
        places = np.full(records, -1)
        places[record[here]] = here
        columns[name] = table[parts.value].take(pa.array(places, mask=places < 0))
    columns |= {c: table[c].take(first) for c in PROVENANCE}
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
        twice=_twice(int((again > 0).sum())),
    )
    return pa.table(columns), units, said


def _twice(count: int) -> Text:
    if not count:
        return Text("", "")
    return Text(
        f" 같은 시각에 두 번 적힌 값 {count:,}개는 따로 한 행으로 두었습니다.",
        f" {count:,} value(s) noted twice at one time have a row of their own.",
    )


def _left_a_list(parts: TagTable, tags: int, filled: float) -> Finding:
    return finding(
        "long-table",
        columns=[parts.time, parts.tag, parts.value],
        count=tags,
        variant="uneven",
        filled=f"{filled:.0%}",
    )


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """A number for every value, and the values as text; a blank is a value, too."""
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    names = ["" if v is None else str(v).strip() for v in coded.dictionary.to_pylist()]
    return coded.indices.to_numpy(zero_copy_only=False), names


def _group(table: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """Rows that agree in all columns get one number, in the order they first occur."""
    number = np.zeros(table.num_rows, dtype=np.int64)
    for column in columns:
        number = _numbered(number, _codes(table[column])[0])
    return number


def _numbered(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    both = one.astype(np.int64) * (int(other.max()) + 1) + other
    return np.asarray(pd.factorize(both)[0])


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


def too_large(records: int) -> KampError:
    """A table that would not fit once it is turned."""
    return KampError(
        f"표를 돌리면 너무 커집니다({records:,}행). 기간을 나누어 가져오거나 --layout as-is 를 쓰세요.",
        f"the turned table would be too large ({records:,} rows); ingest it in parts, or use"
        " --layout as-is.",
    )
