"""The page server: Voilà, showing published reports and nothing else.

Of Voilà's own addresses only those remain that an open page needs (its kernel's
channel, its scripts). There is no file tree, no file and no notebook to ask for by
path: a report is named by company and run, and found by our own look-up.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from markupsafe import Markup
from tornado import web
from traitlets import Dict, Integer
from traitlets.config import Config
from voila.app import Voila
from voila.paths import collect_template_paths
from voila.tornado.handler import TornadoVoilaHandler

from kamp_lib.errors import KampError
from kamp_lib.reports import fonts, numbers
from kamp_lib.reports.blocks import sentence_of, state_of, style, templates
from kamp_lib.reports.first_paint import FIRST_PAINT, FONT_URL, page_title
from kamp_lib.reports.publication import REPORT
from kamp_lib.reports.words import Words
from kamp_lib.runs import Bundle, RunRecord
from kamp_lib.runs.bundle import RUN_ID
from kamp_lib.tenancy import Tenant
from kamp_lib.tenancy.tenants import SLUG
from kamp_lib.text import Language, language

TEMPLATE_FOLDER = Path(__file__).parent / "voila"
LARGEST_FIRST_PAINT = 4_000_000
LEFT_BEHIND_S = 30
# What Voilà offers beside pages, and a decision page does not need.
CLOSED = ("/voila/files/", "/voila/tree", "/voila/render/", "/voila/api/contents")
WIDGET_SCRIPTS = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
]
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline'"
    " 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src"
    " 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def serve(tenants: Sequence[Tenant], *, port: int = 8866) -> None:
    """Show the published reports of these companies on loopback until Ctrl-C.

    Raises
    ------
    KampError
        When the port is taken.
    """
    server = ReportServer(published={t.slug: t.published for t in tenants}, port=port)
    server.initialize([])
    server.start()


class ReportServer(Voila):
    """Voilà with our addresses, our page template and no way to anything else."""

    name = "kamp-reports"
    # No configuration file of the machine may open what is closed here.
    config_file_paths: list[str] = []  # noqa: RUF012 - overrides a trait

    published = Dict(help="Folder of published reports by company.")
    max_kernels = Integer(16, help="Pages that may be open at once.")

    def initialize(self, argv: list[str] | None = None) -> None:
        self.update_config(_config())
        self.ip = "127.0.0.1"
        self.port_retries = 0
        self.open_browser = False
        # notebooks are loaded by absolute look-up below this root, never by an address
        self.root_dir = str(_common_root(list(self.published.values())))
        super().initialize(argv or [])

    def setup_template_dirs(self) -> None:
        base = collect_template_paths(["voila", "nbconvert"], "base", prune=True)
        super().setup_template_dirs()
        self.template_paths = [str(TEMPLATE_FOLDER), *base]

    def init_settings(self) -> dict[str, Any]:
        found = super().init_settings()
        # a page of another site must not reach this server through a name it controls
        found["allow_remote_access"] = False
        found["local_hostnames"] = ["localhost"]
        found["headers"] = HEADERS
        found["compress_response"] = True
        found["default_handler_class"] = NotFound
        found["default_handler_args"] = {}
        return found

    def init_handlers(self) -> list[Any]:
        ours = [
            (r"/", ListHandler),
            (r"/report/([^/]+)/([^/]+)/?", ReportHandler, self._render_arguments()),
            (FONT_URL + r"([A-Za-z.-]+\.woff)", FontHandler, {"path": fonts.FOLDER}),
        ]
        theirs = [h for h in super().init_handlers() if _stays(str(h[0]))]
        return [*ours, *theirs]

    def _render_arguments(self) -> dict[str, Any]:
        return {
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
        }

    def listen(self) -> None:
        # Voilà would exit without a word for a taken port
        import socket

        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.ip, self.port))
            except OSError as error:
                raise KampError(
                    f"포트 {self.port}을(를) 쓸 수 없습니다({error.strerror}). --port 로 바꿔 주세요.",
                    f"cannot use port {self.port} ({error.strerror}); choose another: --port.",
                ) from error
        super().listen()

    def stop(self) -> None:
        # a second Ctrl-C must not leave kernels behind
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            super().stop()
        finally:
            signal.signal(signal.SIGINT, before)


def _config() -> Config:
    config = Config()
    pages = config.VoilaConfiguration
    pages.template = "base"
    pages.strip_sources = True
    pages.show_tracebacks = False
    pages.allow_template_override = "NO"
    pages.allow_theme_override = "NO"
    pages.file_allowlist = []
    pages.http_header_envs = []
    pages.extension_language_mapping = {}
    pages.extension_allowlist = WIDGET_SCRIPTS
    kernels = config.AsyncMappingKernelManager
    kernels.cull_idle_timeout = 600
    kernels.cull_interval = 60
    kernels.cull_connected = False
    kernels.cull_busy = False
    config.KernelManager.transport = "ipc"
    config.Voila.log_level = "WARN"
    return config


def _common_root(folders: list[Path]) -> Path:
    """The deepest folder that holds all published folders."""
    resolved = [folder.resolve() for folder in folders]
    if not resolved:
        return TEMPLATE_FOLDER
    root = resolved[0]
    while not all(folder.is_relative_to(root) for folder in resolved):
        root = root.parent
    return root


def _stays(address: str) -> bool:
    # the last handlers of Voilà answer the server's root and paths below it
    return address != "/" and not any(closed in address for closed in CLOSED)


@dataclass(frozen=True)
class Report:
    """One published report: its folder is certain, its content is not."""

    tenant: str
    folder: Path

    @property
    def bundle(self) -> Bundle:
        return Bundle(self.folder)


def find_report(published: dict[str, Path], tenant: str, run: str) -> Report | None:
    """The report of this company and run; None for anything that is not one.

    Names are held against their patterns before any path is made of them, and a link
    anywhere on the way means that it is none of ours.
    """
    if not SLUG.fullmatch(tenant) or not RUN_ID.fullmatch(run):
        return None
    home = published.get(tenant)
    if home is None:
        return None
    root = home.resolve()
    folder = root / run
    notebook = folder / REPORT
    if not notebook.is_file() or notebook.resolve() != notebook:
        return None
    return Report(tenant, folder)


def list_reports(published: dict[str, Path]) -> list[Report]:
    """All published reports, newest first."""
    found = [
        report
        for tenant, home in published.items()
        for path in (home.iterdir() if home.is_dir() else ())
        if (report := find_report(published, tenant, path.name)) is not None
    ]
    return sorted(found, key=lambda r: r.folder.name, reverse=True)


class Spoken(JupyterHandler):
    """A handler that answers in the reader's language, in plain words."""

    @property
    def published(self) -> dict[str, Path]:
        return self.settings["kamp-reports"].published

    @property
    def lang(self) -> Language:
        # read as it came: what is no text must not stop an error page either
        asked = self.request.query_arguments.get("lang", [b""])[-1]
        if asked == b"ko":
            return "ko"
        return "en" if asked == b"en" else language()

    def plain(self, template: str, title: str, **values: Any) -> None:
        """One of our simple pages."""
        words = Words(self.lang)
        body = templates().get_template(template).render(t=words, n=numbers, **values)
        page = (
            templates()
            .get_template("plain.html")
            .render(
                lang=self.lang,
                title=title,
                faces=fonts.linked_faces(FONT_URL),
                style=style(),
                body=Markup(body),  # noqa: S704 - our template has escaped it
            )
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page)

    def write_error(self, status_code: int, **_: Any) -> None:
        """One sentence, whatever happened; the log has the rest."""
        words = Words(self.lang)
        key = {404: "error.not_found", 503: "error.busy"}.get(
            status_code, "error.other"
        )
        self.plain("message.html", words(key), message=words(key), back="/")


