"""Starting, following, opening and stopping one server, with the visitor's own rights."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncGenerator, Coroutine
from http.client import responses
from typing import Any

from tornado import web
from tornado.iostream import StreamClosedError

from kamp_lib.hub.portal.addresses import PREFIX, REPORT, deep_path, server_url
from kamp_lib.hub.portal.base import Page
from kamp_lib.hub.portal.hub import HubRefused
from kamp_lib.hub.portal.language import language_of

log = logging.getLogger(__name__)

# A refusal comes at once; whatever takes longer is followed on the progress page.
AT_ONCE_S = 0.4
STOPPING_S = 2.0
LOOK_AGAIN_S = 0.25
LONGEST_MESSAGE = 300


class Starts:
    """Starts that the portal has asked for, by (person, company, server)."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str, str], asyncio.Task[None]] = {}

    def begin(
        self, key: tuple[str, str, str], start: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        task = asyncio.ensure_future(start)
        self._asked[key] = task
        task.add_done_callback(lambda done: self._forget_success(key, done))
        return task

    def _forget_success(
        self, key: tuple[str, str, str], done: asyncio.Task[None]
    ) -> None:
        if (
            self._asked.get(key) is done
            and not done.cancelled()
            and not done.exception()
        ):
            del self._asked[key]

    def running(self, key: tuple[str, str, str]) -> bool:
        task = self._asked.get(key)
        return task is not None and not task.done()

    def failure(self, key: tuple[str, str, str]) -> HubRefused | None:
        """Why the last start failed; told once."""
        task = self._asked.get(key)
        if task is None or not task.done():
            return None
        del self._asked[key]
        error = None if task.cancelled() else task.exception()
        return error if isinstance(error, HubRefused) else HubRefused(500, "")


class ServerPage(Page):
    """What the pages of one server share."""

    @property
    def starts(self) -> Starts:
        return self.settings["starts"]

    def may_open(self, slug: str, server: str) -> None:
        """Only what the visitor would be offered; anything else is not there.

        Raises
        ------
        HTTPError
            404 otherwise.
        """
        if not self.visitor.may_open(slug, server):
            raise web.HTTPError(404, f"not offered: {slug!r}/{server!r}")

    def key(self, slug: str, server: str) -> tuple[str, str, str]:
        return self.visitor.person.name, slug, server

    def address(self, slug: str, server: str) -> str:
        """Where the server is, and in it the report that was asked for."""
        run = self.get_query_argument("run", None) or self.get_body_argument(
            "run", None
        )
        path = deep_path(slug, server, run)
        said = f"?lang={language_of(self)}" if server == REPORT else ""
        return f"{server_url(slug, server)}{path}{said}"

    def page(self, kind: str, slug: str, server: str) -> str:
        """One of the portal's own pages about a server."""
        run = self.get_query_argument("run", None) or self.get_body_argument(
            "run", None
        )
        more = f"?run={run}" if deep_path(slug, server, run) else ""
        return f"{PREFIX}{kind}/{slug}/{server}{more}"


class OpenPage(ServerPage):
    """`open/<company>/<server>`: there when it runs, otherwise a button that starts it."""

    @web.authenticated
    async def get(self, slug: str, server: str) -> None:
        self.may_open(slug, server)
        if self.renew():
            return
        state = (await self.hub.server(slug, server)).state
        if state == "running":
            self.redirect(self.address(slug, server))
        elif state == "starting":
            self.redirect(self.page("starting", slug, server))
        else:
            self.show(
                "open.html",
                company=self.company_name(slug),
                slug=slug,
                server=server,
                run=self.get_query_argument("run", ""),
                stopping=state == "stopping",
            )


class StartAction(ServerPage):
    """`start` (POST): asks the hub for the server and leads to its progress."""

    @web.authenticated
    async def post(self) -> None:
        slug, server = (self.get_body_argument(n, "") for n in ("company", "server"))
        self.may_open(slug, server)
        state = (await self.hub.server(slug, server)).state
        if state == "running":
            self.redirect(self.address(slug, server), status=303)
            return
        key = self.key(slug, server)
        if state == "stopped" and not self.starts.running(key):
            task = self.starts.begin(key, self.hub.start(slug, server))
            # a refusal is told on the progress page, like a start that fails later
            await asyncio.wait([task], timeout=AT_ONCE_S)
        self.redirect(self.page("starting", slug, server), status=303)


class StartingPage(ServerPage):
    """`starting/<company>/<server>`: waits for the server and goes on to it."""

    @web.authenticated
    async def get(self, slug: str, server: str) -> None:
        self.may_open(slug, server)
        state = (await self.hub.server(slug, server)).state
        key = self.key(slug, server)
        if state == "running":
            self.redirect(self.address(slug, server))
            return
        failed = None
        if state == "stopped" and not self.starts.running(key):
            failed = await self._failure(slug, server)
            if failed is None:
                self.redirect(self.page("open", slug, server))
                return
        xsrf = self.xsrf_token.decode("ascii")
        self.show(
            "starting.html",
            company=self.company_name(slug),
            slug=slug,
            server=server,
            run=self.get_query_argument("run", ""),
            failed=None if failed is None else _said(failed),
            progress_url=f"{PREFIX}progress/{slug}/{server}?_xsrf={xsrf}",
        )

    async def _failure(self, slug: str, server: str) -> str | None:
        # refused at once, or failed while it was starting
        refused = self.starts.failure(self.key(slug, server))
        if refused is not None:
            return refused.message
        return await self.hub.failure(slug, server)


class ProgressEvents(ServerPage):
    """`progress/<company>/<server>`: the hub's events, as a stream of our own."""

    @web.authenticated
    async def get(self, slug: str, server: str) -> None:
        self.may_open(slug, server)
        self.set_header("Content-Type", "text/event-stream")
        with contextlib.suppress(StreamClosedError):  # the visitor has left the page
            async with contextlib.aclosing(self._events(slug, server)) as events:
                async for event in events:
                    self.write(f"data: {json.dumps(event)}\n\n")
                    await self.flush()

    async def _events(
        self, slug: str, server: str
    ) -> AsyncGenerator[dict[str, Any], None]:
        key = self.key(slug, server)
        while True:
            try:
                async with contextlib.aclosing(
                    self.hub.progress(slug, server)
                ) as events:
                    async for event in events:
                        yield _plain(event)
                return
            except HubRefused as refused:
                # the hub has our start, but has not begun with it
                if not self.starts.running(key):
                    state = (await self.hub.server(slug, server)).state
                    if state == "running":
                        yield {"progress": 100, "ready": True}
                    else:
                        failed = self.starts.failure(key) or refused
                        yield {"failed": True, "message": _said(failed.message)}
                    return
            await asyncio.sleep(LOOK_AGAIN_S)


class StopAction(ServerPage):
    """`stop` (POST): one's own workspace, or for an operator any server."""

    @web.authenticated
    async def post(self) -> None:
        slug, server = (self.get_body_argument(n, "") for n in ("company", "server"))
        if not self.visitor.may_stop(slug, server):
            raise web.HTTPError(404, f"not offered: {slug!r}/{server!r}")
        person = self.visitor.person
        if person.operator:
            await asyncio.to_thread(
                self.settings["registry"].audit,
                person.name,
                "server.stop",
                slug,
                {"server": server},
            )
        task = asyncio.ensure_future(self.hub.stop(slug, server))
        task.add_done_callback(_log_failure)
        await asyncio.wait([task], timeout=STOPPING_S)
        if task.done():
            task.result()
        self.redirect(PREFIX, status=303)


def _said(message: str) -> str:
    """What our own spawner said, out of the hub's wrapping; nothing when it said nothing."""
    message = message.removeprefix("Spawn failed: ")
    wrapped = re.fullmatch(r"HTTP [0-9]{3}: [A-Za-z -]+ \((.*)\)", message, re.DOTALL)
    message = wrapped.group(1) if wrapped else message
    return "" if message in responses.values() else message[:LONGEST_MESSAGE]


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.warning("a server did not stop: %s", task.exception())


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """The parts of the hub's event that the page uses; never its HTML or addresses."""
    plain: dict[str, Any] = {}
    progress = event.get("progress")
    if isinstance(progress, int | float):
        plain["progress"] = max(0, min(100, progress))
    for flag in ("ready", "failed"):
        if event.get(flag) is True:
            plain[flag] = True
    # a message of the hub's own ("Server requested") is no news to a manager
    if isinstance(event.get("message"), str) and plain.get("failed"):
        plain["message"] = _said(event["message"])
    return plain
