"""Parquet, Feather and Arrow files -> raw cells; tables of other readers as well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from kamp_lib.datasets.raw import FILE, ROW, Raw, Source, unique_names
from kamp_lib.datasets.reading.refusals import no_data, plainly
from kamp_lib.errors import KampError

MOST_CELLS = 1_000_000_000
INT64 = 2**63


def read_parquet(path: Path, name: str) -> Raw:
    """Read one Parquet file."""
    with plainly(name, "Parquet"):
        with pq.ParquetFile(path) as file:
            check_cells(file.metadata.num_rows, file.metadata.num_columns, name)
            table = file.read()
        table.validate(full=True)
        return raw_of(table, path, name)


def read_arrow(path: Path, name: str) -> Raw:
    """Read one Feather or Arrow IPC file, or a stream saved as a file."""
    with plainly(name, "Feather/Arrow"):
        with pa.OSFile(str(path)) as file:  # a map of a file that shrinks is fatal
            stream = file.read(6) != b"ARROW1"
            file.seek(0)
            reader = ipc.open_stream(file) if stream else ipc.open_file(file)
            table = reader.read_all()
        table.validate(full=True)  # offsets of a damaged file lead anywhere
        check_cells(table.num_rows, table.num_columns, name)
        return raw_of(table, path, name)


def raw_of(
    table: pa.Table,
    path: Path,
    name: str,
    *,
    details: Mapping[str, str] | None = None,
    first_row: int = 1,
) -> Raw:
    """Raw cells of a table whose columns have types already.

    What no column of a data set can hold becomes what it can: structures a column per
    field (`motor.speed`), lists and binary text, durations seconds.
    """
    if table.num_rows == 0 or table.num_columns == 0:
        raise no_data(name)
    units = _units(table.schema)
    table = _flat(_without_row_numbers(table).replace_schema_metadata(None))
    plain = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_duration(field.type):
            units[field.name] = "s"
        plain.append(_plain(column))
    names = unique_names(table.column_names)
    rows = table.num_rows
    own = dict(zip(table.column_names, names, strict=True))
    units = {own[name]: unit for name, unit in units.items() if name in own}
    cells = pa.table(plain, names=names)
    cells = cells.append_column(FILE, pa.array([name] * rows, pa.string()))
    numbers = np.arange(first_row, first_row + rows)
    cells = cells.append_column(ROW, pa.array(numbers, pa.int64()))
    return Raw(cells, [source_of(path, name, rows, details or {})], units=units)


def source_of(path: Path, name: str, rows: int, details: Mapping[str, str]) -> Source:
    """The source for a file whose bytes are not held in memory."""
    with open(path, "rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
    return Source(name, path, sha, path.stat().st_size, rows, details=dict(details))


def check_cells(rows: int, columns: int, name: str) -> None:
    """Refuse a table that no memory holds; a small file may declare one."""
    if rows * max(1, columns) > MOST_CELLS:
        raise KampError(
            f"'{name}'의 표가 너무 큽니다({rows:,}행 × {columns:,}열). 기간별로 나누어 가져오세요.",
            f"the table in {name!r} is too large ({rows:,} rows × {columns:,} columns);"
            " ingest it in parts.",
        )


def _units(schema: pa.Schema) -> dict[str, str]:
    """Units that the fields' own metadata tell."""
    said = {field.name: (field.metadata or {}).get(b"unit") for field in schema}
    return {n: u.decode("utf-8", "replace") for n, u in said.items() if u}


def _without_row_numbers(table: pa.Table) -> pa.Table:
    """pandas' index: mere numbers go, anything else (times, names) is a column."""
    keep, names = [], []
    for place, field in enumerate(table.schema):
        is_index = field.name.startswith("__index_level_")
        if not (is_index and pa.types.is_integer(field.type)):
            keep.append(place)
            names.append("index" if is_index else field.name)
    return table.select(keep).rename_columns(names) if keep else table


def _flat(table: pa.Table) -> pa.Table:
    """Structures as one column per field."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in a type that parsing knows."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(column.cast(kind.storage_type))
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_run_end_encoded(kind):
        return _plain(pa.chunked_array([pc.run_end_decode(c) for c in column.chunks]))
    for fits, made in _CONVERSIONS:
        if fits(kind):
            return made(column)
    return column


def _as_json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    cells = [None if v is None else _json(v) for v in column.to_pylist()]
    return pa.chunked_array([pa.array(cells, pa.string())])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _binary_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Old writers mark no text as text; what is none is shown in hexadecimal digits."""
    try:
        return column.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        cells = [None if v is None else v.hex() for v in column.to_pylist()]
        return pa.chunked_array([pa.array(cells, pa.string())])


def _unsigned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Signed where that holds all; else text, because a float would lose digits."""
    largest = pc.max(column).as_py()
    fits = largest is None or largest < INT64
    return column.cast(pa.int64() if fits else pa.string())


def _seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    whole = column.cast(pa.duration("ns"), safe=False).cast(pa.int64())
    return pc.divide(whole.cast(pa.float64(), safe=False), 1e9)


def _as_string(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _is_binary(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


_CONVERSIONS: list[
    tuple[Callable[[pa.DataType], bool], Callable[[pa.ChunkedArray], pa.ChunkedArray]]
] = [
    (_is_binary, _binary_as_text),
    (pa.types.is_nested, _as_json),
    (pa.types.is_interval, _as_json),
    (pa.types.is_string_view, _as_string),
    (pa.types.is_time, _as_string),
    (pa.types.is_null, _as_string),
    (pa.types.is_duration, _seconds),
    (pa.types.is_float16, lambda column: column.cast(pa.float64())),
    (pa.types.is_uint64, _unsigned),
]
