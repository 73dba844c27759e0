"""The proxy with what we load into it, before a server of one sentence on a unix socket."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.live_hub import free_port
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, HTTPError, RequestHandler

from kamp_lib.hub.config import proxy_command
from kamp_lib.hub.sockets import socket_url


class _Refuses(RequestHandler):
    def post(self) -> None:
        raise HTTPError(404)


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[Path]:
    """The socket of a server that refuses every form at once."""
    place, loop, ready = tmp_path / "s", asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        server = HTTPServer(
            Application([(".*", _Refuses)], log_function=lambda handler: None)
        )
        server.add_socket(bind_unix_socket(str(place)))
        ready.set()

    def work() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    yield place
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def port(refusing: Path) -> Iterator[int]:
    """The port of a proxy that leads to the refusing server."""
    port, api = free_port(), free_port()
    proxy = subprocess.Popen(
        [
            *proxy_command(),
            *("--ip=127.0.0.1", f"--port={port}"),
            *("--api-ip=127.0.0.1", f"--api-port={api}"),
            *(f"--default-target={socket_url(refusing)}", "--log-level=error"),
        ],
        env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": "a-token"},
    )
    for _ in range(200):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    proxy.terminate()
    proxy.wait()


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_a_quick_refusal_arrives_whatever_the_visitor_asks_of_its_connection(
    port: int, connection: str
) -> None:
    seen: Counter[int] = Counter()
    for _ in range(300):
        visit = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        visit.putrequest("POST", "/x")
        visit.putheader("Connection", connection)
        visit.putheader("Content-Length", "2")
        visit.endheaders()
        visit.send(b"{}")  # a segment of its own, as browsers and urllib send it
        seen[visit.getresponse().status] += 1
        visit.close()
    assert seen == {404: 300}
