"""How forked kernels, their server and their owner live and die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from kernels.live_kernel import (
    LiveKernel,
    eventually,
    live_kernel,
    parent,
    runs,
    servers,
    write_spec,
)

from kamp_lib.kernels import client

pytestmark = pytest.mark.e2e

SLEEP = "import time; time.sleep(60)"


def _interrupted(kernel: LiveKernel, code: str) -> dict[str, Any]:
    """The answer to a cell that runs and is interrupted."""
    mark = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"mark-{time.monotonic_ns()}"
    message = kernel.client.execute(f"open({str(mark)!r}, 'w').close(); {code}")
    assert eventually(mark.exists)
    time.sleep(0.2)
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=10)
    while reply["parent_header"].get("msg_id") != message:
        reply = kernel.client.get_shell_msg(timeout=10)
    time.sleep(0.5)  # ipykernel refuses for a moment what was asked before
    return reply


@pytest.mark.usefixtures("kernels")
def test_an_interrupt_stops_the_cell_and_leaves_the_kernel() -> None:
    with live_kernel() as kernel:
        pid = kernel.pid
        reply = _interrupted(kernel, SLEEP)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert kernel.value("__import__('os').getpid()") == pid


@pytest.mark.usefixtures("kernels")
def test_an_interrupt_reaches_a_process_that_the_cell_started() -> None:
    with live_kernel() as kernel:
        reply = _interrupted(
            kernel, "import subprocess; subprocess.call(['sleep', '60'])"
        )
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert kernel.said("print(subprocess.call(['true']))") == "0\n"


@pytest.mark.usefixtures("kernels")
def test_a_restart_gives_a_new_process_without_the_old_names() -> None:
    with live_kernel() as kernel:
        kernel.said("x = 1")
        old = kernel.pid
        kernel.manager.restart_kernel(now=False)
        kernel.wait_ready()
        assert kernel.forked
        assert kernel.pid != old
        assert not runs(old)
        assert kernel.value("'x' in globals()") is False


@pytest.mark.usefixtures("kernels")
def test_a_polite_shutdown_runs_what_was_registered_for_the_end(tmp_path: Path) -> None:
    with live_kernel() as kernel:
        mark = tmp_path / "mark"
        kernel.said(f"import atexit; atexit.register(open, {str(mark)!r}, 'w')")
        pid = kernel.pid
        kernel.manager.shutdown_kernel(now=False)
        assert not runs(pid)
        assert mark.exists()


# The control thread writes what is left after a shutdown; here so late that the thread
# of outputs is about to end.
LATE = """
import sys, threading, time
from ipykernel.iostream import OutStream
# everything bound early: the names of a notebook are gone at the end
def late_flush(stream, flush=OutStream.flush, thread=threading.current_thread, sleep=time.sleep):
    if thread().name == "Control":
        sleep(0.3)
    flush(stream)
OutStream.flush = late_flush
loop = sys.stdout.pub_thread.io_loop
loop.stop = lambda stop=loop.stop, sleep=time.sleep: (stop(), sleep(1))
"""


@pytest.mark.usefixtures("kernels")
def test_a_polite_shutdown_needs_no_signal() -> None:
    with live_kernel() as kernel:
        process = kernel.manager.provisioner.process
        kernel.said(LATE)
        kernel.manager.shutdown_kernel(now=False)
        assert process.returncode == 0


@pytest.mark.usefixtures("kernels")
def test_no_connection_file_or_socket_is_left_behind() -> None:
    runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    before = set(runtime.iterdir())
    with live_kernel() as kernel:
        assert set(runtime.iterdir()) - before
        kernel.manager.shutdown_kernel(now=False)
    assert {path.name for path in set(runtime.iterdir()) - before} <= {"ipython"}


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("import os; os._exit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("import os; os.abort()", -signal.SIGABRT),
    ],
)
def test_the_exit_status_is_what_popen_would_say(ending: str, code: int) -> None:
    with live_kernel() as kernel, live_kernel() as other:
        process = kernel.manager.provisioner.process
        kernel.client.execute(ending)
        assert process.wait(timeout=20) == code
        assert process.poll() == code
        assert other.said("print('well')") == "well\n"


@pytest.mark.usefixtures("kernels")
def test_a_killed_kernel_is_noticed_and_forgotten() -> None:
    with live_kernel() as kernel:
        pid = kernel.pid
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not kernel.manager.is_alive())
        assert eventually(lambda: not Path(f"/proc/{pid}").exists()), "a zombie"


def test_kernels_go_on_when_their_fork_server_is_killed(own_kernels: Path) -> None:
    with live_kernel() as kernel:
        kernel.said("x = 41")
        [server] = servers(own_kernels)
        os.kill(server, signal.SIGKILL)
        assert eventually(lambda: not runs(server))
        time.sleep(1.5)  # longer than ipykernel's own look at its parent
        assert kernel.value("x + 1") == 42
        assert kernel.manager.is_alive()
        with live_kernel() as later:
            assert later.forked
            assert servers(own_kernels) != [server]
        kernel.manager.interrupt_kernel()
        assert kernel.value("x") == 41
        pid = kernel.pid
        kernel.manager.shutdown_kernel(now=True)
        assert eventually(lambda: not runs(pid))


def test_an_end_that_nobody_saw_has_the_status_unknown(own_kernels: Path) -> None:
    with live_kernel() as kernel:
        process = kernel.manager.provisioner.process
        os.kill(servers(own_kernels)[0], signal.SIGKILL)
        os.kill(kernel.pid, signal.SIGKILL)
        assert process.wait(timeout=10) == 255


OWNER = """
import sys, time
sys.path.insert(0, {tests!r})
from kernels.live_kernel import live_kernel
with live_kernel() as one, live_kernel() as two:
    two.client.execute({code!r})
    time.sleep(0.5)
    print(one.forked, one.pid, two.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    "code",
    [
        "1",
        SLEEP,
        # holds the interpreter's lock: no thread of the kernel can look around
        "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
        "import signal; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]",
    ],
)
def test_nothing_is_left_when_the_owner_is_killed(own_kernels: Path, code: str) -> None:
    script = OWNER.format(tests=str(Path(__file__).parents[1]), code=code)
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    forked, *pids = owner.stdout.readline().split()
    kernels = [int(pid) for pid in pids]
    [server] = servers(own_kernels)
    assert forked == "True"
    assert parent(kernels[0]) == server
    owner.kill()
    owner.wait()
    owner.stdout.close()
    for pid in [*kernels, server]:
        assert eventually(lambda pid=pid: not runs(pid), 10), pid
    assert not list(own_kernels.glob("*.sock"))


