"""Attacks on other processes: what code of one company can learn of them or do to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from hub.walls.test_walls_lifecycle import eventually, free_port
from hub.walls.walled import Grounds, dropped

from kamp_lib.hub import bubblewrap

SECRET = "token-of-the-hub"


@pytest.fixture
def neighbour(grounds: Grounds) -> subprocess.Popen[bytes]:
    """A server of the other company, at work."""
    source = "import time; print('up', flush=True); time.sleep(60)"
    walled = grounds.profile(grounds.bolt, source=source, env={"TOKEN": SECRET})
    process = grounds.start(walled, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process  # type: ignore[misc]
    process.kill()
    process.wait()
    process.stdout.close()


COUNT = "result = [pid for pid in os.listdir('/proc') if pid.isdigit()]"


def test_only_ones_own_processes_are_seen(
    grounds: Grounds, neighbour: subprocess.Popen[bytes]
) -> None:
    seen = grounds.inside(COUNT).result
    assert set(seen) <= {"1", "2", "3"}


def test_without_an_own_process_space_all_are_seen(
    grounds: Grounds, neighbour: subprocess.Popen[bytes]
) -> None:
    walled = grounds.profile(source=COUNT)
    seen = grounds.inside(walled, without=dropped("--unshare-pid")).result
    assert str(neighbour.pid) in seen


def test_another_companys_process_cannot_be_signalled(
    grounds: Grounds, neighbour: subprocess.Popen[bytes]
) -> None:
    source = f"result = attempt(lambda: os.kill({neighbour.pid}, 9))"
    assert grounds.inside(source).result == ["ESRCH", None]
    assert neighbour.poll() is None


def test_killing_everything_kills_oneself_only(
    grounds: Grounds, neighbour: subprocess.Popen[bytes]
) -> None:
    grounds.inside("os.kill(-1, 9)")
    assert neighbour.poll() is None


def test_nothing_of_the_hubs_environment_is_inherited(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_HUB_SECRET", SECRET)
    monkeypatch.setenv("CONFIGPROXY_AUTH_TOKEN", SECRET)
    source = (
        f"result = [name for name, value in os.environ.items() if {SECRET!r} in value]"
    )
    assert grounds.inside(source).result == []


READ_ALL = f"""
found = []
for pid in os.listdir("/proc"):
    for name in ("environ", "cmdline"):
        try:
            with open(f"/proc/{{pid}}/{{name}}") as file:
                text = file.read()
        except OSError:
            continue
        if {SECRET!r} in text:
            found.append(name)
