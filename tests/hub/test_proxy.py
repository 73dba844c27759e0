"""The proxy with what we load into it, before servers of one sentence on unix sockets."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import socketserver
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from hub.live_hub import free_port
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, HTTPError, RequestHandler

from kamp_lib.hub.config import proxy_command
from kamp_lib.hub.sockets import socket_url

TOKEN = "a-token"
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


class _Sound(RequestHandler):
    """A server that says its name, and refuses every form at once."""

    def get(self) -> None:
        self.write("sound")

    def post(self) -> None:
        raise HTTPError(404)


class _Hostile(socketserver.StreamRequestHandler):
    """A company's own server: it sends more than it was asked for."""

    def handle(self) -> None:
        while self.rfile.readline():
            while self.rfile.readline().strip():
                pass  # the headers
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nmy" + SMUGGLED
            )


class _Threads(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """The proxy hangs up on it: that is what is wanted."""


@contextmanager
def _sound(place: Path) -> Iterator[None]:
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        application = Application([(".*", _Sound)], log_function=lambda handler: None)
        HTTPServer(application).add_socket(bind_unix_socket(str(place)))
        ready.set()

    def work() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    yield
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@contextmanager
def _hostile(place: Path) -> Iterator[None]:
    with _Threads(str(place), _Hostile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@contextmanager
def _proxy(routes: dict[str, Path]) -> Iterator[int]:
    port, api = free_port(), free_port()
    proxy = subprocess.Popen(
        [
            *proxy_command(),
            *("--ip=127.0.0.1", f"--port={port}", "--log-level=error"),
            *("--api-ip=127.0.0.1", f"--api-port={api}"),
        ],
        env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": TOKEN},
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(api)
        for prefix, place in routes.items():
            requests.post(
                f"http://127.0.0.1:{api}/api/routes/{prefix}",
                json={"target": socket_url(place)},
                headers={"Authorization": f"token {TOKEN}"},
                timeout=10,
            ).raise_for_status()
        yield port
    finally:
        proxy.terminate()
        proxy.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the proxy did not start")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A proxy that leads to a sound server at /sound and to a hostile one at /hostile."""
    places = {name: tmp_path / name[0] for name in ("sound", "hostile")}
    with (
        _sound(places["sound"]),
        _hostile(places["hostile"]),
        _proxy(places) as port,
    ):
        yield port


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_a_quick_refusal_arrives_whatever_the_visitor_asks_of_its_connection(
    port: int, connection: str
) -> None:
    seen: Counter[int] = Counter()
    for _ in range(300):
        visit = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        visit.putrequest("POST", "/sound")
        visit.putheader("Connection", connection)
        visit.putheader("Content-Length", "2")
        visit.endheaders()
        visit.send(b"{}")  # a segment of its own, as browsers and urllib send it
        seen[visit.getresponse().status] += 1
        visit.close()
    assert seen == {404: 300}


def test_a_server_that_says_too_much_is_not_heard_by_other_servers_visitors(
    port: int,
) -> None:
    """Connections that are kept belong to one server: what it adds reaches no other's."""

    def visit(name: str) -> tuple[str, str]:
        return name, requests.get(f"http://127.0.0.1:{port}/{name}", timeout=30).text

    with ThreadPoolExecutor(4) as visitors:
        heard = Counter(visitors.map(visit, ["sound", "hostile"] * 100))
    assert heard["sound", "sound"] == 100
    # and even there it is not taken for an answer to whoever asks next
    assert {text for name, text in heard if name == "hostile"} >= {"my"}
    assert not any("evil" in text for _, text in heard)
