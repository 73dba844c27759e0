"""The portal as a process of its own: a hub service on the address the hub gave it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from urllib.parse import unquote, urlsplit

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application

from kamp_lib.errors import KampError
from kamp_lib.hub.portal.addresses import PREFIX
from kamp_lib.hub.portal.assets import PLACE, AssetHandler
from kamp_lib.hub.portal.base import Callback, Missing, hub_oauth
from kamp_lib.hub.portal.home import HomePage
from kamp_lib.hub.portal.servers import (
    OpenPage,
    ProgressEvents,
    StartAction,
    StartingPage,
    Starts,
    StopAction,
)
from kamp_lib.tenancy import open_registry
from kamp_lib.tenancy.registry import Registry

ONE = r"([a-z][a-z0-9-]{0,29})"
# a form of ours is a few short fields
LARGEST_BODY = 64 * 1024


def application(registry: Registry) -> Application:
    """All addresses of the portal, below `/services/portal/`."""
    hub_oauth()
    return Application(
        [
            (PREFIX, HomePage),
            (f"{PREFIX}oauth_callback", Callback),
            (f"{PREFIX}open/{ONE}/{ONE}", OpenPage),
            (f"{PREFIX}start", StartAction),
            (f"{PREFIX}starting/{ONE}/{ONE}", StartingPage),
            (f"{PREFIX}progress/{ONE}/{ONE}", ProgressEvents),
            (f"{PREFIX}stop", StopAction),
            (f"{PREFIX}{PLACE}/([A-Za-z.-]+)", AssetHandler),
        ],
        default_handler_class=Missing,
        registry=registry,
        starts=Starts(),
        # lives as long as the process: after a restart visitors sign in again unseen
        cookie_secret=secrets.token_bytes(32),
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
    )


async def serve(url: str) -> None:
    """Answer on `url` (http or http+unix) until the hub ends the service."""
    # the proxy passes on who asks, and by which protocol; nobody else reaches us
    server = HTTPServer(
        application(open_registry()), xheaders=True, max_body_size=LARGEST_BODY
    )
    address = urlsplit(url)
    if address.scheme == "http+unix":
        server.add_socket(bind_unix_socket(unquote(address.netloc), mode=0o600))
    elif address.hostname and address.port:
        server.listen(address.port, address.hostname)
    else:
        raise KampError(
            f"포털의 주소가 올바르지 않습니다: {url}",
            f"not an address to serve on: {url}",
        )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for end in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(end, ended.set)
    await ended.wait()
    server.stop()
    await asyncio.wait_for(server.close_all_connections(), timeout=5)


def main() -> None:
    """`python -m kamp_lib.hub.portal`, as the hub starts it."""
    from tornado.log import enable_pretty_logging

    enable_pretty_logging()
    asyncio.run(serve(os.environ["JUPYTERHUB_SERVICE_URL"]))
