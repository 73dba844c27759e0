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


@dataclass(frozen=True)
class Staged:
    """What an ingest keeps beside its rows."""

    manifest: Manifest
    rejected: pd.DataFrame
    cells: pa.Table
    raw: Raw
    wider: pa.Schema | None
    after: int | None = None  # a fix: the version before the ingest that it replaces


class Writing:
    """One ingest on its way into the store; see `writing`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._originals: Originals | None = None

    def begin(self, raw: Raw) -> None:
        """Have the originals copied from now on, while the rows are still being checked.

        Called once, when nothing but what the checks say is open.
        """
        sweep(self._store)
        self._originals = Originals(self._store, raw)

    def commit(self, staged: Staged, rows: pa.Table, *, op: str) -> int:
        """Write all else, and make it visible. Returns the new version."""
        assert self._originals is not None  # noqa: S101
        ingest = staged.manifest.id
        base = State(self._store, staged.after or None)
        # The types of rows that were all taken back bind nobody.
        fresh = not base.ingests or staged.after == 0
        replace = op == "replace"
        keep_record(self._store, staged.manifest, staged.rejected, staged.cells)
        if INGEST_COLUMN not in rows.column_names:  # a repair names that of each
            name = _repeated(ingest, rows.num_rows)
            rows = rows.append_column(INGEST_COLUMN, name)
        redone = staged.after is not None
        rewrite = (staged.wider is not None or redone) and not (replace or fresh)
        if rewrite:
            old = Dataset(base).arrow()
            old = old if staged.wider is None else old.cast(staged.wider)
            rows = pa.concat_tables([old, rows], promote_options="permissive")
        return commit_rows(
            self._store,
            rows,
            ingest,
            op=op,
            to=staged.after,
            whole=replace or rewrite or fresh,
            ready=self._originals.ready,
        )

    def end(self, *, failed: bool = False) -> None:
        """Nothing is written any more; of what failed, nothing is left."""
        if self._originals is None:
            return
        self._originals.stop()
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
