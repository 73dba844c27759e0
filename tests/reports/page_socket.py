"""A raw channel to a page's kernel, as an attacker's own program would open it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import websocket
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

PROTOCOL = "v1.kernel.websocket.jupyter.org"


class PageSocket:
    """One open channel."""

    def __init__(self, url: str, **options: Any) -> None:
        options.setdefault("subprotocols", [PROTOCOL])
        self.socket = websocket.create_connection(url, timeout=20, **options)

    def say(self, kind: str, content: Any, channel: str = "shell") -> None:
        parts = [header(kind), {}, {}, content]
        raw = [json.dumps(part).encode() for part in parts]
        self.send(serialize_msg_to_ws_v1(raw, channel))

    def send(self, raw: bytes | str) -> None:
        if isinstance(raw, bytes):
            self.socket.send_binary(raw)
        else:
            self.socket.send(raw)

    def hear(self, seconds: float = 20) -> Iterator[tuple[str, Any]]:
        """What comes, as kind and content, for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                raw = self.socket.recv()
            except websocket.WebSocketTimeoutException:
                return
            if not isinstance(raw, bytes) or not raw:
                continue
            _, parts = deserialize_msg_from_ws_v1(raw)
            kind = json.loads(parts[0])["msg_type"]
            yield kind, json.loads(parts[3])

    def until(self, kind: str, seconds: float = 20) -> list[tuple[str, Any]]:
        """Everything that comes up to the first message of this kind."""
        heard = []
        for message in self.hear(seconds):
            heard.append(message)
            if message[0] == kind:
                return heard
        raise AssertionError(f"{kind} never came, only {[k for k, _ in heard]}")

    def kinds_after(self, kind: str, content: Any, channel: str = "shell") -> list[str]:
        """Say this, then ask who the kernel is: the kinds of what comes until it answers."""
        self.say(kind, content, channel)
        self.say("kernel_info_request", {})
        return [heard for heard, _ in self.until("kernel_info_reply")]

    def close(self) -> None:
        self.socket.close()


def header(kind: str) -> dict[str, Any]:
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "session": "attacker",
        "username": "",
        "version": "5.3",
        "date": "2026-11-21T00:00:00Z",
    }


@contextmanager
def channel(url: str, **options: Any) -> Iterator[PageSocket]:
    socket = PageSocket(url, **options)
    try:
        yield socket
    finally:
        socket.close()
