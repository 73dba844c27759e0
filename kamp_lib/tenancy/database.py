"""The platform database, by URL: SQLite in KAMP_HOME, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
)
from sqlalchemy.orm import Session

from kamp_lib.errors import KampError, UsageError

BUSY_S = 30.0
WRITES = "kamp_writes"


def database_url(url: str) -> URL:
    """The URL with the driver that we have.

    Raises
    ------
    UsageError
        When it is no URL of SQLite (a file) or PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may hold the password
        raise _wrong_url() from None
    kind = parsed.get_backend_name()
    if kind in ("postgresql", "postgres"):
        return _postgresql(parsed)
    if kind == "sqlite" and parsed.database and not parsed.query:
        return parsed.set(drivername="sqlite")
    raise _wrong_url()


def _postgresql(url: URL) -> URL:
    """`?host=/folder` of a local server is written as pg8000 wants it."""
    url = url.set(drivername="postgresql+pg8000")
    host = url.query.get("host")
    if isinstance(host, str) and host.startswith("/"):
        socket = f"{host}/.s.PGSQL.{url.port or 5432}"
        url = url.difference_update_query(["host"])
        url = url.update_query_dict({"unix_sock": socket}).set(port=None)
    return url


def _encryption(url: URL) -> tuple[URL, dict[str, Any]]:
    """`sslmode` and `sslrootcert` as every other client of PostgreSQL knows them."""
    mode, root = url.query.get("sslmode"), url.query.get("sslrootcert")
    url = url.difference_update_query(["sslmode", "sslrootcert"])
    contexts: dict[Any, dict[str, Any]] = {
        None: {},
        "prefer": {},  # the driver's way: encrypted when the server can
        "disable": {"ssl_context": False},
        "require": {"ssl_context": True},
    }
    if mode == "verify-full" and not isinstance(root, tuple):
        return url, {"ssl_context": ssl.create_default_context(cafile=root)}
    if mode not in contexts:
        raise UsageError(
            "KAMP_DATABASE의 sslmode는 disable, prefer, require, verify-full 가운데 하나입니다.",
            "sslmode in KAMP_DATABASE is one of disable, prefer, require, verify-full.",
        )
    return url, contexts[mode]


def _wrong_url() -> UsageError:
    return UsageError(
        "설정 KAMP_DATABASE 값이 올바르지 않습니다. 예: postgresql://kamp@localhost/kamp"
        " 또는 sqlite:////srv/kamp/platform.db",
        "the setting KAMP_DATABASE is wrong; for example postgresql://kamp@localhost/kamp"
        " or sqlite:////srv/kamp/platform.db",
    )


def open_engine(url: URL, *, foreign_keys: bool = True) -> Engine:
    """An engine with transactions that mean the same on both databases."""
    if url.get_backend_name() != "sqlite":
        url, arguments = _encryption(url)
        return create_engine(url, pool_pre_ping=True, connect_args=arguments)
    engine = create_engine(url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: Any) -> None:
        # the driver's own idea of transactions leaves reads and DDL outside
        connection.isolation_level = None
        connection.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # a transaction that reads first and then writes would fail under others
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def create_file(path: Path) -> None:
    """SQLite's file, readable by its owner only; its side files take the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction that changes things: all of it or nothing."""
    bound = engine.execution_options(**{WRITES: True})
    with in_words(engine.url), Session(bound) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One consistent look."""
    with in_words(engine.url), Session(engine) as session, session.begin():
        yield session


def one_at_a_time(session: Session, what: str) -> None:
    """Wait until no other transaction is at `what`; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        key = func.hashtextextended(f"kamp:{what}", 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))


@contextmanager
def in_words(url: URL) -> Iterator[None]:
    """What the database says, as one sentence; the password of the URL is not in it."""
    try:
        yield
    except IntegrityError as error:
        raise KampError(
            "그 사이에 다른 사람이 같은 것을 바꾸었습니다. 바뀐 것이 없으니 다시 하세요.",
            "somebody else changed the same thing meanwhile; nothing was changed, try again.",
        ) from error
    except SQLAlchemyError as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        place = url.render_as_string(hide_password=True)
        raise KampError(
            f"플랫폼 데이터베이스에 닿지 못했습니다: {place} ({_first_line(said)})."
            " KAMP_DATABASE와 서버를 확인하세요.",
            f"the platform database did not answer: {place} ({_first_line(said)})."
            " Check KAMP_DATABASE and the server.",
        ) from error


def _first_line(error: BaseException | None) -> str:
    if error is not None and error.args and isinstance(error.args[0], dict):
        return str(error.args[0].get("M", error.args[0]))  # pg8000: the message
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
