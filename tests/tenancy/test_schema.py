"""The database's revisions: equal to the tables, keeping the rows, told in a sentence."""

from __future__ import annotations

import shutil
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from in_process import Said
from tenancy.desk import KINDS

from kamp_lib.errors import KampError
from kamp_lib.settings import settings
from kamp_lib.tenancy import open_registry, schema
from kamp_lib.tenancy.database import database_url, open_engine
from kamp_lib.tenancy.tables import Base

FIRST = "0001"


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """A database without tables."""
    if request.param == "sqlite":
        url = settings().database_url
    else:
        url = request.getfixturevalue("empty_database")
    engine = open_engine(database_url(url))
    yield engine
    engine.dispose()


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    return ScriptDirectory.from_config(config)


def test_the_migrated_tables_are_the_declared_ones(empty: sa.Engine) -> None:
    schema.upgrade(empty)
    options = {"compare_type": True, "compare_server_default": True}
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_a_table_that_no_migration_makes_is_noticed(empty: sa.Engine) -> None:
    schema.upgrade(empty)
    more = sa.MetaData()
    for table in Base.metadata.sorted_tables:
        table.to_metadata(more)
    sa.Table("new", more, sa.Column("id", sa.Integer, primary_key=True))
    with empty.connect() as connection:
        context = MigrationContext.configure(connection)
        assert [what for what, *_ in compare_metadata(context, more)] == ["add_table"]


def test_the_newest_revision_is_the_one_that_the_program_expects() -> None:
    assert scripts().get_heads() == [schema.HEAD]
    assert scripts().get_bases() == [FIRST]


def test_every_revision_is_in_a_file_that_says_so() -> None:
    for script in scripts().walk_revisions():
        assert Path(script.path).name.startswith(f"r{script.revision}_")


def test_upgrading_from_the_first_revision_keeps_every_row(empty: sa.Engine) -> None:
    schema.upgrade(empty, FIRST)
    rows = _a_row_in_every_table(empty)
    schema.upgrade(empty)
    assert schema.revision(empty) == schema.HEAD
    for table, row in rows.items():
        with empty.connect() as connection:
            found = connection.execute(sa.text(f"SELECT * FROM {table}")).mappings()  # noqa: S608
            kept = dict(found.one())
        assert {key: kept[key] for key in row} == row


def _a_row_in_every_table(engine: sa.Engine) -> dict[str, dict[str, object]]:
    """As the first revision had them; read back, as each database writes times."""
    made = "'2026-01-02 03:04:05'"
    inserts = {
        "names": "VALUES ('acme', 'sme'), ('ann', 'person')",
        "uids": f"VALUES (200000, 'acme', {made})",
        "smes": "VALUES ('acme', '에이스', 'Acme', '', '[\"press\"]', 'Asia/Seoul',"
        f" 'small', 'active', false, 200000, {made})",
        "people": f"VALUES ('ann', '김안나', 'a@b.kr', false, '$argon2', true, {made})",
        "roles": "VALUES ('ann', 'acme', 'analyst')",
        "attempts": f"VALUES (1, 'ann', {made})",
        "audit": f"VALUES (1, {made}, 'os:x', 'tenant.add', 'acme', '{{}}')",
    }
    with engine.begin() as connection:
        for table, values in inserts.items():
            connection.execute(sa.text(f"INSERT INTO {table} {values}"))
    rows = {}
    with engine.connect() as connection:
        for table in inserts:
            if table != "names":
                found = connection.execute(sa.text(f"SELECT * FROM {table}"))  # noqa: S608
                rows[table] = dict(found.mappings().one())
    return rows


