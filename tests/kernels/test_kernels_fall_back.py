"""Whatever is wrong with a fork server, the kernel starts, and the log says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kernels.live_kernel import LIGHT, live_kernel, servers, write_spec

from kamp_lib.kernels import client, environment, place, wire

pytestmark = pytest.mark.e2e

Log = pytest.LogCaptureFixture


def _starts_as_usual(
    log: Log, reason: str, name: str = "light", **options: object
) -> None:
    log.clear()
    with live_kernel(name, **options) as kernel:
        assert not kernel.forked
        assert kernel.said("print('well')") == "well\n"
    said = [
        r.getMessage() for r in log.records if "without the fork server" in r.message
    ]
    assert len(said) == 1
    assert reason in said[0]


def _socket_path() -> Path:
    with place.find(sys.executable, LIGHT) as there:
        return there.socket


def test_it_can_be_switched_off(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    monkeypatch.setenv("KAMP_FAST_KERNELS", "0")
    with live_kernel() as kernel:
        assert not kernel.forked
    assert not own_kernels.exists()
    assert "fork server" not in caplog.text


def test_attach_uses_a_server_that_runs_and_starts_none(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    monkeypatch.setenv("KAMP_FAST_KERNELS", "attach")
    _starts_as_usual(caplog, "no fork server is running")
    monkeypatch.delenv("KAMP_FAST_KERNELS")
    with live_kernel():
        monkeypatch.setenv("KAMP_FAST_KERNELS", "attach")
        with live_kernel() as kernel:
            assert kernel.forked
    assert len(servers(own_kernels)) == 1


@pytest.mark.parametrize("kind", ["file", "folder", "link", "stream"])
def test_a_path_that_is_taken_is_left_alone(
    own_kernels: Path, tmp_path: Path, caplog: Log, kind: str
) -> None:
    path = _socket_path()
    stream = socket.socket(socket.AF_UNIX)
    if kind == "file":
        path.write_text("something of value")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path)
    else:
        stream.bind(str(path))
        stream.listen()
    before = path.lstat().st_ino
    _starts_as_usual(caplog, path.name)
    stream.close()
    assert path.lstat().st_ino == before
    assert not servers(own_kernels)


def test_a_socket_left_by_a_crash_is_replaced(own_kernels: Path) -> None:
    path = _socket_path()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
        left.bind(str(path))
    with live_kernel() as kernel:
        assert kernel.forked
    assert servers(own_kernels)


@contextmanager
def _impostor(answer: bytes | None) -> Iterator[None]:
    """A program of the same user that listens in the fork server's place."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(_socket_path()))
    listener.listen()
    kept = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if answer is None:
                kept.append(connection)
            else:
                connection.send(answer)
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.usefixtures("own_kernels")
@pytest.mark.parametrize(
    "answer",
    [b"\xff\xfe", b"[]", b'{"state": "started"}', b'{"state": "up", "pid": 1}'],
)
def test_an_impostor_who_talks_nonsense_is_not_believed(
    caplog: Log, answer: bytes
) -> None:
    with _impostor(answer):
        _starts_as_usual(caplog, "fork server")


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    own_kernels: Path, tmp_path: Path, caplog: Log
) -> None:
    write_spec(tmp_path / "jupyter", "light", imports=LIGHT, wait_s=0.5)
    with _impostor(None):
        _starts_as_usual(caplog, "did not answer in time")
    assert not servers(own_kernels)


def test_a_folder_that_cannot_be_written_to(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    monkeypatch.setenv("KAMP_KERNELS_DIR", "/proc/no-folder")
    _starts_as_usual(caplog, "/proc/no-folder")


def test_a_folder_that_others_may_enter_is_not_used(
    own_kernels: Path, caplog: Log
) -> None:
    own_kernels.mkdir(mode=0o700)
    own_kernels.chmod(0o755)
    _starts_as_usual(caplog, "can be entered by other users")


def test_a_folder_that_is_a_link_is_not_used(
    own_kernels: Path, tmp_path: Path, caplog: Log
) -> None:
    own_kernels.symlink_to(tmp_path)
    _starts_as_usual(caplog, "kamp-kernels")
    assert not list(tmp_path.glob("*.sock"))


@pytest.mark.usefixtures("own_kernels")
def test_a_folder_with_a_long_name_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_KERNELS_DIR", str(tmp_path / ("long" * 40)))
    with live_kernel() as kernel:
        assert kernel.forked


@pytest.mark.usefixtures("own_kernels")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TZ", "Asia/Seoul"),
        ("OMP_NUM_THREADS", "1"),
        ("MPLBACKEND", "agg"),
        ("LANG", "C"),
    ],
)
def test_a_variable_read_at_import_cannot_be_changed_by_a_fork(
    caplog: Log, name: str, value: str
) -> None:
    with live_kernel() as kernel:
        assert kernel.forked
        env = {**os.environ, name: value}
        _starts_as_usual(caplog, f"other values than at import: {name}", env=env)
        assert kernel.said("print('well')") == "well\n"


