"""The database's revision: what it is, what it should be, and how it gets there."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, Engine, inspect, text

from kamp_lib.errors import KampError
from kamp_lib.tenancy.database import (
    BUSY_S,
    WRITES,
    create_file,
    in_words,
    open_engine,
)

SCRIPTS = Path(__file__).with_name("migrations")
# The newest revision; written here so that opening an up-to-date database needs no Alembic.
HEAD = "0002"


def revision(engine: Engine) -> str | None:
    """The revision that the database is at; None when it is empty."""
    with in_words(engine.url), engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def upgrade(engine: Engine, to: str = "head") -> str | None:
    """Bring the database to the newest revision, in one transaction.

    Returns
    -------
    str or None
        The revision it was at before.
    """
    if engine.dialect.name == "sqlite":
        create_file(Path(str(engine.url.database)))
    before = revision(engine)
    if before == HEAD:
        return before
    _refuse_unknown(engine, before)
    if engine.dialect.name == "sqlite":
        _upgrade_file(engine, to)
    else:
        with in_words(engine.url), engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(20250)"))
            _migrate(connection, to)
    return before


def _upgrade_file(engine: Engine, to: str) -> None:
    path = Path(str(engine.url.database))
    with FileLock(path.with_name(f".{path.name}.lock"), timeout=BUSY_S):
        # copying a table (as SQLite must) would take along what refers to the old one
        alone = open_engine(engine.url, foreign_keys=False)
        try:
            with in_words(engine.url):
                _write_ahead(alone)
                options = {WRITES: True}
                with alone.execution_options(**options).begin() as connection:
                    _migrate(connection, to)
                    _refuse_loose_ends(connection)
        finally:
            alone.dispose()


def _write_ahead(engine: Engine) -> None:
    """Readers and the writer do not wait for each other; the file remembers it."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()


def _refuse_loose_ends(connection: Connection) -> None:
    loose = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if loose is not None:
        raise KampError(
            f"데이터베이스를 올리지 못했습니다. 표 '{loose[0]}'에 주인 없는 행이 있습니다."
            " 아무것도 바뀌지 않았습니다.",
            f"the database was not upgraded: table {loose[0]!r} has rows that refer to"
            " nothing. Nothing has changed.",
        )


def _migrate(connection: Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    command.upgrade(config, to)


def _refuse_unknown(engine: Engine, found: str | None) -> None:
    """A database that a newer program wrote is left alone."""
    known = {path.name[1:5] for path in (SCRIPTS / "versions").glob("r*.py")}
    if found is not None and found not in known:
        place = engine.url.render_as_string(hide_password=True)
        raise KampError(
            f"데이터베이스({place})가 이 프로그램보다 새것입니다(판 {found}). KAMP를 새 판으로 올리세요.",
            f"the database ({place}) is newer than this program (revision {found});"
            " upgrade KAMP.",
        )


def require_newest(engine: Engine) -> None:
    """Refuse a database server that has not been migrated, with the line that mends it."""
    found = revision(engine)
    if found == HEAD:
        return
    _refuse_unknown(engine, found)
    place = engine.url.render_as_string(hide_password=True)
    raise KampError(
        f"데이터베이스({place})가 준비되지 않았습니다(판 {found or '없음'}, 필요 {HEAD})."
        " 실행: kamp db upgrade",
        f"the database ({place}) is not ready (revision {found or 'none'}, needed {HEAD});"
        " run: kamp db upgrade",
    )
