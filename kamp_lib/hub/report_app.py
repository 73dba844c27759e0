"""The reports of one company under the hub: the page server with the hub's sign-in.

Who comes in holds `access:servers!server=<company>/report`, and is asked again while a
page is open. It runs inside the walls, where it sees `published/` and `tenant.toml` and
can change neither.
"""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.utils import url_path_join
from jupyterhub import __version__ as hub_version
from jupyterhub.services.auth import HubOAuth
from jupyterhub.singleuser.extension import (
    JupyterHubAuthorizer,
    JupyterHubIdentityProvider,
)
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_unix_socket
from traitlets import Unicode, default
from traitlets.config import Config

from kamp_lib.errors import KampError
from kamp_lib.reports.server import ReportServer
from kamp_lib.reports.shelf import Report
from kamp_lib.settings import settings

# how long an answer of the hub counts: what the registry ends, ends within this time
ASK_AGAIN_S = 30
TOKENS = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")
# measured: a server 100 MB, a page 55 MB and 110 MB once its model is loaded, 16 threads;
# with forked kernels 210 MB and 45 MB, model and all
SERVER_MB, PAGE_MB, MOST_PAGES = 200, 150, 64
FORKED_SERVER_MB, FORKED_PAGE_MB = 320, 60


class ReadersHub(HubOAuth):
    """The hub, asked about readers."""

    def _get_token_url(self, handler: Any) -> str:
        # addresses end up in logs and histories: a token in one is worth nothing here
        return ""


class HubIdentity(JupyterHubIdentityProvider):
    """The hub's sign-in below this server's address; Voilà adds no prefix by itself."""

    @default("hub_auth")
    def _the_hub(self) -> HubOAuth:
        return ReadersHub(parent=self)

    def get_handlers(self) -> list[Any]:
        base = self.parent.base_url
        return [(url_path_join(base, a), *rest) for a, *rest in super().get_handlers()]


class HubReportServer(ReportServer):
    """The published reports of one company, for those whom the hub lets in."""

    sock = Unicode(help="Unix socket to listen on; empty means the hub's port.")

    def initialize(self, argv: list[str] | None = None) -> None:
        where = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
        self.base_url = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
        self.update_config(_config())
        self.identity_provider_class = HubIdentity
        self.authorizer_class = JupyterHubAuthorizer
        # no token of this server's own beside those of the hub
        self.auto_token = True
        super().initialize(argv)
        self.ip, self.port = where.hostname or "", where.port or 80

    def init_settings(self) -> dict[str, Any]:
        found = super().init_settings()
        # the hub's cookies decide who comes in, under whatever name the hub is found
        found["allow_remote_access"] = True
        # Tornado's own check would come before the hub's, which knows who asks
        found["xsrf_cookies"] = False
        found["allow_unauthenticated_access"] = False
        found["headers"]["X-JupyterHub-Version"] = hub_version
        return found

    @property
    def hub(self) -> HubOAuth:
        return self.identity_provider.hub_auth

    def init_handlers(self) -> list[Any]:
        self.links = {
            "list.home": self.hub.hub_host + self.hub.hub_prefix,
            "list.leave": url_path_join(self.base_url, "logout"),
        }
        bare = (self.base_url.rstrip("/"), web.RedirectHandler)
        there = {"url": self.base_url, "permanent": False}
        return [(*bare, there), *super().init_handlers()]

    def reader_of(self, user: Any) -> str:
        # nobody has a kernel, and a kernel without a reader is nobody's
        return user.username if user is not None else "-"

    def seen(self, reader: str, report: Report | None) -> None:
        """One line of the hub's log for every page that somebody opens."""
        line = {
            "event": "report-view" if report else "report-list",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "tenant": os.environ["JUPYTERHUB_USER"],
            "run": report.run if report else None,
            "person": reader,
        }
        print(json.dumps(line), flush=True)

    async def until_refused(self, handler: Any) -> None:
        """Ask the hub again and again whether this reader may still read."""
        token, session = self.hub.get_token(handler), self.hub.get_session_id(handler)
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            try:
                user = await self.hub.user_for_token(
                    token, session_id=session, sync=False, use_cache=False
                )
            except web.HTTPError as error:
                # a hub that restarts refuses nobody; it is asked again
                self.log.warning("cannot ask the hub: %s", error)
                continue
            if user is None or not self.hub.check_scopes(self.hub.access_scopes, user):
                return

    def listen(self) -> None:
        forget_tokens(self.hub)
        if not self.sock:
            super().listen()
            return
        server = HTTPServer(self.app)
        server.add_socket(bind_unix_socket(self.sock, mode=0o600))
        # what Voilà does once it has a port
        self.ioloop = IOLoop.current()
        try:
            self.ioloop.start()
        finally:
            self.stop()


def forget_tokens(hub: HubOAuth) -> None:
    """Out of the environment that kernels inherit, once the server holds the token itself."""
    if not hub.api_token:
        raise KampError(
            "허브의 토큰 없이는 보고서 서버를 시작할 수 없습니다(JUPYTERHUB_API_TOKEN).",
            "a report server cannot start without the hub's token (JUPYTERHUB_API_TOKEN).",
        )
    for name in TOKENS:
        os.environ.pop(name, None)


def most_pages(limit: str | None) -> int:
    """How many pages fit into a memory limit in bytes, as the spawner tells it."""
    if not limit:
        return 16
    server, page = SERVER_MB, PAGE_MB
    if settings().fast_kernels:
        server, page = FORKED_SERVER_MB, FORKED_PAGE_MB
    megabytes = int(limit) // 2**20
    return max(2, min(MOST_PAGES, (megabytes - server) // page))


def _config() -> Config:
    config = Config()
    config.HubOAuth.cache_max_age = ASK_AGAIN_S
    config.PageKernels.most = most_pages(os.environ.get("MEM_LIMIT"))
    return config
