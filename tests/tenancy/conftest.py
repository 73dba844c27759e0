"""A registry on each of the two databases, with hashes that cost little."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete
from tenancy import postgres_server
from tenancy.desk import CHEAP, KINDS, Clock

from kamp_lib.settings import settings
from kamp_lib.tenancy import database, open_registry, schema
from kamp_lib.tenancy.passwords import Passwords
from kamp_lib.tenancy.registry import Registry
from kamp_lib.tenancy.tables import Base


@pytest.fixture(autouse=True)
def _hashes_that_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kamp_lib.tenancy.passwords.PasswordHasher", lambda: CHEAP)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server; in CI there has to be one."""
    if postgres_server.GIVEN:
        yield postgres_server.GIVEN
        return
    programs = postgres_server.programs()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is missing; CI must have it")
        pytest.skip("PostgreSQL is not installed")
    with postgres_server.running(programs) as url:
        yield url


@pytest.fixture
def empty_database(postgresql: str) -> Iterator[str]:
    """URL of a PostgreSQL database without tables."""
    name = f"kamp_test_{secrets.token_hex(4)}"
    with postgres_server.scratch_database(postgresql, name) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_database(postgresql: str) -> Iterator[Engine]:
    """A PostgreSQL database with our tables; tests share it one after the other."""
    name = f"kamp_test_{secrets.token_hex(4)}"
    with postgres_server.scratch_database(postgresql, name) as url:
        engine = database.open_engine(database.database_url(url))
        schema.upgrade(engine)
        yield engine
        engine.dispose()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "platform.db"
    engine = database.open_engine(database.database_url(f"sqlite:///{file}"))
    schema.upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty registry: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        file = Path(str(database.database_url(settings().database_url).database))
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(request.getfixturevalue("migrated_file"), file)
        return settings().database_url
    engine = request.getfixturevalue("migrated_database")
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("KAMP_DATABASE", url)
    return url


@pytest.fixture
def registry(url: str, clock: Clock) -> Iterator[Registry]:
    """An empty registry whose time stands still."""
    made = open_registry(url, actor="os:test", passwords=Passwords(CHEAP), now=clock)
    yield made
    made.close()
