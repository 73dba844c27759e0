"""A raw channel to a page's kernel, as an attacker's own program would open it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import websocket
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

PROTOCOL = "v1.kernel.websocket.jupyter.org"


@dataclass(frozen=True)
class Heard:
    """One message of a kernel; `to` is what it answers."""

    kind: str
    content: Any
    to: str


class PageSocket:
    """One open channel."""

    def __init__(self, url: str, **options: Any) -> None:
        options.setdefault("subprotocols", [PROTOCOL])
        self.socket = websocket.create_connection(url, timeout=20, **options)

    def say(self, kind: str, content: Any, channel: str = "shell") -> str:
        """Say something; returns the id by which answers refer to it."""
        head = header(kind)
        parts = (head, {}, {"version": "1.0.0"}, content)
        raw = [json.dumps(part).encode() for part in parts]
        self.send(serialize_msg_to_ws_v1(raw, channel))
        return str(head["msg_id"])

    def send(self, raw: bytes | str) -> None:
        if isinstance(raw, bytes):
            self.socket.send_binary(raw)
        else:
            self.socket.send(raw)

    def hear(self, seconds: float = 20) -> Iterator[Heard]:
        """What comes, for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                # pings, too: waiting for data only would begin anew with each of them
                code, frame = self.socket.recv_data_frame(control_frame=True)
            except websocket.WebSocketTimeoutException:
                return
            if code == websocket.ABNF.OPCODE_CLOSE:
                raise websocket.WebSocketConnectionClosedException(
                    "closed by the server"
                )
            if code != websocket.ABNF.OPCODE_BINARY:
                continue
            raw = frame.data
            _, parts = deserialize_msg_from_ws_v1(raw)
            head, parent = json.loads(parts[0]), json.loads(parts[1])
            content = json.loads(parts[3])
            yield Heard(head["msg_type"], content, parent.get("msg_id", ""))

    def until(self, kind: str, seconds: float = 20) -> list[Heard]:
        """Everything that comes up to the first message of this kind."""
        heard = []
        for message in self.hear(seconds):
            heard.append(message)
            if message.kind == kind:
                return heard
        raise AssertionError(f"{kind} never came, only {[h.kind for h in heard]}")

    def answers_to(self, kind: str, content: Any, channel: str = "shell") -> list[str]:
        """Say this, then ask who the kernel is: the kinds of what came in answer to this.

        A kernel that gets a message says at least that it is busy with it, so no answer
        at all means that it never got it.
        """
        said = self.say(kind, content, channel)
        self.say("kernel_info_request", {})
        return [h.kind for h in self.until("kernel_info_reply") if h.to == said]

    def widgets(self) -> dict[str, dict[str, Any]]:
        """The widgets of the page, asked for as our own front end does: id -> state."""
        comm = uuid.uuid4().hex
        target = {"target_name": "jupyter.widget.control", "data": {}}
        self.say("comm_open", {"comm_id": comm, **target})
        self.say("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        answer = next(
            h.content["data"]
            for h in self.hear(30)
            if h.kind == "comm_msg" and h.content["comm_id"] == comm
        )
        return {
            id_: {**model["state"], "model": model["model_name"]}
            for id_, model in answer["states"].items()
        }

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
