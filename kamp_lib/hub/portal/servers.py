"""Starting, following, opening and stopping one server, with the visitor's own rights."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from typing import Any

from tornado import web
from tornado.iostream import StreamClosedError

from kamp_lib.hub.portal.addresses import PREFIX, REPORT, deep_path, server_url
from kamp_lib.hub.portal.base import Page
from kamp_lib.hub.portal.hub import HubRefused
from kamp_lib.hub.portal.language import language_of
from kamp_lib.hub.portal.starts import (
    Key,
    Starts,
    failed_because,
    plain,
    refused_because,
)
from kamp_lib.hub.portal.words import of

log = logging.getLogger(__name__)

# A refusal comes at once; whatever takes longer is followed on the progress page.
AT_ONCE_S = 0.4
STOPPING_S = 2.0
LOOK_AGAIN_S = 0.25


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

    def key(self, slug: str, server: str) -> Key:
        return self.visitor.person.name, slug, server

    def why(self, refused: BaseException) -> str:
        """What to say about a refusal, in the visitor's language."""
        text = refused_because(refused)
        return of(language_of(self), text) if text else ""

    def run(self) -> str | None:
        """The report that was asked for; not checked yet."""
        asked = self.get_query_argument("run", None)
        return asked or self.get_body_argument("run", None)

    def address(self, slug: str, server: str) -> str:
        """Where the server is, and in it the report that was asked for."""
        path = deep_path(slug, server, self.run())
        said = f"?lang={language_of(self)}" if server == REPORT else ""
        return f"{server_url(slug, server)}{path}{said}"

    def page(self, kind: str, slug: str, server: str) -> str:
        """One of the portal's own pages about a server."""
        run = self.run()
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
                run=self.run() or "",
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
            run=self.run() or "",
            failed=failed,
            progress_url=f"{PREFIX}progress/{slug}/{server}?_xsrf={xsrf}",
        )

    async def _failure(self, slug: str, server: str) -> str | None:
        """Why the last start came to nothing; empty when nothing was said."""
        refused = self.starts.refusal(self.key(slug, server))
        if refused is not None:
            return self.why(refused)
        message = await self.hub.failure(slug, server)
        return None if message is None else failed_because(message)


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
                events = self.hub.progress(slug, server)
                async with contextlib.aclosing(events):
                    async for event in events:
                        yield plain(event)
                return
            except HubRefused as refused:
                # the hub may have our start, but not have begun with it
                if not self.starts.running(key):
                    yield await self._outcome(slug, server, refused)
                    return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _outcome(
        self, slug: str, server: str, refused: HubRefused
    ) -> dict[str, Any]:
        """The last event when there is nothing to follow."""
        if (await self.hub.server(slug, server)).state == "running":
            return {"progress": 100, "ready": True}
        known = self.starts.refusal(self.key(slug, server)) or refused
        return {"failed": True, "message": self.why(known)}


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


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.warning("a server did not stop: %s", task.exception())
