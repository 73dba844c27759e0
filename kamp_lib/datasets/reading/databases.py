"""SQLite databases -> raw cells of one table. Nothing in the database is run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import FILE, ROW, Raw, unique_names
from kamp_lib.datasets.reading.arrow_files import check_cells, source_of
from kamp_lib.datasets.reading.refusals import no_data
from kamp_lib.errors import KampError, UsageError

CHUNK = 20_000
MOST_IN_CELL = 100_000_000
# Real tables; no views, no virtual tables, nothing of SQLite's own.
TABLES = """
    SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      AND sql NOT LIKE 'CREATE VIRTUAL%'
    ORDER BY rowid
"""


def read_database(path: Path, name: str, options: Options) -> Raw:
    """Read one table of a SQLite file: the one with most values, or `--sheet NAME`.

    Raises
    ------
    KampError
        When it is damaged, in use, or holds no table with rows.
    """
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise KampError(
            f"'{name}'은(는) 다른 프로그램이 쓰고 있는 데이터베이스입니다({wal.name})."
            " 그 프로그램을 닫고 다시 가져오세요.",
            f"{name!r} is in use by another program ({wal.name}); close it and ingest again.",
        )
    with _plainly(name), closing(_open(path)) as database:
        sizes = {table: _size(database, table) for (table,) in database.execute(TABLES)}
        chosen = _chosen(sizes, name, options)
        rows, columns = sizes[chosen]
        # A damaged tree may lead in circles; a row takes a byte at the least.
        if rows > path.stat().st_size:
            raise _damaged(name)
        check_cells(rows, columns, name)
        table = _cells(database, chosen)
    count = table.num_rows
    table = table.append_column(FILE, pa.array([name] * count, pa.string()))
    table = table.append_column(ROW, pa.array(range(1, count + 1), pa.int64()))
    raw = Raw(table, [source_of(path, name, count, {"table": chosen})])
    others = [t for t, (n, _) in sizes.items() if n and t != chosen]
    if others and options.sheet is None:
        raw.findings.append(
            finding("sheet-chosen", count=len(others), examples=others, chosen=chosen)
        )
    return raw


def _open(path: Path) -> sqlite3.Connection:
    """Open for reading only, leaving no lock or journal, trusting nothing inside."""
    place = path.resolve().as_uri()
    database = sqlite3.connect(f"{place}?mode=ro&immutable=1", uri=True)
    database.execute("PRAGMA trusted_schema = OFF")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_IN_CELL)
    database.text_factory = _text
    return database


def _text(data: bytes) -> str:
    for encoding in ("utf-8", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


@contextmanager
def _plainly(name: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OverflowError, MemoryError) as error:
        raise _damaged(name) from error


def _damaged(name: str) -> KampError:
    return KampError(
        f"'{name}'은(는) 망가졌거나 암호가 걸린 SQLite 데이터베이스입니다. 표를 CSV로 내보내세요.",
        f"{name!r} is a damaged or locked SQLite database; export the table as CSV.",
    )


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""') + '"'


def _size(database: sqlite3.Connection, table: str) -> tuple[int, int]:
    """Rows and columns of a table."""
    (rows,) = database.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()  # noqa: S608
    columns = database.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
    return int(rows), len(columns)


def _chosen(sizes: dict[str, tuple[int, int]], name: str, options: Options) -> str:
    if options.sheet is not None:
        if options.sheet not in sizes:
            known = ", ".join(sizes) or "-"
            raise UsageError(
                f"'{name}'에 테이블 '{options.sheet}'이(가) 없습니다. 있는 테이블: {known}",
                f"{name!r} has no table {options.sheet!r}; it has {known}.",
            )
        return options.sheet
    full = {table: rows * columns for table, (rows, columns) in sizes.items() if rows}
    if not full:
        raise no_data(name)
    return max(full, key=lambda table: full[table])


def _cells(database: sqlite3.Connection, table: str) -> pa.Table:
    """All cells as text, so that a database and the CSV of it are read alike."""
    cursor = database.execute(f"SELECT * FROM {_quoted(table)}")  # noqa: S608
    names = unique_names([str(column[0]) for column in cursor.description])
    schema = pa.schema([(name, pa.string()) for name in names])
    parts = []
    while chunk := cursor.fetchmany(CHUNK):
        columns = [[_as_text(v) for v in values] for values in zip(*chunk, strict=True)]
        parts.append(pa.table(columns, schema=schema))
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _text(value) if isinstance(value, bytes) else str(value)
