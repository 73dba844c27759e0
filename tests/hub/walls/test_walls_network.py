"""Attacks by network and socket: from a sandbox, and through what a sandbox leaves behind."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hub.walls.test_walls_lifecycle import answers, eventually, free_port
from hub.walls.walled import Grounds, dropped

from kamp_lib.hub.profile import Kind

CONNECT = """
import socket
def connect(family, address):
    with socket.socket(family) as s:
        s.settimeout(2)
        s.connect(address)
"""


@contextmanager
def listening(family: socket.AddressFamily, address: object) -> Iterator[socket.socket]:
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()
        yield server


@pytest.mark.parametrize("what", ["proxy API", "another server", "a service"])
def test_a_port_of_the_machine_cannot_be_reached(grounds: Grounds, what: str) -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as server:
        address = server.getsockname()
        source = (
            CONNECT + f"result = attempt(lambda: connect(socket.AF_INET, {address!r}))"
        )
        walled = grounds.profile(source=source)
        assert grounds.inside(walled).result == ["ECONNREFUSED", None]
        without = dropped("--unshare-net")
        assert grounds.inside(walled, without=without).result == ["ok", None]


@pytest.mark.parametrize("host", ["169.254.169.254", "8.8.8.8", "10.0.0.1"])
def test_no_address_outside_can_be_reached(grounds: Grounds, host: str) -> None:
    source = (
        CONNECT + f"result = attempt(lambda: connect(socket.AF_INET, ({host!r}, 80)))"
    )
    assert grounds.inside(source).result == ["ENETUNREACH", None]


def test_the_only_network_is_ones_own_loopback(grounds: Grounds) -> None:
    source = "import socket; result = [name for _, name in socket.if_nameindex()]"
    assert grounds.inside(source).result == ["lo"]


def test_loopback_works_inside(grounds: Grounds) -> None:
    source = (
        CONNECT
        + """
    server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
    result = attempt(lambda: connect(socket.AF_INET, server.getsockname()))
    """.replace("\n    ", "\n")
    )
    assert grounds.inside(source).result == ["ok", None]


def test_an_abstract_socket_of_the_machine_cannot_be_reached(grounds: Grounds) -> None:
    name = f"\0kamp-{free_port()}"
    with listening(socket.AF_UNIX, name):
        source = (
            CONNECT + f"result = attempt(lambda: connect(socket.AF_UNIX, {name!r}))"
        )
        walled = grounds.profile(source=source)
        assert grounds.inside(walled).result == ["ECONNREFUSED", None]
        without = dropped("--unshare-net")
        assert grounds.inside(walled, without=without).result == ["ok", None]


SOCKETS = """
import stat
found = []
for folder, names, files in os.walk("/"):
    names[:] = [n for n in names if (folder, n) != ("/", "proc")]
    for name in files:
        path = os.path.join(folder, name)
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            found.append(path)
result = found
"""


def test_no_socket_of_another_server_is_seen(grounds: Grounds) -> None:
    waits = """
    import socket, time
    socket.socket(socket.AF_UNIX).bind("/run/kamp/server/server.sock")
    print("up", flush=True); time.sleep(60)
    """
    others = [
        grounds.profile(grounds.acme, server="bob", source=waits),
        grounds.profile(grounds.acme, Kind.REPORT, server="report", source=waits),
        grounds.profile(grounds.bolt, server="ann", source=waits),
    ]
    running = [grounds.start(p, stdout=subprocess.PIPE) for p in others]
    try:
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
        assert grounds.inside(SOCKETS).result == []
    finally:
        for process in running:
            process.kill()
            process.communicate()


def test_kernels_files_of_a_colleague_are_not_seen(grounds: Grounds) -> None:
    leaves = """
    import socket, time
    for folder in (os.environ["HOME"], "/tmp", "/dev/shm", "/run/kamp/server"):
        open(f"{folder}/kernel-4711.json", "w").write("key")
    print("up", flush=True); time.sleep(60)
    """
    looks = """
    found = []
    for folder, names, files in os.walk("/"):
        names[:] = [n for n in names if (folder, n) != ("/", "proc")]
        found += [os.path.join(folder, f) for f in files if f == "kernel-4711.json"]
    result = found
    """
    bob = grounds.start(
        grounds.profile(server="bob", source=leaves), stdout=subprocess.PIPE
    )
    try:
        assert bob.stdout is not None
        bob.stdout.readline()
        assert grounds.inside(looks).result == []
    finally:
        bob.kill()
        bob.communicate()


def test_the_hubs_socket_is_seen_and_cannot_be_replaced(grounds: Grounds) -> None:
    grounds.inside("pass")
    with listening(socket.AF_UNIX, str(grounds.home / "hub" / "api" / "hub.sock")):
        (grounds.home / "hub" / "api" / "hub.sock").chmod(0o666)
        source = (
            CONNECT
            + """
sock = "/run/kamp/hub/hub.sock"
result = [attempt(lambda: connect(socket.AF_UNIX, sock)), attempt(lambda: os.unlink(sock))]
"""
        )
        reached, removed = grounds.inside(source).result
    assert reached == ["ok", None]
    assert removed[0] in ("EROFS", "EACCES")


def test_a_job_does_not_see_the_hub(grounds: Grounds) -> None:
    job = grounds.profile(
        kind=Kind.JOB, server="job", source="result = os.listdir('/run/kamp')"
    )
    assert grounds.inside(job).result == ["server"]


@contextmanager
def neighbours_service() -> Iterator[tuple[Path, list[bytes]]]:
    """A socket on the machine that answers whoever connects: another server, a daemon."""
    with tempfile.TemporaryDirectory(prefix="kamp-service-") as folder:
        Path(folder).chmod(0o777)
        path = Path(folder) / "victim.sock"
        asked: list[bytes] = []
        with listening(socket.AF_UNIX, str(path)) as server:
            path.chmod(0o777)

            def serve() -> None:
                while True:
                    try:
                        client, _ = server.accept()
                    except OSError:
                        return
                    with client:
                        asked.append(client.recv(100))
                        client.sendall(b"HTTP/1.0 200 OK\r\n\r\nacme")

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            yield path, asked
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


REPLACE = """
import time
os.symlink({target!r}, "/run/kamp/server/server.sock")
print("up", flush=True); time.sleep(60)
"""


def test_a_link_in_the_sockets_place_leads_the_forwarder_nowhere(
    grounds: Grounds,
) -> None:
    with neighbours_service() as (victim, asked):
        port = free_port()
        walled = grounds.profile(source=REPLACE.format(target=str(victim)))
        process = grounds.start(
            walled, port=port, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert process.stdout is not None
            process.stdout.readline()
            eventually(lambda: accepts(port))
            assert not answers(port)
            assert asked == []
        finally:
            process.kill()
            process.communicate()


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def test_a_forwarder_without_walls_would_follow_that_link(grounds: Grounds) -> None:
    with neighbours_service() as (victim, asked):
        walled = grounds.profile(source=REPLACE.format(target=str(victim)))
        server = grounds.start(walled, stdout=subprocess.PIPE)
        assert server.stdout is not None
        server.stdout.readline()
        link = grounds.home / "hub" / "run" / "acme" / "ann" / "server.sock"
        port = free_port()
        plain = subprocess.Popen(
            ["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,fork", f"UNIX-CONNECT:{link}"]
        )
        try:
            eventually(lambda: answers(port))
            assert asked
        finally:
            for process in (plain, server):
                process.kill()
                process.communicate()
