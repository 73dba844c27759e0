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
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from kamp_lib.datasets.spool import let_go
from kamp_lib.datasets.storage.durable import Stopped, open_new, sync

WORKERS = 2
GROUP = 1 << 17  # rows of a row group, the unit of memory
LARGEST = 8 * GROUP  # rows of a file
LOOKED_AT = 10_000  # values that tell whether they recur


class TableFiles:
    """Rows on their way into files, in their order, beside whatever else is going on.

    Parameters
    ----------
    folder : Path
        Made for them, and of no use to anybody else.
    rows : pyarrow.Table
        In the types of the Delta table.
    name : str
        What file names begin with; no other commit may use it.
    """

    def __init__(self, folder: Path, rows: pa.Table, name: str) -> None:
        self.folder = folder
        self.schema = rows.schema
        self._rows = rows
        self._name = name
        self._encoding = _encoding(rows)
        self._stop = Event()
        self._beside = ThreadPoolExecutor(WORKERS)
        self._written: list[Future[AddAction]] = []

    def start(self) -> None:
        """Begin to write."""
        self.folder.mkdir(parents=True)
        for number, part in enumerate(_parts(self._rows)):
            self._written.append(self._beside.submit(self._write, number, part))

    def ready(self) -> list[AddAction]:
        """What a commit has to say of the files, when all are on disk."""
        return [written.result() for written in self._written]

    def stop(self) -> None:
        """What is not written yet need not be."""
        self._stop.set()

    def wait(self) -> None:
        """Return when nothing is being written any more."""
        self._beside.shutdown(cancel_futures=True)

    def _write(self, number: int, part: pa.Table) -> AddAction:
        path = self.folder / f"{self._name}-{number:05}.parquet"
        with (  # on a full disk the writer does not close its file
            open_new(path) as file,
            pq.ParquetWriter(file, self.schema, **self._encoding) as writer,
        ):
            for first in range(0, max(1, part.num_rows), GROUP):
                if self._stop.is_set():
                    raise Stopped
                writer.write_table(part.slice(first, GROUP))
                let_go()
        sync(path)  # while the other file is still being compressed
        told = json.dumps({"numRecords": part.num_rows})
        now = int(time.time() * 1000)
        return AddAction(path.name, path.stat().st_size, {}, now, True, told)


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
