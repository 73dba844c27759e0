"""The kernels behind open pages: what they inherit, whose they are, how long they stay.

A page is shown at once and its kernel begins behind it. What a browser may say to a
kernel stands in `sieve.py`.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import zmq.asyncio
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from tornado.ioloop import PeriodicCallback
from traitlets import Bool, Float, Integer, default

from kamp_lib.reports.forking import KERNEL, page_environment
from kamp_lib.reports.playing import Script, State, play

LOOK_S = 5.0
# The page that was just opened comes first.
SPARE_AFTER_S = 1.0


class Opened(NamedTuple):
    """A page that is beginning; its state is None, when it cannot."""

    kernel_id: str
    state: asyncio.Task[State | None]
    waited: bool  # whether its kernel was there already


class Starting(NamedTuple):
    """A kernel that starts, or has started."""

    kernel_id: str
    task: asyncio.Task[str]


class PageKernels(AsyncMappingKernelManager):
    """Kernels of open pages: each belongs to the reader who opened the page."""

    most = Integer(16, config=True, help="Pages that may be open at once.")
    most_each = Integer(6, config=True, help="Pages that one reader may have open.")
    left_s = Float(
        30.0,
        config=True,
        help="A page that nobody has looked at for so long is closed.",
    )

    spare = Bool(False, config=True, help="Keep a kernel that waits for the next page.")

    @default("context")
    def _context_default(self) -> zmq.asyncio.Context:
        # The process's own, which is never ended: one of ours would be ended when garbage
        # is collected, and wait there, without end, for a socket that a page left behind.
        return zmq.asyncio.Context.instance()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.readers: dict[str, str] = {}
        self._beginning: dict[str, asyncio.Task[State | None]] = {}
        self._left: dict[str, float] = {}
        self._spare: Starting | None = None
        self._looking = PeriodicCallback(self.close_left, LOOK_S * 1000)

    async def open_page(
        self, who: str, folder: Path, cells: list[str], query: str
    ) -> Opened:
        """Begin a page: a kernel plays the cells.

        Raises
        ------
        tornado.web.HTTPError
            503, when there is no room for one more.
        """
        place = str(uuid.uuid4())  # taken until the kernel's own name takes it
        self.readers[place] = who
        try:
            await self._make_room(who)
        finally:
            del self.readers[place]
        starting = self._spare or self._start()
        self._spare = None
        waited = starting.task.done()
        self.readers[starting.kernel_id] = who
        begun = self._begin(starting, Script(folder, query, cells))
        task = self._beginning[starting.kernel_id] = asyncio.create_task(begun)
        asyncio.get_running_loop().call_later(SPARE_AFTER_S, self.keep_spare)
        if not self._looking.is_running():
            self._looking.start()
        return Opened(starting.kernel_id, task, waited)

    def keep_spare(self) -> None:
        """Have a kernel that waits for the next page; a forked one costs little."""
        if self.spare and self._spare is None and len(self.readers) < self.most:
            self._spare = self._start()

    def _start(self) -> Starting:
        kernel_id = str(uuid.uuid4())
        start = self.start_kernel(
            kernel_id=kernel_id,
            kernel_name=KERNEL,
            cwd="/",
            env=page_environment(os.environ),
            extra_arguments=["--HistoryManager.enabled=False"],
        )
        return Starting(kernel_id, asyncio.create_task(start))

    async def ready(self, kernel_id: str) -> None:
        """Wait until the page of this kernel stands.

        Raises
        ------
        tornado.web.HTTPError
            404, when there is no such page (any more).
        """
        beginning = self._beginning.get(kernel_id)
        if beginning is not None:
            # whoever waits may go away; the page's beginning may not
            await asyncio.shield(beginning)
        if kernel_id not in self:
            raise web.HTTPError(404)

    async def _begin(self, starting: Starting, script: Script) -> State | None:
        kernel_id = starting.kernel_id
        try:
            await starting.task
            state = await play(self.get_kernel(kernel_id), script)
        except Exception:  # a page that does not begin must not stay half begun
            self.log.exception("a page could not begin: %s", script.folder.name)
            if kernel_id in self:
                await self.shutdown_kernel(kernel_id, now=True)
            self.readers.pop(kernel_id, None)
            return None
        else:
            self._left[kernel_id] = time.monotonic()
            return state
        finally:
            del self._beginning[kernel_id]

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        if self._spare is None or kernel_id != self._spare.kernel_id:
            await super().cull_kernel_if_idle(kernel_id)

    def remove_kernel(self, kernel_id: str) -> Any:
        if self._spare is not None and kernel_id == self._spare.kernel_id:
            self._spare = None
        self.readers.pop(kernel_id, None)
        self._left.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    def belongs(self, kernel_id: str, who: str) -> bool:
        """Whether this is the kernel of a page that `who` has opened."""
        return self.readers.get(kernel_id) == who

    async def close_all_of(self, who: str) -> None:
        """End the open pages of a reader who may read no longer."""
        mine = [k for k, owner in self.readers.items() if owner == who]
        await asyncio.gather(
            *(self._beginning[k] for k in mine if k in self._beginning)
        )
        await self._close([k for k in mine if k in self])

    def notify_connect(self, kernel_id: str) -> None:
        self._left.pop(kernel_id, None)
        super().notify_connect(kernel_id)

    def notify_disconnect(self, kernel_id: str) -> None:
        super().notify_disconnect(kernel_id)
        if kernel_id in self.readers and not self._looked_at(kernel_id):
            self._left[kernel_id] = time.monotonic()

    async def close_left(self) -> None:
        """Close pages that nobody looks at any more.

        A phone that closes a tab often does not say so, and its kernel stays behind.
        """
        now = time.monotonic()
        await self._close([k for k, t in self._left.items() if now - t > self.left_s])

    async def _make_room(self, who: str) -> None:
        """Pages that have been left give way to the one being opened.

        Raises
        ------
        tornado.web.HTTPError
        """
        if who and self._of(who) > self.most_each:
            await self._close([k for k in self._left if self.readers[k] == who])
        if len(self.readers) > self.most:
            await self.close_left()
        if (who and self._of(who) > self.most_each) or len(self.readers) > self.most:
            raise web.HTTPError(503)

    def _of(self, who: str) -> int:
        return sum(owner == who for owner in self.readers.values())

    async def _close(self, kernel_ids: list[str]) -> None:
        for kernel_id in kernel_ids:
            if kernel_id in self:  # a reader may have closed it meanwhile
                self._left.pop(kernel_id, None)
                await self.shutdown_kernel(kernel_id)

    def _looked_at(self, kernel_id: str) -> bool:
        return bool(self._kernel_connections.get(kernel_id))