result = found
"""


def test_environments_and_command_lines_of_others_cannot_be_read(
    grounds: Grounds, neighbour: subprocess.Popen[bytes]
) -> None:
    # the secret stands in the attack's own command line, and nowhere else
    assert set(grounds.inside(READ_ALL).result) == {"cmdline"}


def test_a_servers_token_stands_in_no_command_line(grounds: Grounds) -> None:
    walled = grounds.profile(env={"JUPYTERHUB_API_TOKEN": SECRET})
    assert SECRET not in " ".join(grounds.command(walled, port=1).argv())


def test_a_servers_own_environment_is_there(grounds: Grounds) -> None:
    walled = grounds.profile(source="result = os.environ['A']", env={"A": "1"})
    assert grounds.inside(walled).result == "1"


@pytest.mark.parametrize(
    "name", ["KAMP_TENANT_HOME", "HOME", "PATH", "TMPDIR", "OMP_NUM_THREADS"]
)
def test_what_every_sandbox_has_cannot_be_set_otherwise(
    grounds: Grounds, name: str
) -> None:
    source = f"result = os.environ[{name!r}]"
    walled = grounds.profile(source=source, env={name: "/elsewhere"})
    assert grounds.inside(walled).result != "/elsewhere"


def test_the_first_process_of_the_sandbox_cannot_be_looked_into(
    grounds: Grounds,
) -> None:
    source = "result = [attempt(lambda: open(f'/proc/1/{n}', 'rb').read(1)) for n in ('mem',)]"
    (answer,) = grounds.inside(source).result
    assert answer[0] in ("EACCES", "EPERM", "EIO")


def test_shared_memory_and_message_queues_are_ones_own(
    grounds: Grounds, neighbour: subprocess.Popen[bytes]
) -> None:
    made = subprocess.run(["ipcmk", "-M", "1"], capture_output=True, check=True).stdout
    number = made.split()[-1].decode()
    try:
        source = "result = len(open('/proc/sysvipc/shm').read().splitlines()) - 1"
        walled = grounds.profile(source=source)
        assert grounds.inside(walled).result == 0
        without = dropped("--unshare-ipc")
        assert grounds.inside(walled, without=without).result >= 1
    finally:
        subprocess.run(["ipcrm", "-m", number], check=True)


def test_there_are_no_capabilities_to_use(grounds: Grounds) -> None:
    source = """
    lines = dict(l.split(":", 1) for l in open("/proc/self/status") if l.startswith("Cap"))
    result = [int(value, 16) for value in lines.values()]
    """
    assert set(grounds.inside(source).result) == {0}


def test_programs_that_change_the_user_do_not(grounds: Grounds) -> None:
    source = """
    import subprocess
    done = subprocess.run(["/usr/bin/su", "-c", "id -u"], capture_output=True, text=True)
    result = [done.stdout, os.getresuid()]
    """
    printed, ids = grounds.inside(source).result
    assert printed == ""
    assert 0 not in ids


@pytest.mark.parametrize("uid", [0, 1, 1000])
def test_another_user_cannot_be_become(grounds: Grounds, uid: int) -> None:
    source = f"result = attempt(lambda: os.setuid({uid}))"
    assert grounds.inside(source).result[0] in ("EPERM", "EINVAL")


def test_without_the_change_of_user_roots_hub_would_run_code_as_root(
    grounds: Grounds,
) -> None:
    if not grounds.as_root:
        pytest.skip("nobody is root here")

    def stays_root(argv: list[str]) -> list[str]:
        start = argv.index("/usr/bin/setpriv")
        end = argv.index("/usr/bin/env")
        return argv[:start] + argv[end:]

    walled = grounds.profile(source="result = os.getuid()")
    report = grounds.profile(source="result = os.getuid()")
    assert grounds.inside(walled).result == walled.uid
    # root without its capabilities cannot even enter the company's folder
    assert grounds.inside(report, without=stays_root).status == 125


def test_a_crash_leaves_no_core_dump(grounds: Grounds) -> None:
    source = """
    import resource, subprocess, sys
    crash = "import os; os.chdir('/workspace/data'); os.abort()"
    done = subprocess.run([sys.executable, "-IS", "-c", crash])
    result = [done.returncode, os.listdir("/workspace/data"),
              resource.getrlimit(resource.RLIMIT_CORE)]
    """
    status, files, limit = grounds.inside(source).result
    assert status == -signal.SIGABRT
    assert files == []
    assert limit == [1, 1]  # exactly 1: not even the system's crash handler gets it


def test_the_terminal_of_who_started_the_server_is_out_of_reach(
    grounds: Grounds,
) -> None:
    control, terminal = os.openpty()
    type_in = """
    import fcntl
    def type_in(request):
        return [attempt(lambda: fcntl.ioctl(0, request, letter)) for letter in (b"i", b"d")]
    result = type_in(0x5412)
    """
    try:
        process = grounds.start(
            grounds.profile(source=type_in), stdin=terminal, stdout=subprocess.PIPE
        )
        out = process.communicate(timeout=20)[0]
    finally:
        os.close(control)
        os.close(terminal)
    assert b"EPERM" in out
    assert b"ok" not in out


def test_the_session_is_the_sandboxs_own(grounds: Grounds) -> None:
    source = "result = attempt(lambda: os.close(os.open('/dev/tty', os.O_RDWR)))"
    assert grounds.inside(source).result == ["ENXIO", None]


def test_no_descriptor_of_the_hub_is_left_open(grounds: Grounds) -> None:
    with open(sys.executable, "rb") as file:
        os.set_inheritable(file.fileno(), True)
        source = """
        opened = "/proc/self/fd"
        result = [os.readlink(f"{opened}/{n}") for n in sorted(os.listdir(opened))[:-1]]
        """
        opened = grounds.inside(source).result
    assert [
        name for name in opened if name.startswith("/") and name != "/dev/null"
    ] == []


def test_the_shell_outside_does_not_obey_the_servers_environment(
    grounds: Grounds,
) -> None:
    evil = grounds.home / "evil.sh"
    evil.write_text(f"touch {grounds.home}/owned\n")
    env = {"BASH_ENV": str(evil), "ENV": str(evil), "SHELLOPTS": "xtrace"}
    grounds.inside(grounds.profile(env=env))
    assert not (grounds.home / "owned").exists()


PRINT = """
os.write(2, b"\\x1b[2J\\x07[I 2026-11-26 JupyterHub] all is well\\n")
os.write(2, "한글\\n".encode())
os.write(1, b"x" * 50_000 + b"\\n")
open("/workspace/data/outputs", "w").write(os.readlink("/proc/self/fd/2"))
"""


def printed(grounds: Grounds, source: str, capfd: pytest.CaptureFixture[str]) -> str:
    """What the hub's own output has after a server has run."""
    grounds.start(grounds.profile(source=source), port=free_port()).wait(60)
    said: list[str] = []

    def all_said() -> bool:
        said.append("".join(capfd.readouterr()))
        return "RESULT" in "".join(said)

    eventually(all_said)
    return "".join(said)


def test_what_a_server_prints_bears_its_name_and_steers_no_terminal(
    grounds: Grounds, capfd: pytest.CaptureFixture[str]
) -> None:
    text = printed(grounds, PRINT, capfd)
    assert "acme/ann: ?[2J?[I 2026-11-26 JupyterHub] all is well\n" in text
    assert "acme/ann: 한글\n" in text
    assert all(line.startswith("acme/ann: ") for line in text.splitlines())
    assert max(map(len, text.splitlines())) < 1100


def test_a_server_holds_a_pipe_and_not_the_hubs_own_output(
    grounds: Grounds, capfd: pytest.CaptureFixture[str]
) -> None:
    printed(grounds, PRINT, capfd)
    assert (grounds.acme.data / "outputs").read_text().startswith("pipe:")


@pytest.mark.parametrize("flood", ["b'y\\n' * 10_000", "b'y' * 2**20"])
def test_a_server_that_prints_without_end_fills_no_log_and_no_memory(
    grounds: Grounds,
    capfd: pytest.CaptureFixture[str],
    flood: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bubblewrap, "MOST_LINES", 200)
    source = f"""
    for _ in range(300):
        os.write(2, {flood})
    open("/workspace/data/done", "w").close()
    """
    grounds.start(grounds.profile(source=source), port=free_port()).wait(60)
    assert (grounds.acme.data / "done").exists()  # it was not held up by it
    text = "".join(capfd.readouterr())
    assert len(text.splitlines()) <= 200
    assert len(text) < 300_000
