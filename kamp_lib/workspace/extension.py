"""The jupyter_server extension: the addresses below `/kamp/`."""

from __future__ import annotations

from typing import Any

from jupyter_server.utils import url_path_join

from kamp_lib.workspace.handlers import addresses


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """Called by jupyter_server when it starts."""
    base = serverapp.web_app.settings["base_url"]
    ours = [(url_path_join(base, "kamp", path), kind) for path, kind in addresses()]
    serverapp.web_app.add_handlers(".*$", ours)
