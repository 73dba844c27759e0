"""A real PostgreSQL for tests: one that is given, or Debian's, started here and stopped."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

# read now: tests see no KAMP_* of the machine
GIVEN = os.environ.get("KAMP_TEST_POSTGRES_URL")
# a database for tests may forget everything in a power cut
QUICK = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
SMALL = ["shared_buffers=16MB", "max_connections=60", "listen_addresses="]


def programs() -> Path | None:
    """Where `initdb` and `postgres` are; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(bin: Path) -> Iterator[str]:
    """A server on a unix socket in a folder of its own; the URL of its first database."""
    folder = Path(tempfile.mkdtemp(prefix="kamp-pg-"))
    user = _whoever_may_run_it()
    if user is not None:
        shutil.chown(folder, user, user)
    try:
        data = folder / "data"
        initdb = [str(bin / "initdb"), "-D", str(data), "-U", "kamp", "--no-sync"]
        initdb += ["--auth=trust", "--encoding=UTF8", "--locale=C"]
        subprocess.run(_as(user, initdb), check=True, capture_output=True, cwd=folder)
        server = _start(bin, folder, user)
        try:
            url = f"postgresql://kamp@/postgres?host={folder}"
            _wait(server, url, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # SIGTERM would wait for connections
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(bin: Path, folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    command = [str(bin / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    for setting in QUICK + SMALL:
        command += ["-c", setting]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(_as(user, command), stdout=log, stderr=log, cwd=folder)


def _whoever_may_run_it() -> str | None:
    """PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as(user: str | None, command: list[str]) -> list[str]:
    """As that user, and not longer than these tests live."""
    setpriv = ["setpriv", "--pdeathsig", "INT"]
    if user is not None:
        group = pwd.getpwnam(user).pw_gid
        setpriv += [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    return [*setpriv, *command]


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    from kamp_lib.tenancy.database import database_url

    engine = sa.create_engine(database_url(url))
    for _ in range(300):
        try:
            engine.connect().close()
            engine.dispose()
            return
        except sa.exc.SQLAlchemyError:
            if server.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")


@contextmanager
def scratch_database(url: str, name: str) -> Iterator[str]:
    """A new, empty database beside the one of `url`, dropped in the end."""
    from kamp_lib.tenancy.database import database_url

    server = sa.create_engine(database_url(url), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    try:
        own = database_url(url).set(database=name)
        yield own.render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
            connection.execute(sa.text(drop))
        server.dispose()
