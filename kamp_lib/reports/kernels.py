"""The kernels behind open pages: what they inherit, whose they are, what they are told.

A viewer's browser speaks with a kernel through one channel. What passes is a list of the
few things that our pages say: ask for the widgets, press a button, put a value. Whatever
else comes is dropped before any kernel sees it.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
)
from jupyter_server.services.kernels.connection.channels import (
    ZMQChannelsWebsocketConnection,
)
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from traitlets import Integer

LEFT_BEHIND_S = 30
PROTOCOL = "v1.kernel.websocket.jupyter.org"
# offsets of a message without buffers: channel, header, parent, metadata, content, end
PARTS = 6
LARGEST_MESSAGE = 65_536
LONGEST_VALUE = 200
# a slider that is dragged sends some dozens a second
MOST_MESSAGES, IN_SECONDS = 600, 10.0
# The environment of a page's kernel: no token, no address of a hub, no company's folder.
INHERITED = frozenset(
    "PATH HOME LANG LANGUAGE LC_ALL LC_CTYPE TZ TMPDIR LD_LIBRARY_PATH VIRTUAL_ENV"  # noqa: SIM905
    " PYTHONPATH PYTHONHASHSEED PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS"
    " OPENBLAS_NUM_THREADS MKL_NUM_THREADS XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_CONFIG_HOME"
    " JUPYTER_RUNTIME_DIR JUPYTER_DATA_DIR JUPYTER_CONFIG_DIR JUPYTER_PATH IPYTHONDIR"
    " MPLCONFIGDIR KAMP_LANG QUERY_STRING".split()
)

# who asks for the page that is being opened now
reader: ContextVar[str] = ContextVar("kamp_reader", default="")


class PageKernels(AsyncMappingKernelManager):
    """Kernels of open pages: each belongs to the reader who opened the page."""

    most = Integer(16, config=True, help="Pages that may be open at once.")
    most_each = Integer(6, config=True, help="Pages that one reader may have open.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.readers: dict[str, str] = {}
        self._opening: list[str] = []

    async def start_kernel(  # type: ignore[override] # the asynchronous kind of it
        self, **kwargs: Any
    ) -> str:
        """A kernel for the page that is being opened.

        Raises
        ------
        tornado.web.HTTPError
            503, when there is no room for one more.
        """
        who = reader.get()
        kwargs["env"] = page_environment(kwargs.get("env") or os.environ)
        self._opening.append(who)
        try:
            await self._make_room(who)
            kernel_id: str = await super().start_kernel(**kwargs)
            self.readers[kernel_id] = who
        finally:
            self._opening.remove(who)
        return kernel_id

    def remove_kernel(self, kernel_id: str) -> Any:
        self.readers.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    def belongs(self, kernel_id: str, who: str) -> bool:
        """Whether this is the kernel of a page that `who` has opened."""
        return self.readers.get(kernel_id) == who

    async def close_all_of(self, who: str) -> None:
        """End the open pages of a reader who may read no longer."""
        for kernel_id in [k for k, owner in self.readers.items() if owner == who]:
            await self.shutdown_kernel(kernel_id)

    async def _make_room(self, who: str) -> None:
        """Pages that nobody looks at any more give way to the one being opened.

        A phone that closes a tab often does not say so, and its kernel stays behind.
        """
        mine = [k for k, owner in self.readers.items() if owner == who]
        if who and len(mine) + self._opening.count(who) > self.most_each:
            await self._close([k for k in mine if not self._looked_at(k)])
        if len(self.readers) + len(self._opening) > self.most:
            left = [
                k for k in self.readers if not self._looked_at(k) and self._quiet(k)
            ]
            await self._close(left)
        mine = [k for k, owner in self.readers.items() if owner == who]
        too_many = who and len(mine) + self._opening.count(who) > self.most_each
        if too_many or len(self.readers) + len(self._opening) > self.most:
            raise web.HTTPError(503)

    async def _close(self, kernel_ids: list[str]) -> None:
        for kernel_id in kernel_ids:
            await self.shutdown_kernel(kernel_id)

    def _looked_at(self, kernel_id: str) -> bool:
        return bool(self._kernel_connections.get(kernel_id))

    def _quiet(self, kernel_id: str) -> bool:
        """Long enough without a sign that it is not a page just being opened."""
        kernel: Any = self.get_kernel(kernel_id)
        last: datetime = kernel.last_activity
        return (datetime.now(UTC) - last).total_seconds() > LEFT_BEHIND_S


def page_environment(env: Mapping[str, str]) -> dict[str, str]:
    """What a page's kernel may know of its server's environment."""
    kept = {name: value for name, value in env.items() if name in INHERITED}
    # the page's folder is a company's: no module is ever loaded from it
    return {**kept, "PYTHONSAFEPATH": "1"}


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
