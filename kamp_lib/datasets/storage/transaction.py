"""Writing one ingest: everything beside, then the one commit that makes it visible."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from kamp_lib.datasets.raw import INGEST_COLUMN, Raw, Source
from kamp_lib.datasets.storage.dataset import Dataset
from kamp_lib.datasets.storage.quarantine import quarantine_file
from kamp_lib.datasets.storage.store import (
    Manifest,
    State,
    Store,
    sync_folder,
    write_durably,
)
from kamp_lib.errors import KampError

PARTIAL = ".partial-"
FEW_FILES = 50  # up to so many are flushed to disk one by one


@dataclass(frozen=True)
class Staged:
    """What an ingest keeps beside its rows."""

    manifest: Manifest
    rejected: pd.DataFrame
    raw: Raw
    wider: pa.Schema | None


def store_ingest(store: Store, staged: Staged, rows: pa.Table, *, replace: bool) -> int:
    """Write an ingest under the lock. Returns the new version.

    Whatever interrupts it before the commit (a full disk, Ctrl-C), all that it wrote is
    removed; whatever kills it, the next ingest sweeps.
    """
    sweep(store)
    ingest = staged.manifest.id
    # The types of rows that were all taken back bind nobody.
    fresh = not State(store).ingests
    try:
        _keep_all(store, staged.raw)
        folder = store.ingest_folder(ingest)
        write_durably(folder / "quarantine.parquet", quarantine_file(staged.rejected))
        write_durably(folder / "manifest.json", staged.manifest.as_json().encode())
        sync_folder(folder.parent)
        rows = rows.append_column(
            INGEST_COLUMN, pa.array([ingest] * rows.num_rows, pa.string())
        )
        rewrite = staged.wider is not None and not replace
        if rewrite and staged.wider is not None:
            old = Dataset(State(store)).arrow().cast(staged.wider)
            rows = pa.concat_tables([old, rows], promote_options="permissive")
        version = store.commit(
            rows, ingest, replace=replace, overwrite=replace or rewrite or fresh
        )
    except BaseException:
        if ingest not in {c.ingest for c in store.commits()}:
            sweep(store)
        raise
    _flush(store)
    return version


def place_of(store: Store, source: Source, raw: Raw) -> Path:
    """Where a file is kept by the hash of its content."""
    if raw.images and source is not raw.labels:
        return store.images / (source.sha256 + source.path.suffix.lower())
    return store.originals / source.sha256


def _kept(raw: Raw) -> list[Source]:
    return [*raw.sources, *([raw.labels] if raw.labels else [])]


def _keep_all(store: Store, raw: Raw) -> None:
    """Copy every file to its place, and have them all on disk before the commit."""
    sources = _kept(raw)
    each = len(sources) <= FEW_FILES
    for source in sources:
        _keep(source, place_of(store, source, raw), flush=each)
    if not each:
        os.sync()  # once for a thousand pictures, not a thousand times


def _keep(source: Source, place: Path, *, flush: bool = True) -> None:
    """Copy a file to its place, making sure it is still the file that was read."""
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f"{PARTIAL}{os.getpid()}-{place.name}")
    try:
        shutil.copyfile(source.path, partial)
    except FileNotFoundError as error:
        raise _changed(source) from error
    with open(partial, "rb+") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == source.sha256
        if flush:
            os.fsync(file.fileno())
    if not same:
        partial.unlink()
        raise _changed(source)
    partial.rename(place)


def _changed(source: Source) -> KampError:
    return KampError(
        f"'{source.name}'이(가) 읽는 동안 바뀌었습니다. 쓰기가 끝난 뒤 다시 가져오세요.",
        f"{source.name!r} changed while it was read; ingest it again when it is complete.",
    )


def sweep(store: Store) -> None:
    """Remove all that no commit names. Only under the lock."""
    commits = store.commits()
    named = {c.ingest for c in commits if c.ingest}
    if not named:
        shutil.rmtree(store.folder, ignore_errors=True)
        return
    for folder in (store.folder / "ingests").glob("*"):
        if folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)
    hashes = {f["sha256"] for i in named for f in store.manifest(i).files}
    for place in (*store.originals.glob("*"), *store.images.glob("*")):
        if place.name.split(".")[0] not in hashes:
            place.unlink(missing_ok=True)
    live = _committed_files(store, len(commits))
    for path in store.table_folder.glob("*.parquet"):
        if path.name not in live:
            path.unlink(missing_ok=True)


def _committed_files(store: Store, versions: int) -> set[str]:
    """Table files that any version names."""
    found = set()
    for version in range(versions):
        log = store.table_folder / "_delta_log" / f"{version:020}.json"
        for line in log.read_text(encoding="utf-8").splitlines():
            action = json.loads(line)
            if "add" in action:
                found.add(Path(action["add"]["path"]).name)
    return found


def _flush(store: Store) -> None:
    """Ask the disk to keep the newest table files, for the day the power fails."""
    try:
        _flush_newest(store)
    except OSError as error:
        raise KampError(
            f"저장은 했지만 디스크가 기록을 확인해 주지 않았습니다({error.strerror}). 디스크를 점검하세요.",
            f"the data are stored, but the disk did not confirm it ({error.strerror}); check the disk.",
        ) from error


def _flush_newest(store: Store) -> None:
    log = store.table_folder / "_delta_log"
    newest = max(log.glob("*.json"))
    added = [json.loads(line) for line in newest.read_text("utf-8").splitlines()]
    names = [action["add"]["path"] for action in added if "add" in action]
    for path in (*(store.table_folder / name for name in names), newest):
        if path.exists():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
    sync_folder(log)
    sync_folder(store.table_folder)
