"""Columns that are too large for memory, in mapped files that leave nothing behind.

A mapped column looks like any other, but its values lie in a file without a name: the
system reads pages as they are touched, and what was touched is given back twenty times a
second. When the last reference is gone, or the process is killed, so is the file.
"""

from __future__ import annotations

import mmap
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Lock, Thread
from typing import IO
from weakref import WeakSet

import numpy as np
import pandas as pd
import pyarrow as pa

IN_MEMORY = 600 << 20  # bytes of a table that is worked on in memory
PAUSE_S = 0.05

_maps: WeakSet[mmap.mmap] = WeakSet()
_lock = Lock()


def let_go() -> bool:
    """Take no memory for what has been read of mapped columns; False: there are none."""
    with _lock:
        maps = list(_maps)
    for mapped in maps:
        mapped.madvise(mmap.MADV_DONTNEED)
    return bool(maps)


def _keep_letting_go() -> None:
    while let_go():
        time.sleep(PAUSE_S)


def _watch(mapped: mmap.mmap) -> None:
    with _lock:
        alone = not _maps
        _maps.add(mapped)
    if alone:
        Thread(target=_keep_letting_go, daemon=True).start()


def in_memory(values: pd.Series) -> pd.Series:
    """Leaves a column where it is."""
    return values


def as_it_is(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Leaves an Arrow column where it is."""
    return values


class Spool:
    """Lays columns out in files of a folder.

    Parameters
    ----------
    folder : Path, optional
        On a disk with room for the data; None uses the system's temporary folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def table(self, schema: pa.Schema, parts: Iterable[pa.Table]) -> pa.Table:
        """Tables of one schema as one mapped table."""
        with self._file() as file:
            with pa.ipc.new_file(file, schema) as writer:
                for part in parts:
                    writer.write_table(part)
            return pa.ipc.open_file(pa.BufferReader(_mapped(file))).read_all()

    def series(self, values: pd.Series) -> pd.Series:
        """A column as a mapped one of the same type and values."""
        let_go()
        pa.default_memory_pool().release_unused()  # of what made the column before
        if not len(values):
            return values
        if isinstance(values.dtype, np.dtype) and values.dtype != object:
            with self._file() as file:
                values.to_numpy().tofile(file)
                held = np.frombuffer(_mapped(file), dtype=values.dtype)
            return pd.Series(held, copy=False)
        if pd.api.types.is_string_dtype(values.dtype):
            table = pa.table({"values": pa.chunked_array(pa.array(values))})
            mapped = self.table(table.schema, [table])["values"]
            return pd.Series(values.array._from_sequence(mapped, dtype=values.dtype))
        return values

    def array(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """An Arrow column as a mapped one."""
        table = pa.table({"values": values})
        return self.table(table.schema, [table])["values"]

    def _file(self) -> IO[bytes]:
        return tempfile.TemporaryFile(dir=self._folder)


def _mapped(file: IO[bytes]) -> pa.Buffer:
    file.flush()
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _watch(mapped)
    return pa.py_buffer(mapped)
