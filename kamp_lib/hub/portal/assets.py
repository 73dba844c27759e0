"""Style sheet, scripts and fonts of the portal and the hub's pages.

Served by the hub itself and by the portal, each for its own origin, with nothing from
elsewhere: the platform works offline.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from tornado.web import HTTPError, StaticFileHandler

from kamp_lib.reports import fonts

FOLDER = Path(__file__).parent / "static"
PLACE = "kamp"
FILES = {
    **{name: FOLDER / name for name in ("portal.css", "hub.js", "progress.js")},
    **{file.name: file for file in fonts.FILES.values()},
}


@cache
def version() -> str:
    """Changes whenever a file changes, so that browsers may keep them for long."""
    digest = hashlib.sha256()
    for file in FILES.values():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def asset_url(base: str, name: str) -> str:
    """The address of one file below `base` (`/hub/`, `/services/portal/`)."""
    return f"{base}{PLACE}/{FILES[name].name}?v={version()}"


class AssetHandler(StaticFileHandler):
    """The few files that are listed above, and no other."""

    def initialize(self) -> None:  # type: ignore[override]
        super().initialize(path=str(FOLDER))

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        file = FILES.get(path)
        if file is None:
            raise HTTPError(404)
        return str(file)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        return absolute_path  # one of ours: see above

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")


def page_handlers() -> list[tuple[str, type]]:
    """For the hub: `/hub/kamp/<file>`, open to everybody like the sign-in page."""
    return [(rf"/{PLACE}/([A-Za-z.-]+)", AssetHandler)]
