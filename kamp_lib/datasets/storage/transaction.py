"""Writing one ingest: everything beside, then the one commit that makes it visible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from kamp_lib.datasets.raw import INGEST_COLUMN, Raw
from kamp_lib.datasets.storage.commit import commit_rows
from kamp_lib.datasets.storage.dataset import Dataset
from kamp_lib.datasets.storage.durable import sync, write_durably
from kamp_lib.datasets.storage.manifest import Manifest
from kamp_lib.datasets.storage.originals import Originals
from kamp_lib.datasets.storage.quarantine import parquet_bytes, quarantine_file
from kamp_lib.datasets.storage.store import State, Store
from kamp_lib.datasets.storage.sweep import sweep
from kamp_lib.datasets.storage.table_files import TableFiles


@dataclass(frozen=True)
class Coming:
    """What an ingest will store; known before its rows are checked.

    Attributes
    ----------
    wider
        The types that the table takes on, when its own are too narrow.
    after
        A fix: the version before the ingest that it replaces.
    """

    ingest: str
    raw: Raw
    rows: pa.Table
    op: str
    wider: pa.Schema | None = None
    after: int | None = None


@dataclass(frozen=True)
class Staged:
    """What an ingest keeps beside its rows."""

    manifest: Manifest
    rejected: pd.DataFrame
    cells: pa.Table


@dataclass
class _Begun:
    """What goes on beside the checks, and what the commit has to know of it."""

    coming: Coming
    rows: pa.Table
    base: State
    whole: bool
    originals: Originals
    files: TableFiles | None = None

    def stop(self) -> None:
        """Return when nothing is being written any more."""
        writers = [w for w in (self.originals, self.files) if w is not None]
        for writer in writers:  # first, since waiting for one may be interrupted
            writer.stop()
        for writer in writers:
            writer.wait()


class Writing:
    """One ingest on its way into the store; see `writing`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begun: _Begun | None = None

    def begin(self, coming: Coming) -> None:
        """Have files and rows written from now on, while the rows are still being checked.

        Called once, when nothing but what the checks say is open.
        """
        sweep(self._store)
        base = State(self._store, coming.after or None)
        rows = coming.rows
        if INGEST_COLUMN not in rows.column_names:  # a repair names that of each
            name = _repeated(coming.ingest, rows.num_rows)
            rows = rows.append_column(INGEST_COLUMN, name)
        # The types of rows that were all taken back bind nobody.
        fresh = coming.op == "replace" or not base.ingests or coming.after == 0
        rewrite = not fresh and (coming.wider is not None or coming.after is not None)
        originals = Originals(self._store, coming.raw)
        begun = _Begun(coming, rows, base, fresh or rewrite, originals)
        self._begun = begun
        if rewrite:
            old = Dataset(base).arrow()
            old = old if coming.wider is None else old.cast(coming.wider)
            begun.rows = pa.concat_tables([old, rows], promote_options="permissive")
        # a new column is left to the library, which knows how a table takes it on
        if begun.whole or _has_columns(Dataset(base).schema, begun.rows.schema):
            name = f"part-{coming.ingest}"
            begun.files = TableFiles(self._store.writing, begun.rows, name)
            begun.files.start()

    def commit(self, staged: Staged) -> int:
        """Write all else, and make it visible. Returns the new version."""
        begun = self._begun
        assert begun is not None  # noqa: S101
        keep_record(self._store, staged.manifest, staged.rejected, staged.cells)
        return commit_rows(
            self._store,
            begun.files or begun.rows,
            begun.coming.ingest,
            op=begun.coming.op,
            to=begun.coming.after,
            whole=begun.whole,
            ready=begun.originals.ready,
        )

    def end(self, *, failed: bool = False) -> None:
        """Nothing is written any more; of what failed, nothing is left."""
        if self._begun is None:
            return
        self._begun.stop()
        if failed:
            sweep(self._store)


@contextmanager
def writing(store: Store) -> Iterator[Writing]:
    """An ingest that is written, under the lock, within the block.

    Whatever interrupts it before the commit (a refusal, a full disk, Ctrl-C), all that
    it wrote is removed; whatever kills it, the next ingest sweeps.
    """
    work = Writing(store)
    try:
        yield work
    except BaseException:
        work.end(failed=True)
        raise
    work.end()


def _has_columns(held: pa.Schema, new: pa.Schema) -> bool:
    return all(f.name in held.names and held.field(f.name).type == f.type for f in new)


def _repeated(word: str, times: int) -> pa.ChunkedArray:
    """One word for every row, held in memory once."""
    block = pa.array([word] * min(times, 1 << 16), pa.string())
    return pa.chunked_array(
        [block.slice(0, times - first) for first in range(0, times, 1 << 16)],
        pa.string(),
    )


def keep_record(
    store: Store, manifest: Manifest, rejected: pd.DataFrame, cells: pa.Table
) -> None:
    """Write what is known of an ingest, on disk before the commit that names it."""
    folder = store.ingest_folder(manifest.id)
    write_durably(folder / "cells.parquet", parquet_bytes(cells))
    write_durably(folder / "quarantine.parquet", quarantine_file(rejected))
    write_durably(folder / "manifest.json", manifest.as_json().encode())
    sync(folder.parent)
