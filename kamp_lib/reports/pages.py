"""The addresses of the page server: the list of reports, a report, its channel, its scripts.

This is all there is. Voilà's tree, its files and its contents have no address here, and a
report is found by company and run, never by a path.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any

from jupyter_client.jsonutil import json_default
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import FileFindHandler, JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler, _kernel_id_regex
from jupyter_server.utils import url_path_join
from markupsafe import Markup
from tornado import web
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import MultiStaticFileHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from kamp_lib.errors import KampError
from kamp_lib.reports import fonts, front_end, numbers
from kamp_lib.reports.blocks import style, templates
from kamp_lib.reports.first_paint import FONT_PATH, first_view, page_title
from kamp_lib.reports.notes import REPORT
from kamp_lib.reports.playing import PAGE_ID, cells_of
from kamp_lib.reports.shelf import Report, cards, find_report
from kamp_lib.reports.words import Words
from kamp_lib.text import Language, language

if TYPE_CHECKING:
    from kamp_lib.reports.kernels import Opened
    from kamp_lib.reports.server import ReportServer

YEAR_S = 31_536_000
# A page that stands within this time needs no first view.
AT_ONCE_S = 0.08
# When a page that had no room tries again.
AGAIN_S = 15
FOR_EVER = f"private, max-age={YEAR_S}, immutable"
# What a simple page of ours needs: its own style and font, and not one script.
PLAIN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# What a live page needs: Voilà's scripts, and of those in the page itself only the ones
# that bear this answer's mark. Whatever slipped into the page by other ways stays text.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; connect-src"
    " 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": PLAIN_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def handlers(server: ReportServer) -> list[Any]:
    """Every address of the server, below its base URL."""
    stamp = server.front_end.stamp
    scripts = {"path": server.labextensions_path}
    statics = {"paths": server.static_paths}
    kernel = rf"/api/kernels/{_kernel_id_regex}"
    ours: list[tuple[Any, ...]] = [
        (r"/", ListHandler),
        (r"/report/([^/]+)/([^/]+)/?", ReportHandler),
        (FONT_PATH + r"([A-Za-z.-]+\.woff)", FontHandler, {"path": fonts.FOLDER}),
        (kernel, ModelHandler),
        (rf"{kernel}/channels", ChannelHandler),
        (rf"/voila/api/shutdown/{_kernel_id_regex}", CloseHandler),
        (
            rf"/kamp/scripts/{stamp}/(page\.js)",
            ScriptHandler,
            {"path": front_end.FOLDER},
        ),
        (rf"/voila/static/{stamp}/(.*)", StaticHandler, statics),
        (rf"/voila/labextensions/{stamp}/(.*)", ExtensionHandler, scripts),
    ]
    return [(url_path_join(server.base_url, a), *rest) for a, *rest in ours]


class Spoken(JupyterHandler):
    """A handler that answers in the reader's language, in plain words."""

    @property
    def server(self) -> ReportServer:
        return self.settings["kamp-reports"]

    @property
    def reader(self) -> str:
        return self.server.reader_of(self.current_user)

    @property
    def lang(self) -> Language:
        # read as it came: what is no text must not stop an error page either
        asked = self.request.query_arguments.get("lang", [b""])[-1]
        if asked == b"ko":
            return "ko"
        return "en" if asked == b"en" else language()

    def plain(
        self, template: str, title: str, *, again_s: int | None = None, **values: Any
    ) -> None:
        """One of our simple pages; a browser asks for it again after `again_s`."""
        words = Words(self.lang)
        body = templates().get_template(template).render(t=words, n=numbers, **values)
        page = (
            templates()
            .get_template("plain.html")
            .render(
                lang=self.lang,
                title=title,
                faces=fonts.linked_faces(self.fonts),
                style=style(),
                again_s=again_s,
                body=Markup(body),  # noqa: S704 - our template has escaped it
            )
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        # the next person at this machine must not find it in the browser's memory
        self.set_header("Cache-Control", "no-store")
        self.finish(page)

    @property
    def fonts(self) -> str:
        return url_path_join(self.base_url, FONT_PATH)

    def write_error(self, status_code: int, **_: Any) -> None:
        """One sentence, whatever happened; the log has the rest."""
        words = Words(self.lang)
        known = {403: "error.forbidden", 404: "error.not_found", 503: "error.busy"}
        said = words(known.get(status_code, "error.other"), seconds=AGAIN_S)
        again_s = None
        if status_code == 503:
            again_s = AGAIN_S
            self.set_header("Retry-After", str(again_s))
        self.plain(
            "message.html", said, again_s=again_s, message=said, back=self.base_url
        )


class NotFound(Spoken):
    """Everything that is not an address of ours."""

    @allow_unauthenticated
    async def prepare(self) -> None:  # type: ignore[override]
        raise web.HTTPError(404)


class ListHandler(Spoken):
    """The reports to choose from; earlier ones of the same model and data set behind."""

    @web.authenticated
    def get(self) -> None:
        words = Words(self.lang)
        current, earlier = cards(self.server.published)
        self.server.seen(self.reader, None)
        self.plain(
            "list.html",
            words("list.title"),
            cards=current,
            earlier=earlier,
            href=self._href,
            links=self.server.links,
        )

    def _href(self, report: Report) -> str:
        return f"{self.server.address(report)}?lang={self.lang}"


class FontHandler(web.StaticFileHandler):
    """The font, for a long time."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", f"public, max-age={YEAR_S}, immutable")


class ReportHandler(Spoken):
    """One report: shown at once, while its kernel begins behind it."""

    @web.authenticated
    async def get(self, tenant: str, run: str) -> None:
        report = find_report(self.server.published, tenant, run)
        if report is None:
            raise web.HTTPError(404)
        cells = cells_of(report.folder / REPORT)
        opened = await self.server.kernel_manager.open_page(
            self.reader, report.folder, cells, self.request.query
        )
        self.server.seen(self.reader, report)
        nonce = secrets.token_urlsafe(16)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", PAGE_POLICY.format(nonce=nonce))
        # the page sends this cookie's value along when it lets its kernel go
        _ = self.xsrf_token
        words = Words(self.lang)
        shared: dict[str, Any] = {
            "t": words,
            "lang": self.lang,
            "title": _title(report, words),
            "nonce": nonce,
            "page_id": PAGE_ID,
            "front_end": self.server.front_end,
            "base_url": self.base_url,
            "kernel_id": opened.kernel_id,
        }
        self._write(
            "page-head.html",
            **shared,
            faces=fonts.linked_faces(self.fonts),
            fonts=[
                self.fonts + file.name for file in sorted(fonts.FOLDER.glob("*.woff"))
            ],
            style=style() + style("live.css"),
        )
        await self.flush()
        first = await self._first_view(report, opened)
        self._write("page.html", **shared, first=first)
        await self.flush()
        # whoever waits may go away; the page's beginning may not
        state = await asyncio.shield(opened.state)
        self._write("page-end.html", **shared, state=state)
        self.finish()

    async def _first_view(self, report: Report, opened: Opened) -> str:
        """What is seen until the page stands; nothing, when it does so at once."""
        if opened.waited:
            await asyncio.wait([opened.state], timeout=AT_ONCE_S)
        if opened.state.done():
            state = opened.state.result()
            if state is not None and self.server.front_end.knows(state):
                return ""
        return await asyncio.to_thread(first_view, report.bundle, self.lang, self.fonts)

    def _write(self, template: str, **values: Any) -> None:
        self.write(templates().get_template(template).render(**values))


def _title(report: Report, words: Words) -> str:
    try:
        return page_title(report.bundle, words)
    except KampError:
        return words("list.title")


class OwnKernel:
    """Whose page this is: a kernel's address is of use to nobody else."""

    async def check_owner(self: Any, kernel_id: str) -> None:
        """Of this page, which by then stands."""
        server = self.settings["kamp-reports"]
        reader = server.reader_of(self.current_user)
        if not self.kernel_manager.belongs(kernel_id, reader):
            raise web.HTTPError(404)
        await self.kernel_manager.ready(kernel_id)


class ChannelHandler(OwnKernel, VoilaKernelWebsocketHandler):
    """The channel of an open page, for as long as its reader may read."""

    async def pre_get(self) -> None:
        await self.check_owner(self.kernel_id)
        await super().pre_get()

    async def open(self, kernel_id: str) -> None:
        await super().open(kernel_id)
        self._watch = asyncio.create_task(self._until_refused())

    def on_close(self) -> None:
        self._watch.cancel()
        super().on_close()

    async def _until_refused(self) -> None:
        reader = self.settings["kamp-reports"].reader_of(self.current_user)
        await self.settings["kamp-reports"].until_refused(self)
        await self.kernel_manager.close_all_of(reader)
        self.close(1008, "access has ended")

    def write_error(self, status_code: int, **_: Any) -> None:
        self.finish()


class ModelHandler(OwnKernel, KernelHandler):
    """What Voilà's front end asks before it opens the channel: is the kernel there?"""

    SUPPORTED_METHODS = ("GET",)

    @web.authenticated
    async def get(self, kernel_id: str) -> None:
        await self.check_owner(kernel_id)
        model = await ensure_async(self.kernel_manager.kernel_model(kernel_id))
        self.finish(json.dumps(model, default=json_default))


class CloseHandler(OwnKernel, VoilaShutdownKernelHandler):
    """A page that is left lets its kernel go."""

    @web.authenticated
    async def post(self, kernel_id: str) -> None:
        await self.check_owner(kernel_id)
        await self.kernel_manager.shutdown_kernel(kernel_id)
        self.set_status(204)
        self.finish()


class _Library:
    """A file of Voilà's, or nothing: odd addresses are no reason for another answer.

    Its address holds a stamp of all of them, so it never has to be asked for again.
    """

    def set_extra_headers(self: Any, path: str) -> None:
        self.set_header("Cache-Control", FOR_EVER)

    def write_error(self: Any, status_code: int, **_: Any) -> None:
        self.set_status(404 if status_code >= 400 else status_code)
        self.finish()


class ScriptHandler(_Library, web.StaticFileHandler):
    """Our own front end."""


class StaticHandler(_Library, MultiStaticFileHandler):
    """Voilà's front end."""


class ExtensionHandler(_Library, FileFindHandler):
    """The widgets' front end."""
