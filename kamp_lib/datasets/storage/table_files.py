"""Rows -> Parquet files that one Delta commit can name.

The writer of the Delta library takes one thread and tries a dictionary on every column;
measurements of many digits have none. Here two files are written at a time, fractions
with their bytes sorted by place (which compresses them), the rest with a dictionary
where values recur.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from kamp_lib.datasets.spool import let_go
from kamp_lib.datasets.storage.durable import sync

WORKERS = 2
GROUP = 1 << 17  # rows of a row group, the unit of memory
LARGEST = 8 * GROUP  # rows of a file
LOOKED_AT = 10_000  # values that tell whether they recur


def write_table_files(folder: Path, rows: pa.Table, name: str) -> list[AddAction]:
    """Write rows as Parquet files, in their order.

    Parameters
    ----------
    folder : Path
        Where the files go.
    rows : pyarrow.Table
        In the types of the Delta table.
    name : str
        What file names begin with; no other commit may use it.

    Returns
    -------
    list of AddAction
        What a commit has to say of the files.
    """
    encoding = _encoding(rows)

    def write(number: int, part: pa.Table) -> AddAction:
        path = folder / f"{name}-{number:05}.parquet"
        with pq.ParquetWriter(path, rows.schema, **encoding) as writer:
            for first in range(0, max(1, part.num_rows), GROUP):
                writer.write_table(part.slice(first, GROUP))
                let_go()
        sync(path)  # while the other file is still being compressed
        told = json.dumps({"numRecords": part.num_rows})
        now = int(time.time() * 1000)
        return AddAction(path.name, path.stat().st_size, {}, now, True, told)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(write, *zip(*enumerate(_parts(rows)), strict=True)))


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    """Files of about one size, a few at least when there is much to write."""
    groups = -(-rows.num_rows // GROUP)
    size = GROUP * min(LARGEST // GROUP, max(1, -(-groups // WORKERS)))
    for first in range(0, max(1, rows.num_rows), size):
        yield rows.slice(first, size)


def _encoding(rows: pa.Table) -> dict[str, object]:
    recurring, fractions = [], []
    head = rows.slice(0, LOOKED_AT)
    for field, column in zip(head.schema, head.columns, strict=True):
        if pc.count_distinct(column).as_py() * 4 <= len(column):
            recurring.append(field.name)
        elif pa.types.is_floating(field.type):
            fractions.append(field.name)
    return {"use_dictionary": recurring, "use_byte_stream_split": fractions}
