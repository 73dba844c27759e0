"""The decision pages: figures, words and widgets that show a run bundle to a manager.

A run calls `write_first_paint` on its staged bundle. `publish` releases a bundle,
`serve` shows what is released, `page` is what a report notebook calls, and `export`
makes a file that travels. The parts are loaded when they are first used: a run needs no
server, and a page neither pandas nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kamp_lib.reports.dataset_html import dataset_page
    from kamp_lib.reports.exporting import export
    from kamp_lib.reports.first_paint import write_first_paint
    from kamp_lib.reports.live import page
    from kamp_lib.reports.publication import publish
    from kamp_lib.reports.server import serve

_ROOMS = {
    "dataset_page": "dataset_html",
    "export": "exporting",
    "page": "live",
    "publish": "publication",
    "serve": "server",
    "write_first_paint": "first_paint",
}

__all__ = ["dataset_page", "export", "page", "publish", "serve", "write_first_paint"]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
