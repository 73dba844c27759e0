"""The page server: Voilà, showing published reports and nothing else.

What it answers stands in `pages.py`, its kernels in `kernels.py`, what a browser may say
to them in `sieve.py`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory
from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop
from traitlets import Dict
from traitlets.config import Config
from voila.app import Voila
from voila.utils import get_page_config

from kamp_lib.errors import KampError
from kamp_lib.reports import pages
from kamp_lib.reports.forking import fork_traits, warm_up
from kamp_lib.reports.front_end import FrontEnd
from kamp_lib.reports.kernels import PageKernels
from kamp_lib.reports.shelf import Report, find_report, list_reports
from kamp_lib.reports.sieve import LARGEST_MESSAGE, PageConnection
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant

__all__ = ["ReportServer", "find_report", "list_reports", "serve"]

WIDGET_SCRIPTS = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
]
# of Voilà's list without what our pages never send: its shutdown comes by another way
MESSAGES = [
    "comm_open",
    "comm_close",
    "comm_msg",
    "comm_info_request",
    "kernel_info_request",
]


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
    links = Dict(help="Ways out of the list of reports: key of the words -> address.")

    def initialize(self, argv: list[str] | None = None) -> None:
        self.update_config(_config())
        self.ip = "127.0.0.1"
        self.port_retries = 0
        self.open_browser = False
        self.kernel_websocket_connection_class = PageConnection
        # notebooks are loaded by absolute look-up below this root, never by an address
        self.root_dir = str(_common_root(list(self.published.values())))
        super().initialize(argv or [])
        # one for the whole process, made by whoever asks first
        KernelProvisionerFactory.instance(parent=self)

    def init_settings(self) -> dict[str, Any]:
        found = super().init_settings()
        found["kernel_manager"].allowed_message_types = MESSAGES
        # a page of another site must not reach this server through a name it controls
        found["allow_remote_access"] = False
        found["local_hostnames"] = ["localhost"]
        found["headers"] = dict(pages.HEADERS)
        found["compress_response"] = True
        found["websocket_max_message_size"] = LARGEST_MESSAGE
        found["default_handler_class"] = pages.NotFound
        found["default_handler_args"] = {}
        return found

    def init_handlers(self) -> list[Any]:
        config = get_page_config(
            self.base_url, self.app.settings, self.log, self.voila_configuration
        )
        self.front_end = FrontEnd(self.base_url, config)
        return [*pages.handlers(self), *self.identity_provider.get_handlers()]

    def start(self) -> None:
        warm_up()
        # the manager of kernels is made meanwhile
        IOLoop.current().add_callback(lambda: self.kernel_manager.keep_spare())  # noqa: PLW0108
        super().start()

    def address(self, report: Report) -> str:
        """Where a report is read."""
        return url_path_join(self.base_url, "report", report.tenant, report.run)

    def reader_of(self, user: Any) -> str:
        """Who reads; on loopback there is one reader, without a name."""
        return ""

    def seen(self, reader: str, report: Report | None) -> None:
        """Told of every page that is opened; the list of reports is None."""

    async def until_refused(self, handler: Any) -> None:
        """Returns when the reader of an open page may read no longer."""
        await asyncio.Event().wait()

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
    pages.multi_kernel_manager_class = PageKernels
    kernels = config.PageKernels
    kernels.cull_idle_timeout = 600
    kernels.cull_interval = 60
    kernels.cull_connected = False
    kernels.cull_busy = False
    config.KernelManager.transport = "ipc"
    if settings().fast_kernels:
        config.KernelProvisionerFactory.default_provisioner_name = "kamp-fork"
        config.ForkProvisioner.update(fork_traits())
        config.PageKernels.spare = True
    # a server of pages keeps no signatures of notebooks, and writes nothing at home
    config.NotebookNotary.db_file = ":memory:"
    config.NotebookNotary.secret = os.urandom(32)
    config.Voila.log_level = "WARN"
    return config


def _common_root(folders: list[Path]) -> Path:
    """The deepest folder that holds all published folders."""
    resolved = [folder.resolve() for folder in folders]
    if not resolved:
        return Path(__file__).parent
    root = resolved[0]
    while not all(folder.is_relative_to(root) for folder in resolved):
        root = root.parent
    return root
