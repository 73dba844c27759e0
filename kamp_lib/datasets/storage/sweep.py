"""Removing what no commit names: leftovers of killed writers and given-up versions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from kamp_lib.datasets.storage.durable import write_durably
from kamp_lib.datasets.storage.log import damaged
from kamp_lib.datasets.storage.store import State, Store

ROWS = ("cells.parquet", "quarantine.parquet")  # of an ingest's folder: values


def sweep(store: Store) -> None:
    """Remove all that no version needs. Only under the lock."""
    state = State(store)
    if not any(commit.ingest for commit in state.log.commits):
        _check_never_used(store)
        shutil.rmtree(store.folder, ignore_errors=True)
        return
    for folder in (store.staging, store.writing):
        shutil.rmtree(folder, ignore_errors=True)
    named = {commit.ingest for commit in state.log.commits}
    for folder in store.ingests.glob("*"):
        if folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)
    for path in forgotten(state):
        _forget(store, path.parent)
        path.unlink(missing_ok=True)
    for path in unneeded(state):
        path.unlink(missing_ok=True)


def _check_never_used(store: Store) -> None:
    """A killed first ingest leaves one record; more mean that the log was lost."""
    log = store.table_folder / "_delta_log"
    rows = any(store.table_folder.glob("*.parquet"))
    if len(list(store.ingests.glob("*"))) > 1 or (rows and not log.is_dir()):
        raise damaged(log)


def unneeded(state: State) -> Iterator[Path]:
    """Files of rows and originals that no kept version needs."""
    store = state.store
    for path in store.table_folder.glob("*.parquet"):
        if path.name not in state.log.named:
            yield path
    kept = [store.manifest(ingest) for ingest in state.kept_ingests]
    hashes = {file["sha256"] for manifest in kept for file in manifest.files}
    for place in (*store.originals.glob("*"), *store.images.glob("*")):
        if place.name.split(".")[0] not in hashes:
            yield place


def forgotten(state: State) -> Iterator[Path]:
    """Rejected rows of ingests that only given-up versions hold."""
    named = {c.ingest for c in state.log.commits if c.ingest} - state.kept_ingests
    for ingest in sorted(named):
        for name in ROWS:
            path = state.store.ingest_folder(ingest) / name
            if path.exists():
                yield path


def _forget(store: Store, folder: Path) -> None:
    """Of a given-up ingest only counts and names stay."""
    bare = store.manifest(folder.name).forgetting()
    write_durably(folder / "manifest.json", bare.as_json().encode())
