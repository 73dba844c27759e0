"""The idle culler, with two things of ours: the hub's unix socket, and a time limit per kind.

A hub service: `python -m kamp_lib.hub.culler`.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyterhub_idle_culler import IdleCuller
from tornado.netutil import DefaultLoopResolver, Resolver

from kamp_lib.hub.roles import REPORT
from kamp_lib.settings import settings

# the name under which the culler's HTTP client finds the hub's socket
HUB_HOST = "hub"
LOOK_EVERY_S = 60


class HubResolver(DefaultLoopResolver):
    """Finds the hub at its unix socket: the culler's HTTP client knows host names only."""

    path = ""

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        if host == HUB_HOST:
            return [(socket.AF_UNIX, self.path)]
        return await super().resolve(host, port, family)


def is_idle(*, inactive: timedelta, server: dict[str, Any], **_: Any) -> bool:
    """Whether this server has been left alone for longer than its kind may be."""
    s = settings()
    minutes = s.idle_report_minutes if server["name"] == REPORT else s.idle_minutes
    return inactive >= timedelta(minutes=minutes)


def main() -> None:
    """Cull until the hub ends this process."""
    api = urlsplit(os.environ["JUPYTERHUB_API_URL"])
    HubResolver.path = unquote(api.netloc)
    Resolver.configure(HubResolver)
    culler = IdleCuller.instance(
        url=f"http://{HUB_HOST}{api.path}",
        cull_every=LOOK_EVERY_S,
        cull_arbiter_hook=is_idle,
        remove_named_servers=False,
        api_page_size=200,
    )
    culler.initialize([])
    culler.start()


if __name__ == "__main__":
    main()