class NotFound(Spoken):
    """Everything that is not an address of ours."""

    async def prepare(self) -> None:  # type: ignore[override]
        await super().prepare()
        raise web.HTTPError(404)


class ListHandler(Spoken):
    """The reports to choose from."""

    @web.authenticated
    def get(self) -> None:
        words = Words(self.lang)
        cards = [self._card(report) for report in list_reports(self.published)]
        self.plain("list.html", words("list.title"), cards=cards)

    def _card(self, report: Report) -> dict[str, Any]:
        from kamp_lib.catalog import equipment_types

        try:
            record: RunRecord | None = report.bundle.record
        except KampError as error:
            self.log.warning("unreadable report: %s", error.text.en)
            record = None
        card: dict[str, Any] = {"record": record, "name": report.folder.name}
        if record is not None:
            kind = (
                record.dataset.equipment if record.dataset else record.model.equipment
            )
            known = equipment_types().get(kind or "")
            card["equipment"] = known.label if known else None
            card["state"] = state_of(record)
            card["sentence"] = sentence_of(record)
            card["href"] = (
                f"/report/{report.tenant}/{report.folder.name}?lang={self.lang}"
            )
        return card


class FontHandler(web.StaticFileHandler):
    """The font, for a long time."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")


class ReportHandler(Spoken, TornadoVoilaHandler):
    """One report, rendered live."""

    def initialize(self, **kwargs: Any) -> None:
        TornadoVoilaHandler.initialize(self, **kwargs)
        self.page_config_hook = self._page_config

    def _page_config(
        self, page_config: dict[str, Any], *, notebook_path: str, **_: Any
    ) -> dict[str, Any]:
        """What our template shows before the kernel answers."""
        folder = (Path(self.settings["kamp-reports"].root_dir) / notebook_path).parent
        words = Words(self.lang)
        try:
            title = page_title(Bundle(folder), words)
        except KampError:
            title = words("list.title")
        page_config["kamp"] = {
            "lang": self.lang,
            "title": title,
            "faces": fonts.linked_faces(FONT_URL),
            "style": style() + style("live.css"),
            "first_paint": _first_paint(folder, self.lang),
            "offline": words("page.offline"),
            "broken": words("page.broken"),
        }
        return page_config

    @web.authenticated
    async def get(self, tenant: str, run: str) -> None:
        server = self.settings["kamp-reports"]
        report = find_report(self.published, tenant, run)
        if report is None:
            raise web.HTTPError(404)
        if not await self._room(server.max_kernels):
            self.set_header("Retry-After", "60")
            raise web.HTTPError(503)
        # the page sends this cookie's value along when it lets its kernel go
        _ = self.xsrf_token
        inside = (report.folder / REPORT).relative_to(Path(server.root_dir))
        async for html in self.get_generator(path=inside.as_posix()):
            self.write(html)
            self.flush()

    async def _room(self, most: int) -> bool:
        """Whether one more page may open; pages that nobody looks at any more make room.

        A phone that closes a tab often does not say so, and its kernel stays behind.
        """
        kernels = self.kernel_manager.list_kernels()
        if len(kernels) < most:
            return True
        left = [k for k in kernels if not k["connections"] and _quiet(k)]
        for kernel in left:
            await self.kernel_manager.shutdown_kernel(kernel["id"])
        return bool(left)


def _quiet(kernel: dict[str, Any]) -> bool:
    """Long enough without a sign that it is not a page just being opened."""
    last = datetime.fromisoformat(kernel["last_activity"].replace("Z", "+00:00"))
    return (datetime.now(UTC) - last).total_seconds() > LEFT_BEHIND_S


def _first_paint(folder: Path, lang: Language) -> str:
    file = folder / FIRST_PAINT
    if not file.is_file() or file.stat().st_size > LARGEST_FIRST_PAINT:
        return ""
    text = file.read_text(encoding="utf-8", errors="replace")
    return text.replace('<html lang="ko"', f'<html lang="{lang}"', 1)
