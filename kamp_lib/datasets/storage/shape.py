"""The types in which rows are stored, and how new rows fit a table that exists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from kamp_lib.catalog import Equipment
from kamp_lib.datasets.abreast import each, ready
from kamp_lib.datasets.mapping.propose import standard_columns
from kamp_lib.datasets.spool import as_it_is
from kamp_lib.errors import KampError

BLOCK = 1 << 20  # rows
Keep = Callable[[pa.ChunkedArray], pa.ChunkedArray]


def as_stored(
    frame: pd.DataFrame,
    machine: Equipment,
    record_kind: str | None,
    time_zone: str,
    *,
    keep: Keep = as_it_is,
) -> pa.Table:
    """Mapped rows as they are stored: local times in UTC, standard columns in their kind.

    Sensors and setpoints are always float64, so that a file whose pressures happen to
    be whole fits the next one; categories and texts are text. `keep` takes columns that
    had to be made anew to where columns of this length are kept.
    """
    known = standard_columns(map(str, frame.columns), machine, record_kind)

    def stored(name: str) -> pa.Array | pa.ChunkedArray:
        values, column = frame[name], known.get(str(name))
        if pd.api.types.is_datetime64_any_dtype(values):
            values = as_utc(values, time_zone)
        elif column is not None and pd.api.types.is_numeric_dtype(values):
            if column.kind == "number" and column.role in ("sensor", "setpoint"):
                values = values.astype("float64")
            elif column.kind in ("category", "text") and _whole(values):
                values = values.astype("Int64").astype("string")
        array = _arrow(values)
        numbers = pa.types.is_floating(array.type) or pa.types.is_integer(array.type)
        return array if numbers else keep(array)

    abreast = len(frame) if keep is as_it_is else 0
    made = each(stored, ready(frame).columns, rows=abreast)
    return pa.table(dict(zip(map(str, frame.columns), made, strict=True)))


def as_utc(values: pd.Series, time_zone: str) -> pd.Series:
    """Local times in UTC; where clocks went back the earlier reading is not knowable."""
    if values.dt.tz is None:
        values = values.dt.tz_localize(
            time_zone,
            ambiguous=np.zeros(len(values), dtype=bool),
            nonexistent="shift_forward",
        )
    return values.dt.tz_convert("UTC")


def _whole(values: pd.Series) -> bool:
    known = values.dropna().to_numpy(dtype="float64")
    return bool(np.all(np.isfinite(known) & (known == np.round(known))))


def _arrow(values: pd.Series) -> pa.Array | pa.ChunkedArray:
    array = pa.Array.from_pandas(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("us", tz="UTC"), safe=False)
    if pa.types.is_large_string(array.type):  # in blocks: 2 GB is the most of a string
        blocks = range(0, len(array), BLOCK)
        parts = [array.slice(first, BLOCK).cast(pa.string()) for first in blocks]
        return pa.chunked_array(parts, pa.string())
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def fitted(
    new: pa.Table, old: pa.Schema, name: str
) -> tuple[pa.Table, pa.Schema | None]:
    """New rows in the types of the stored ones.

    Returns
    -------
    table : pyarrow.Table
        The new rows.
    wider : pyarrow.Schema or None
        Set when the stored rows have to be rewritten in wider types (whole numbers that
        now get fractions).

    Raises
    ------
    KampError
        When a column changed its kind, say from number to text.
    """
    # Delta Lake knows no upper and lower case in names.
    held_as = {name.lower(): name for name in old.names}
    new = new.rename_columns([held_as.get(n.lower(), n) for n in new.column_names])
    wider: dict[str, pa.DataType] = {}
    for place, field in enumerate(new.schema):
        if field.name not in old.names or field.type == old.field(field.name).type:
            continue
        held, column = old.field(field.name).type, new[place]
        if column.null_count == len(column):
            new = new.set_column(place, field.name, pa.nulls(len(column), held))
        elif pa.types.is_string(held) and pa.types.is_integer(field.type):
            new = new.set_column(place, field.name, column.cast(held))
        elif _is_number(held) and _is_number(field.type):
            try:
                new = new.set_column(place, field.name, column.cast(held))
            except pa.ArrowInvalid:
                wider[field.name] = pa.float64()
        else:
            raise KampError(
                f"'{field.name}' 열의 종류가 데이터셋 '{name}'과 다릅니다"
                f" ({_said(held)[0]} → {_said(field.type)[0]})."
                " 파일을 확인하거나 --dataset 으로 다른 이름에 저장하세요.",
                f"column {field.name!r} was {_said(held)[1]} in data set {name!r} and is now"
                f" {_said(field.type)[1]}; check the file, or store it under another --dataset.",
            )
    if not wider:
        return new, None
    fields = [pa.field(f.name, wider.get(f.name, f.type)) for f in old]
    return new, pa.schema(fields)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _said(kind: pa.DataType) -> tuple[str, str]:
    if _is_number(kind):
        return ("숫자", "numbers")
    return ("시각", "times") if pa.types.is_timestamp(kind) else ("문자", "text")