@pytest.mark.usefixtures("own_kernels")
def test_a_module_that_trains_at_import_makes_the_server_unfit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    module = tmp_path / "trains_at_import.py"
    module.write_text(
        "import numpy as np, xgboost\n"
        "xgboost.XGBClassifier(n_estimators=2, n_jobs=2).fit(np.eye(9), np.arange(9) % 2)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    imports = [*LIGHT, "trains_at_import"]
    write_spec(tmp_path / "jupyter", "light", imports=imports)
    _starts_as_usual(caplog, "threads")


@pytest.mark.usefixtures("own_kernels")
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
            "threads",
        ),
        ("import multiprocessing; LOCK = multiprocessing.Lock()", "memory is shared"),
        ("import tqdm", "tqdm was imported"),
    ],
)
def test_a_module_that_must_not_be_forked_makes_the_server_unfit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Log,
    source: str,
    reason: str,
) -> None:
    (tmp_path / "unfit.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    write_spec(tmp_path / "jupyter", "light", imports=[*LIGHT, "unfit"])
    _starts_as_usual(caplog, reason)


def test_a_module_that_is_missing_or_broken_is_left_to_the_kernels(
    own_kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text("1 / 0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    write_spec(tmp_path / "jupyter", "light", imports=[*LIGHT, "broken", "not_there"])
    with live_kernel() as kernel:
        assert kernel.forked
    log = next(own_kernels.glob("*.log")).read_text()
    assert "broken (ZeroDivisionError" in log
    assert "not_there (ModuleNotFoundError" in log


@pytest.mark.usefixtures("own_kernels")
def test_a_server_that_crashes_at_import_is_not_started_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    tries = tmp_path / "tries"
    module = f"import os; open({str(tries)!r}, 'a').write('x'); os._exit(1)"
    (tmp_path / "crashes.py").write_text(module)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    write_spec(tmp_path / "jupyter", "light", imports=["crashes"])
    _starts_as_usual(caplog, "the fork server ended")
    tried = tries.stat().st_size
    _starts_as_usual(caplog, "the fork server ended")
    assert tries.stat().st_size == tried <= 3


@pytest.mark.usefixtures("own_kernels")
def test_a_folder_that_is_not_there_fails_as_it_always_did() -> None:
    with pytest.raises(FileNotFoundError), live_kernel(cwd="/not/there"):
        pass


@pytest.mark.usefixtures("own_kernels")
@pytest.mark.parametrize("option", ["stdout", "stderr"])
def test_a_pipe_for_its_output_needs_an_ordinary_start(
    caplog: Log, option: str
) -> None:
    _starts_as_usual(caplog, "pipe", **{option: subprocess.PIPE})


@pytest.mark.usefixtures("own_kernels")
def test_a_kernel_that_is_to_outlive_its_owner_starts_as_usual(caplog: Log) -> None:
    _starts_as_usual(caplog, "independent", independent=True)


@pytest.mark.usefixtures("own_kernels")
def test_a_very_large_environment_starts_as_usual(caplog: Log) -> None:
    env = {**os.environ, **{f"LARGE_{i}": "x" * 100_000 for i in range(3)}}
    _starts_as_usual(caplog, "too long", env=env)


@pytest.mark.usefixtures("own_kernels")
def test_an_error_in_the_users_configuration_is_told_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    profile = tmp_path / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text("import os; os._exit(9)")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with pytest.raises(RuntimeError, match="Kernel died"), live_kernel():
        pass
    assert "ended while it started" in caplog.text


def test_requests_that_are_nonsense_are_refused(own_kernels: Path) -> None:
    with live_kernel() as kernel, place.find(sys.executable, LIGHT) as there:
        for message in ({}, {"command": ["python"]}, {"command": 1, "environment": {}}):
            connection = there.connect()
            assert connection is not None
            wire.send(connection, message)
            answer, _ = wire.receive(connection)
            assert answer["state"] == "refused"
            connection.close()
        raw = there.connect()
        assert raw is not None
        raw.send(b"\xff" * 100)
        assert raw.recv(10) == b""
        raw.close()
        assert kernel.said("print('well')") == "well\n"
        with live_kernel() as another:
            assert another.forked


def test_the_socket_is_for_its_user_only(own_kernels: Path) -> None:
    with live_kernel():
        assert own_kernels.stat().st_mode & 0o777 == 0o700
        assert _socket_path().stat().st_mode & 0o777 == 0o600


ASK_AS = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
try:
    s.send(b'{}'); print(s.recv(1000))
except OSError as error:
    print(b'')
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_another_user_is_turned_away_even_where_the_folder_is_open(
    own_kernels: Path,
) -> None:
    with live_kernel():
        path = _socket_path()
        for folder in (path.parent, path.parent.parent):
            folder.chmod(0o755)
        path.chmod(0o666)
        asked = subprocess.run(
            [sys.executable, "-c", ASK_AS, str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert asked.stdout == "b''\n"
        [log] = own_kernels.glob("*.log")
        assert "user 65534 was turned away" in log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_server_of_another_user_is_not_asked(own_kernels: Path, caplog: Log) -> None:
    path = _socket_path()
    code = (
        "import os, socket, sys, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET);"
        "s.bind(sys.argv[1]); os.setuid(65534); s.listen(); print(flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    try:
        _starts_as_usual(caplog, "served by another user (65534)")
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


@pytest.mark.usefixtures("own_kernels")
def test_users_modules_and_lists_of_imports_have_servers_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = set()
    for python, imports in (("/a", ["x"]), ("/b", ["x"]), ("/a", ["y"])):
        with place.find(python, imports) as there:
            names.add(there.name)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(place, "_enter", lambda _: -1)
    with place.find("/a", ["x"]) as there:
        names.add(there.name)
    assert len(names) == 4


def test_the_list_of_variables_leaves_no_token_out_of_account() -> None:
    given = {"JUPYTERHUB_API_TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "x", "PATH": "/bin"}
    assert environment.for_server(given).keys() == {
        *("PATH", "MPLBACKEND", "OPENBLAS_NUM_THREADS"),
        *("JE_ARROW_MALLOC_CONF", "_RJEM_MALLOC_CONF"),
    }


def test_a_failed_server_is_tried_again_after_a_rest(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.find(sys.executable, LIGHT) as there:
        client._servers.fail(there.socket, "it failed")
    with live_kernel() as kernel:
        assert not kernel.forked
    monkeypatch.setattr(client, "REST_S", 0.0)
    with live_kernel() as kernel:
        assert kernel.forked
