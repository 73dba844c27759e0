"""Sandbox, forwarder and the shell that holds them: they live and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hub.walls.walled import Grounds

from kamp_lib.hub import cgroups

SERVER = """
import http.server, signal, socketserver, subprocess, threading, time
class Here(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"acme")
    def address_string(self): return "-"
    def log_message(self, *_): pass
class Server(socketserver.ThreadingUnixStreamServer): pass
# something that a kernel or a terminal might leave behind
subprocess.Popen(["setsid", "sleep", "4711"])
def ended(*_):
    open("/workspace/data/ended", "w").close()
    os._exit(7)
signal.signal(signal.SIGTERM, ended)
Server("/run/kamp/server/server.sock", Here).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(grounds: Grounds) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    walled = grounds.profile(source=SERVER)
    process = grounds.start(walled, port=port, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: answers(port))
        yield process, port
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as reply:
            return bool(reply.read() == b"acme")
    except OSError:
        return False


def eventually(true: Callable[[], bool], seconds: float = 15) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.05)


def below(pid: int) -> set[int]:
    """The living descendants of a process."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(after[1]), []).append(int(entry.parent.name))
    found: set[int] = set()
    ask = [pid]
    while ask:
        more = children.get(ask.pop(), [])
        found.update(more)
        ask += more
    return found


def named(pids: set[int], word: str) -> list[int]:
    found = []
    for pid in sorted(pids):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        except OSError:
            continue
        if line.split("\0")[0].rpartition("/")[2] == word:
            found.append(pid)
    return found


def alive(pids: set[int]) -> set[int]:
    living = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in ("Z", "X"):
            living.add(pid)
    return living


def test_a_server_in_its_sandbox_answers_on_a_loopback_port(grounds: Grounds) -> None:
    with serving(grounds) as (_, port):
        assert answers(port)


def test_a_polite_end_reaches_the_server_which_ends_by_itself(grounds: Grounds) -> None:
    with serving(grounds) as (process, port):
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 7
        assert (grounds.acme.data / "ended").exists()
        assert not answers(port)


@pytest.mark.parametrize("victim", ["shell", "sandbox", "forwarder", "server"])
def test_whichever_part_is_killed_nothing_is_left(
    grounds: Grounds, victim: str
) -> None:
    with serving(grounds) as (process, _):
        parts = below(process.pid)
        sandboxes = named(parts, "bwrap")
        assert named(parts, "sleep")
        target = {
            "shell": process.pid,
            "sandbox": sandboxes[-1],
            "forwarder": named(parts, "socat")[0],
            "server": named(parts, Path(sys.executable).name)[-1],
        }[victim]
        os.kill(target, signal.SIGKILL)
        eventually(lambda: not alive(parts))
        assert process.wait(10) != 0


def test_the_server_outlives_the_process_that_started_it(grounds: Grounds) -> None:
    port = free_port()
    line = grounds.command(grounds.profile(source=SERVER), port=port)
    starter = subprocess.run(
        [
            *(sys.executable, "-IS", "-c"),
            "import subprocess, sys\n"
            "print(subprocess.Popen(sys.argv[1:], start_new_session=True,"
            " stdin=-3, stdout=-3, stderr=-3).pid)",
            *line.argv(),
        ],
        env=line.env,
        capture_output=True,
        check=True,
    )
    pid = int(starter.stdout)
    try:
        eventually(lambda: answers(port))
    finally:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not answers(port))


def test_interrupting_reaches_what_runs_inside(grounds: Grounds) -> None:
    source = """
    import time
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        result = "interrupted"
    """
    process = grounds.start(grounds.profile(source=source), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert b"interrupted" in process.communicate(timeout=10)[0]
    assert process.returncode == 0


def test_the_exit_status_is_that_of_the_program_inside(grounds: Grounds) -> None:
    assert grounds.inside("sys.exit(42)").status == 42


def test_the_shell_says_nothing_of_its_own(grounds: Grounds) -> None:
    assert grounds.inside("os.kill(os.getpid(), 9)").err == ""


def test_a_taken_port_ends_the_server_at_once(grounds: Grounds) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        for _ in range(5):
            process = grounds.start(
                grounds.profile(source=SERVER), port=port, stdout=subprocess.DEVNULL
            )
            assert process.wait(15) != 0
    eventually(lambda: not left_of(grounds))


def left_of(grounds: Grounds) -> list[int]:
    """Processes that know of these grounds: parts of their servers."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if grounds.home.name.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_server_that_is_stopped_while_it_is_being_built_leaves_nothing(
    grounds: Grounds, how: signal.Signals
) -> None:
    for number in range(12):
        process = grounds.start(
            grounds.profile(source=SERVER), port=free_port(), stdout=subprocess.DEVNULL
        )
        time.sleep(0.008 * number)
        process.send_signal(how)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:  # the shell was not there yet to hear it
            process.kill()
            process.wait()
    eventually(lambda: not left_of(grounds))


def test_a_server_that_is_killed_while_it_is_being_built_goes_with_its_group(
    grounds: Grounds,
) -> None:
    if not grounds.as_root or cgroups.find() is None:
        pytest.skip("nobody gave this user control groups")
    for number in range(12):
        process = grounds.start(
            grounds.profile(source=SERVER), stdout=subprocess.DEVNULL, limited=True
        )
        time.sleep(0.006 * number)
        process.kill()
        process.wait()
        cgroups.remove("acme", "ann")
    eventually(lambda: not left_of(grounds))


def test_a_second_start_takes_the_place_of_what_was_left(grounds: Grounds) -> None:
    for _ in range(2):
        with serving(grounds) as (process, port):
            process.kill()
            process.wait()
            eventually(lambda: not answers(port))


def test_a_run_directory_with_folders_without_end_is_cleared(grounds: Grounds) -> None:
    source = """
    here = os.open("/run/kamp/server", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    """
    grounds.inside(source)
    assert grounds.inside("result = os.listdir('/run/kamp/server')").result == []


def test_folders_that_a_company_closed_to_itself_do_not_stop_its_next_start(
    grounds: Grounds,
) -> None:
    source = """
    os.mkdir("/run/kamp/server/shut")
    for path in ("/run/kamp/server/shut", "/run/kamp/server", "/workspace/data"):
        os.chmod(path, 0)
    """
    grounds.inside(source)
    assert grounds.inside("result = 1").result == 1
    grounds.acme.data.chmod(0o700)
