"""What a viewer's browser may say to the kernel of its page.

It speaks through one channel. What passes is a list of the few things that our pages say:
ask for the widgets, press a button, put a value. Whatever else comes is dropped before
any kernel sees it.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import Any

from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
)
from jupyter_server.services.kernels.connection.channels import (
    ZMQChannelsWebsocketConnection,
)

PROTOCOL = "v1.kernel.websocket.jupyter.org"
# offsets of a message without buffers: channel, header, parent, metadata, content, end
PARTS = 6
LARGEST_MESSAGE = 65_536
LONGEST_VALUE = 200
# a slider that is dragged sends some dozens a second
MOST_MESSAGES, IN_SECONDS = 600, 10.0


class PageConnection(ZMQChannelsWebsocketConnection):
    """The channel between an open page and its kernel, through a fine sieve."""

    _since, _count = 0.0, 0

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        if not self._within_rate():
            return
        said = read_message(self.subprotocol, incoming_msg)
        if said is None or not is_page_talk(said):
            self.log.warning("dropped what a page never says: %s", said and said.kind)
            return
        super().handle_incoming_message(incoming_msg)

    def _within_rate(self) -> bool:
        now = time.monotonic()
        if now - self._since > IN_SECONDS:
            self._since, self._count = now, 0
        self._count += 1
        return self._count <= MOST_MESSAGES


@dataclass(frozen=True)
class Said:
    """One message of a browser."""

    channel: str
    kind: str
    content: dict[str, Any]


def read_message(subprotocol: str | None, raw: Any) -> Said | None:
    """A message in the one protocol that our pages speak; None for anything else."""
    if subprotocol != PROTOCOL or not isinstance(raw, bytes):
        return None
    # the count comes first, and a lie about it would make the reader fill the memory
    count = int.from_bytes(raw[:8], "little")
    if count != PARTS or len(raw) > LARGEST_MESSAGE:
        return None
    try:
        channel, parts = deserialize_msg_from_ws_v1(raw)
        header, content = _json(parts[0]), _json(parts[3])
        kind = header["msg_type"]
    # offsets that lie, JSON that is none or too deep, values of another kind
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    if not isinstance(kind, str) or not isinstance(content, dict):
        return None
    return Said(channel, kind, content)


def _json(part: bytes) -> Any:
    # strictly UTF-8, as the kernel reads it: json would guess UTF-16 from raw bytes
    return json.loads(part.decode("utf-8"))


def is_page_talk(said: Said) -> bool:
    """Whether this is one of the few things that our pages say to their kernel."""
    if said.channel != "shell":
        return False
    content = said.content
    if said.kind in ("kernel_info_request", "comm_info_request"):
        return True
    if said.kind == "comm_open":
        # how the page asks for its widgets; making new ones is not for a browser
        return content.get("target_name") == "jupyter.widget.control"
    if said.kind == "comm_close":
        return isinstance(content.get("comm_id"), str)
    if said.kind == "comm_msg":
        data = content.get("data")
        return isinstance(data, dict) and _is_widget_talk(data)
    return False


def _is_widget_talk(data: dict[str, Any]) -> bool:
    if data.get("buffer_paths"):
        return False
    method = data.get("method")
    if method in ("request_state", "request_states"):
        return True
    if method == "custom":
        return data.get("content") == {"event": "click"}
    # of a widget's many traits a reader moves one: bounds and choices stay ours
    state = data.get("state")
    return (
        method == "update"
        and isinstance(state, dict)
        and set(state) <= {"value", "index"}
        and all(_is_plain(value) for value in state.values())
    )


def _is_plain(value: object) -> bool:
    """A finite number or a short text."""
    if isinstance(value, str):
        return len(value) <= LONGEST_VALUE
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return abs(value) < 2**63
    return isinstance(value, float) and math.isfinite(value)
