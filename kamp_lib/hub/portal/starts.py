"""Starts that the portal has asked for, and what is told to those who wait for them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from kamp_lib.hub.portal.hub import HubRefused
from kamp_lib.hub.portal.words import catalogue
from kamp_lib.text import Text

LONGEST_MESSAGE = 300
# How JupyterHub passes on what a spawner has said to people; whatever else it says is
# about ports and processes, and nothing to bother a manager with.
SPOKEN = re.compile(
    r"Spawn failed: [0-9]{3} SpawnException\(reason=[^)]*\): (.*)", re.DOTALL
)

Key = tuple[str, str, str]  # person, company, server


class Starts:
    """The starts under way, and those that the hub has refused."""

    def __init__(self) -> None:
        self._asked: dict[Key, asyncio.Task[None]] = {}

    def begin(self, key: Key, start: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Ask, without waiting for the answer."""
        task = asyncio.ensure_future(start)
        self._asked[key] = task
        task.add_done_callback(lambda done: self._forget_success(key, done))
        return task

    def _forget_success(self, key: Key, done: asyncio.Task[None]) -> None:
        refused = not done.cancelled() and done.exception() is not None
        if self._asked.get(key) is done and not refused:
            del self._asked[key]

    def running(self, key: Key) -> bool:
        task = self._asked.get(key)
        return task is not None and not task.done()

    def refusal(self, key: Key) -> BaseException | None:
        """Why the hub refused the last start; told once."""
        task = self._asked.get(key)
        if task is None or not task.done():
            return None
        del self._asked[key]
        return None if task.cancelled() else task.exception()


def refused_because(error: BaseException) -> Text | None:
    """What to say about a start that was refused, beside that it was."""
    busy = isinstance(error, HubRefused) and error.status == 429
    return catalogue()["error.429"] if busy else None


def failed_because(message: str) -> str:
    """What our own spawner said about a start that failed; nothing when it was silent."""
    spoken = SPOKEN.fullmatch(message)
    return spoken.group(1)[:LONGEST_MESSAGE] if spoken else ""


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """The parts of the hub's event that the page uses; never its HTML or addresses."""
    shown: dict[str, Any] = {}
    progress = event.get("progress")
    if isinstance(progress, int | float):
        shown["progress"] = max(0, min(100, progress))
    for flag in ("ready", "failed"):
        if event.get(flag) is True:
            shown[flag] = True
    if shown.get("failed"):
        shown["message"] = failed_because(str(event.get("message", "")))
    return shown
