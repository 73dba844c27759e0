"""Addresses of the start page: signed-in people only, HTML fragments and small JSON."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado import web


class Fragment(JupyterHandler):
    """A piece of the page, rendered here and put into JupyterLab by the extension."""

    auth_resource = "kamp"


class StartHandler(Fragment):
    """The start page."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish("<h1>시작</h1>")


def addresses() -> list[tuple[str, type[JupyterHandler]]]:
    """Every address below `/kamp/` and what answers there."""
    return [("start", StartHandler)]
