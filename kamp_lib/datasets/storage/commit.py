"""One commit: prepared beside, on disk, and then visible in one step.

`staging/` is a table of its own whose log is linked from the true one. The Delta library
writes the next commit there. Then its files move into the table, all is flushed to disk,
and one hard link of the commit file makes it the newest version. Whoever is killed before
the link leaves the old state, after it the new one; power may fail at any time, too.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Schema,
    write_deltalake,
)
from deltalake.transaction import create_table_with_add_actions

from kamp_lib.datasets.storage.durable import refuse_links, sync
from kamp_lib.datasets.storage.log import INGEST, OP, RETIRED, TO, WHO, log_files
from kamp_lib.datasets.storage.store import Store
from kamp_lib.datasets.storage.table_files import TableFiles
from kamp_lib.settings import person

# Every commit file stays: it is the history. Values do not leak into it as statistics.
CONFIGURATION = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.dataSkippingNumIndexedCols": "0",
}
HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


def commit_rows(
    store: Store,
    rows: pa.Table | TableFiles,
    ingest: str,
    *,
    op: str,
    to: int | None = None,
    whole: bool = False,
    ready: Callable[[], object] = lambda: None,
) -> int:
    """Make an ingest visible with its rows. Returns the version.

    `rows` are files that are being written already, many times as fast as the Delta
    library does it, unless the table has to take on a new column with them. `to` names
    the version whose ingests it adds to, when that is not the newest. `whole` says that
    `rows` are the whole of the new state, not an addition. `ready` is called before the
    commit, and returns when all that it names is on disk.
    """
    with _staged(store) as staging:
        said = _said(op, {INGEST: ingest} | ({} if to is None else {TO: str(to)}))
        if isinstance(rows, TableFiles):
            _name_files(staging, rows, said, whole=whole)
        else:
            write_deltalake(
                str(staging),
                rows,
                mode="overwrite" if whole else "append",
                schema_mode="overwrite" if whole else "merge",
                configuration=CONFIGURATION,
                commit_properties=said,
                post_commithook_properties=HOOKS,
            )
        ready()
    return len(log_files(store.table_folder / "_delta_log"))


def commit_going_back(store: Store, to: int, *, op: str) -> int:
    """Make the state of version `to` the newest again (0: nothing at all)."""
    properties = _said(op, {TO: str(to)})
    with _staged(store) as staging:
        table = DeltaTable(str(staging))
        if to == 0:
            table.delete(commit_properties=properties, post_commithook_properties=HOOKS)
        else:
            # the table's files are not in the staging folder, and need not be
            table.restore(
                to - 1, ignore_missing_files=True, commit_properties=properties
            )
    return len(log_files(store.table_folder / "_delta_log"))


def commit_retiring(store: Store, versions: list[int]) -> int:
    """Give versions up: from now on nobody may count on them."""
    with _staged(store) as staging:
        none = pa.schema(DeltaTable(str(staging)).schema().to_arrow()).empty_table()
        write_deltalake(
            str(staging),
            none,
            mode="append",
            commit_properties=_said("retain", {RETIRED: json.dumps(versions)}),
            post_commithook_properties=HOOKS,
        )
    return len(log_files(store.table_folder / "_delta_log"))


def _name_files(
    table: Path, files: TableFiles, said: CommitProperties, *, whole: bool
) -> None:
    """Have the library name files that we wrote."""
    added = files.ready()
    for action in added:
        (files.folder / action.path).rename(table / action.path)
    shutil.rmtree(files.folder, ignore_errors=True)
    if not log_files(table / "_delta_log"):
        create_table_with_add_actions(
            str(table),
            Schema.from_arrow(files.schema),
            added,
            configuration=CONFIGURATION,
            commit_properties=said,
            post_commithook_properties=HOOKS,
        )
        return
    held = DeltaTable(str(table))
    held.create_write_transaction(
        [*added],
        mode="overwrite" if whole else "append",
        schema=Schema.from_arrow(files.schema) if whole else held.schema(),
        commit_properties=said,
        post_commithook_properties=HOOKS,
    )


def _said(op: str, more: dict[str, str]) -> CommitProperties:
    return CommitProperties(custom_metadata={OP: op, WHO: person(), **more})


@contextmanager
def _staged(store: Store) -> Iterator[Path]:
    """A table to prepare the next commit in; published when the block succeeds."""
    refuse_links(store.staging)
    shutil.rmtree(store.staging, ignore_errors=True)
    log = store.staging / "_delta_log"
    log.mkdir(parents=True)
    for path in log_files(store.table_folder / "_delta_log"):
        os.link(path, log / path.name)
    try:
        yield store.staging
        _publish(store)
    finally:
        shutil.rmtree(store.staging, ignore_errors=True)


def _publish(store: Store) -> None:
    table, log = store.table_folder, store.table_folder / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    for path in store.staging.glob("*.parquet"):
        sync(path)
        path.rename(table / path.name)
    newest = log_files(store.staging / "_delta_log")[-1]
    sync(newest)
    for folder in (table, store.folder, store.folder.parent):
        sync(folder)
    os.link(newest, log / newest.name)  # this is the commit
    sync(log)
