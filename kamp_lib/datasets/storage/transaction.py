"""Writing one ingest: everything beside, then the one commit that makes it visible."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from kamp_lib.datasets.raw import INGEST_COLUMN, Raw, Source
from kamp_lib.datasets.storage.commit import commit_rows
from kamp_lib.datasets.storage.dataset import Dataset
from kamp_lib.datasets.storage.durable import PARTIAL, sync, write_durably
from kamp_lib.datasets.storage.manifest import Manifest
from kamp_lib.datasets.storage.quarantine import parquet_bytes, quarantine_file
from kamp_lib.datasets.storage.store import State, Store
from kamp_lib.datasets.storage.sweep import sweep
from kamp_lib.errors import KampError

BLOCK = 1 << 20  # bytes copied at a time
FEW_FILES = 50  # up to so many are flushed to disk one by one


@dataclass(frozen=True)
class Staged:
    """What an ingest keeps beside its rows."""

    manifest: Manifest
    rejected: pd.DataFrame
    cells: pa.Table
    raw: Raw
    wider: pa.Schema | None
    after: int | None = None  # a fix: the version before the ingest that it replaces


def store_ingest(store: Store, staged: Staged, rows: pa.Table, *, op: str) -> int:
    """Write an ingest under the lock. Returns the new version.

    Whatever interrupts it before the commit (a full disk, Ctrl-C), all that it wrote is
    removed; whatever kills it, the next ingest sweeps.
    """
    sweep(store)
    ingest = staged.manifest.id
    base = State(store, staged.after or None)
    # The types of rows that were all taken back bind nobody.
    fresh = not base.ingests or staged.after == 0
    replace = op == "replace"
    try:
        with ThreadPoolExecutor(1) as beside:  # the original goes its way meanwhile
            kept = beside.submit(_keep_all, store, staged.raw)
            keep_record(store, staged.manifest, staged.rejected, staged.cells)
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
                store,
                rows,
                ingest,
                op=op,
                to=staged.after,
                whole=replace or rewrite or fresh,
                ready=kept.result,
            )
    except BaseException:
        if ingest not in {c.ingest for c in store.commits()}:
            sweep(store)
        raise


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


def place_of(store: Store, source: Source, raw: Raw) -> Path:
    """Where a file is kept by the hash of its content."""
    if raw.images and source is not raw.labels:
        return store.images / (source.sha256 + source.path.suffix.lower())
    return store.originals / source.sha256


def _keep_all(store: Store, raw: Raw) -> None:
    """Copy every file to its place, and have them all on disk before the commit."""
    if not raw.keep_originals:
        return
    sources = [*raw.sources, *([raw.labels] if raw.labels else [])]
    each = len(sources) <= FEW_FILES
    for source in sources:
        _keep(source, place_of(store, source, raw), flush=each)
    if not each:
        os.sync()  # once for a thousand pictures, not a thousand times
        return
    for folder in (store.originals, store.images):
        if folder.is_dir():
            sync(folder)


def _keep(source: Source, place: Path, *, flush: bool = True) -> None:
    """Copy a file to its place, making sure it is still the file that was read."""
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f"{PARTIAL}{os.getpid()}-{place.name}")
    read = hashlib.sha256()
    try:
        with open(source.path, "rb") as original, open(partial, "wb") as file:
            while block := original.read(BLOCK):
                read.update(block)
                file.write(block)
            if flush:
                file.flush()
                os.fsync(file.fileno())
    except FileNotFoundError as error:
        raise _changed(source) from error
    if read.hexdigest() != source.sha256:
        partial.unlink()
        raise _changed(source)
    partial.rename(place)


def _changed(source: Source) -> KampError:
    return KampError(
        f"'{source.name}'이(가) 읽는 동안 바뀌었습니다. 쓰기가 끝난 뒤 다시 가져오세요.",
        f"{source.name!r} changed while it was read; ingest it again when it is complete.",
    )