def _next_revision(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revision after the newest, in a copy of ours."""
    copy = folder / "migrations"
    shutil.copytree(schema.SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    lines = ["import sqlalchemy as sa", "from alembic import op", 'revision = "9999"']
    lines += [f'down_revision = "{schema.HEAD}"', "def upgrade():"]
    lines += [f"    {line}" for line in body.splitlines()]
    (copy / "versions" / "r9999_next.py").write_text("\n".join(lines))
    monkeypatch.setattr(schema, "SCRIPTS", copy)
    monkeypatch.setattr(schema, "HEAD", "9999")


COPIES_A_TABLE = """\
with op.batch_alter_table("people") as table:
    table.alter_column("display_name", type_=sa.String(200))
    table.add_column(sa.Column("phone", sa.String(30), nullable=True))
"""


def test_changing_a_table_keeps_the_rows_that_refer_to_it(
    empty: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(sa.text("INSERT INTO names VALUES ('a', 'person')"))
    empty.dispose()
    registry = open_registry(empty.url.render_as_string(hide_password=False))
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나", roles=[("acme", "analyst")])
    _next_revision(tmp_path, COPIES_A_TABLE, monkeypatch)
    assert schema.upgrade(empty) != "9999"
    assert schema.revision(empty) == "9999"
    assert set(registry.roles()) == {"ann"}
    registry.close()


def test_a_migration_that_fails_leaves_everything_as_it_was(
    empty: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.upgrade(empty)
    before = schema.HEAD
    fails = 'op.drop_table("audit")\nop.drop_table("no_such_table")'
    _next_revision(tmp_path, fails, monkeypatch)
    with pytest.raises(KampError, match="no_such_table"):
        schema.upgrade(empty)
    assert schema.revision(empty) == before
    assert sa.inspect(empty).has_table("audit")


def test_rows_that_refer_to_nothing_stop_a_migration_of_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(database_url(settings().database_url), foreign_keys=False)
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO roles VALUES ('x', 'y', 'analyst')"))
    _next_revision(tmp_path, COPIES_A_TABLE, monkeypatch)
    with pytest.raises(KampError, match="roles"):
        schema.upgrade(engine)
    columns = [c["name"] for c in sa.inspect(engine).get_columns("people")]
    assert "phone" not in columns
    engine.dispose()


def test_several_who_open_a_new_database_at_once_all_succeed() -> None:
    barrier = threading.Barrier(4)

    def open_it(_: int) -> int:
        barrier.wait()
        registry = open_registry()
        try:
            return len(registry.people())
        finally:
            registry.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_it, range(4))) == [0] * 4


def test_several_who_upgrade_a_server_at_once_all_succeed(empty_database: str) -> None:
    engine = open_engine(database_url(empty_database))
    barrier = threading.Barrier(4)

    def upgrade(_: int) -> None:
        barrier.wait()
        schema.upgrade(engine)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, range(4)))
    assert schema.revision(engine) == schema.HEAD
    engine.dispose()


def test_a_new_sqlite_file_is_its_owners_alone_and_writes_ahead() -> None:
    registry = open_registry()
    registry.add_person("ann", "김안나")
    folder = settings().home
    files = [path for path in folder.iterdir() if path.name.startswith("platform.db")]
    assert len(files) == 3  # the database, its log, and the log's index
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with registry.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    registry.close()


def test_a_sqlite_file_that_others_may_read_is_closed_to_them() -> None:
    open_registry().close()
    file = settings().home / "platform.db"
    file.chmod(0o644)
    open_registry().close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_server_without_tables_is_refused_with_the_line_that_mends_it(
    empty_database: str,
) -> None:
    with pytest.raises(KampError, match="kamp db upgrade"):
        open_registry(empty_database)


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_of_a_newer_program_is_left_alone(
    request: pytest.FixtureRequest, kind: str
) -> None:
    url = settings().database_url
    if kind == "postgresql":
        url = request.getfixturevalue("empty_database")
    engine = open_engine(database_url(url))
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '4711'"))
    with pytest.raises(KampError, match="4711"):
        open_registry(url)
    with pytest.raises(KampError, match="4711"):
        schema.upgrade(engine)
    engine.dispose()


@pytest.mark.parametrize("name", ["50%41 off?", "공장 #1", "a'b;c"])
def test_kamp_home_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / name))
    registry = open_registry()
    registry.add_sme("acme", "에이스")
    registry.close()
    assert (tmp_path / name / "platform.db").is_file()
    assert (tmp_path / name / "tenants" / "acme").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_is_no_database_is_a_sentence() -> None:
    file = settings().home / "platform.db"
    file.parent.mkdir(parents=True)
    file.write_text("this is not a database, and longer than a page header" * 50)
    with pytest.raises(KampError, match=r"platform\.db"):
        open_registry()


def test_a_server_that_is_not_there_is_a_sentence_without_the_password() -> None:
    with pytest.raises(KampError) as failed:
        open_registry("postgresql://kamp:geheim@127.0.0.1:1/kamp")
    assert "127.0.0.1" in str(failed.value)
    assert "geheim" not in failed.value.text.ko + failed.value.text.en


@pytest.mark.parametrize(
    "url",
    [
        "",
        "kamp",
        "sqlite://",
        "sqlite:///:memory:?x=1",
        "mysql://x@y/z",
        "postgresql://host:geheim-and-no-port/kamp",
    ],
)
def test_another_kind_of_url_is_refused_without_showing_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KampError) as failed:
        database_url(url)
    assert "KAMP_DATABASE" in str(failed.value)
    assert "geheim" not in str(failed.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_any_url_of_a_postgresql_gets_the_driver_that_we_have(scheme: str) -> None:
    url = database_url(f"{scheme}://kamp:x@db.example:5433/kamp")
    assert url.drivername == "postgresql+pg8000"
    assert (url.host, url.port, url.database) == ("db.example", 5433, "kamp")


def test_a_folder_as_host_means_the_socket_in_it() -> None:
    url = database_url("postgresql://kamp@/kamp?host=/run/postgresql")
    assert dict(url.query) == {"unix_sock": "/run/postgresql/.s.PGSQL.5432"}


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_encryption_that_is_asked_for_is_not_done_without(
    empty_database: str, mode: str
) -> None:
    # the server of these tests speaks no TLS
    with pytest.raises(KampError, match="SSL"):
        open_registry(f"{empty_database}&sslmode={mode}")
    with pytest.raises(KampError, match="kamp db upgrade"):
        open_registry(f"{empty_database}&sslmode=disable")


def test_an_unknown_way_of_encryption_is_refused(empty_database: str) -> None:
    with pytest.raises(KampError, match="verify-full"):
        open_registry(f"{empty_database}&sslmode=perhaps")


def test_kamp_db_tells_and_mends(
    kamp, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_DATABASE", empty_database)
    assert "kamp db upgrade" in kamp("db", "status").out
    refused: Said = kamp("user", "list")
    assert refused.status == 1
    assert "kamp db upgrade" in refused.err
    upgraded = kamp("db", "upgrade", "--json").json
    assert upgraded == {"before": None, "revision": schema.HEAD}
    assert kamp("db", "status", "--json").json["revision"] == schema.HEAD
    assert kamp("user", "list", "--json").json == []


def test_init_prepares_a_server_that_has_no_tables(
    kamp, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_DATABASE", empty_database)
    assert kamp("init", "--json").json["operator"]["name"] == "operator"
    assert kamp("init", "--json").json["operator"] is None