def test_kernels_end_with_their_owner_even_without_a_fork_server(
    own_kernels: Path,
) -> None:
    script = OWNER.format(tests=str(Path(__file__).parents[1]), code="1")
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    _, *pids = owner.stdout.readline().split()
    os.kill(servers(own_kernels)[0], signal.SIGKILL)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    for pid in map(int, pids):
        assert eventually(lambda pid=pid: not runs(pid), 10)


def test_the_server_ends_when_nobody_needs_it(own_kernels: Path) -> None:
    with live_kernel() as kernel:
        [server] = servers(own_kernels)
        client.let_go()
        assert kernel.said("print(1)") == "1\n"
        assert runs(server), "it has a kernel to report about"
    assert eventually(lambda: not runs(server))


def test_the_server_stays_between_two_kernels(own_kernels: Path) -> None:
    with live_kernel():
        before = servers(own_kernels)
    time.sleep(0.3)
    with live_kernel() as kernel:
        assert kernel.forked
        assert servers(own_kernels) == before


def test_an_idle_server_ends_and_another_is_started(
    own_kernels: Path, tmp_path: Path
) -> None:
    write_spec(tmp_path / "jupyter", "idle", imports=[], idle_s=0.5)
    with live_kernel("idle"):
        [server] = servers(own_kernels)
        time.sleep(1)
        assert runs(server), "a kernel runs"
    assert eventually(lambda: not runs(server))
    with live_kernel("idle") as kernel:
        assert kernel.forked


def test_a_library_that_changes_on_disk_is_imported_anew(
    own_kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    module = library / "of_the_house.py"
    module.write_text("VERSION = 1")
    monkeypatch.setenv("PYTHONPATH", str(library))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    imports = ["of_the_house"]
    write_spec(tmp_path / "jupyter", "house", imports=imports)
    with live_kernel("house") as kernel:
        [server] = servers(own_kernels)
        assert kernel.value("__import__('of_the_house').VERSION") == 1
        module.write_text("VERSION = 22")
        with live_kernel("house") as later:
            assert later.forked
            assert later.value("__import__('of_the_house').VERSION") == 22
        assert kernel.value("__import__('of_the_house').VERSION") == 1
        assert runs(server), "it has a kernel to report about"
    assert eventually(lambda: not runs(server))


def test_a_file_that_a_module_read_while_it_was_imported_counts_as_its_own(
    own_kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.txt"
    table.write_text("1")
    library = tmp_path / "library"
    library.mkdir()
    (library / "of_a_table.py").write_text(
        f"__files_read__ = [{str(table)!r}]\nVALUE = open({str(table)!r}).read()"
    )
    monkeypatch.setenv("PYTHONPATH", str(library))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    write_spec(tmp_path / "jupyter", "house", imports=["of_a_table"])
    value = "__import__('of_a_table').VALUE"
    with live_kernel("house") as kernel:
        assert (kernel.forked, kernel.value(value)) == (True, "1")
        table.write_text("22")
        with live_kernel("house") as later:
            assert (later.forked, later.value(value)) == (True, "22")


def test_a_package_that_is_installed_or_removed_starts_a_new_server(
    own_kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(library))
    with live_kernel():
        before = servers(own_kernels)
    (library / "new-1.0.dist-info").mkdir()
    with live_kernel() as kernel:
        assert kernel.forked
        assert servers(own_kernels) != before
