"""Whole pages in a tab of their own: a data set, a run. They can run no script."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from kamp_lib.errors import KampError
from kamp_lib.reports import fonts
from kamp_lib.runs import open_run
from kamp_lib.workspace.handlers.base import Handler
from kamp_lib.workspace.job import Job
from kamp_lib.workspace.words import text

MOST_KEPT = 6


class _Document(Handler):
    """A page that a job draws; kept for a while, because people look twice."""

    async def drawn(self, task: str, key: tuple[str, ...], **request: Any) -> None:
        kept = self.desk.pages.get(key)
        if kept is None:
            kept = await self._draw(task, key[1], request)
            while len(self.desk.pages) >= MOST_KEPT:
                self.desk.pages.pop(next(iter(self.desk.pages)))
            self.desk.pages[key] = kept
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(kept)

    async def _draw(self, task: str, name: str, request: dict[str, Any]) -> bytes:
        with tempfile.TemporaryDirectory(prefix="kamp-page-") as folder:
            to = Path(folder) / "page.html"
            job = self.desk.jobs.add(
                Job(task, text("job.page", name=name), shown=False),
                {**request, "to": str(to), "lang": self.lang},
            )
            await job.over.wait()
            job.outcome()
            return await asyncio.to_thread(to.read_bytes)

    def get_login_url(self) -> str:
        """A tab of its own can show the sign-in page."""
        return str(JupyterHandler.get_login_url(self))

    def write_error(self, status_code: int, **more: Any) -> None:
        """In a tab of its own a sentence stands as a page."""
        _, error, _ = more.get("exc_info", (None, None, None))
        if not isinstance(error, KampError):
            super().write_error(status_code, **more)
            return
        self.set_status(400)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self.draw("sentence.html", sentence=self.words.of(error.text)))


class DatasetPageHandler(_Document):
    """`GET`: quality, findings and every column of a data set."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        dataset = await self.desk.shelf.dataset(name)
        key = ("dataset", name, str(dataset["version"]), self.lang)
        await self.drawn("dataset-page", key, dataset=name)


class RunPageHandler(_Document):
    """`GET`: the decision page of a run, as a manager would see it."""

    @web.authenticated
    @authorized
    async def get(self, run: str) -> None:
        bundle = open_run(self.desk.tenant, run)
        key = ("run", bundle.path.name, self.lang)
        await self.drawn("run-page", key, run=bundle.path.name)


class FontHandler(Handler):
    """`GET`: the font that the pages use, an open one with nothing of a company in it.

    A style sheet asks for it without what the hub wants to see against forged requests.
    """

    @allow_unauthenticated
    async def get(self, name: str) -> None:
        path = next((f for f in fonts.FILES.values() if f.name == name), None)
        if path is None:
            raise web.HTTPError(404)
        self.set_header("Content-Type", "font/woff")
        self.set_header("Cache-Control", "private, max-age=604800")
        self.finish(await asyncio.to_thread(path.read_bytes))
