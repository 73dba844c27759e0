"""JupyterLab's checkpoints, kept per person and outside the tree that people share.

Beside the files, as jupyter_server has it, one person's checkpoint would write over
another's, and every folder would grow a hidden one.
"""

from __future__ import annotations

from pathlib import Path

from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints
from tornado import web

from kamp_lib.settings import person, settings
from kamp_lib.workspace.names import safe_path

FOLDER = ".checkpoints"


class ApartCheckpoints(AsyncFileCheckpoints):
    """One checkpoint of each file, in `data/.checkpoints/<person>/`."""

    def checkpoint_path(self, checkpoint_id: str, path: str) -> str:
        """Where the checkpoint of a file lies; its folder is made."""
        home = settings().tenant_home
        if home is None:  # no company's workspace
            return str(super().checkpoint_path(checkpoint_id, path))
        file = Path(path.strip("/"))
        if not file.name or ".." in file.parts:
            raise web.HTTPError(404, "no such file")
        own = home / "data" / FOLDER / safe_path(person()).name
        to = own / file.with_name(f"{file.stem}-{checkpoint_id}{file.suffix}")
        with self.perm_to_403():
            to.parent.mkdir(parents=True, exist_ok=True)
        return str(to)
