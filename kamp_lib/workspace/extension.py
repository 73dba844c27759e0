"""The jupyter_server extension: opens the desk and the addresses below `/kamp/`."""

from __future__ import annotations

from typing import Any

from jupyter_server.extension.application import ExtensionApp

from kamp_lib.errors import KampError
from kamp_lib.tenancy import tenant_named
from kamp_lib.workspace.activity import count_as_activity
from kamp_lib.workspace.desk import Desk
from kamp_lib.workspace.handlers import ADDRESSES
from kamp_lib.workspace.handlers.base import DESK
from kamp_lib.workspace.layout import lay_out


class Workspace(ExtensionApp):
    """Started by jupyter_server, inside the walls of the one company it serves."""

    name = "kamp"
    load_other_extensions = True

    _desk: Desk | None = None
    _ticking: Any = None

    def initialize_settings(self) -> None:
        tenant = tenant_named()
        self._desk = Desk.of(tenant, self.log.warning)
        self.settings[DESK] = self._desk
        for prepare in (self._desk.uploads.sweep, lambda: lay_out(tenant)):
            try:
                prepare()
            except (KampError, OSError) as error:  # no reason not to open the workspace
                self.log.warning("kamp: %s", error)
        assert self.serverapp is not None  # noqa: S101 - it is what starts us
        self._ticking = count_as_activity(self.serverapp.web_app, self._desk.jobs)

    def initialize_handlers(self) -> None:
        self.handlers.extend((f"/kamp/{path}", kind) for path, kind in ADDRESSES)

    async def stop_extension(self) -> None:
        """No job and no uploaded file outlives the server."""
        if self._ticking is not None:
            self._ticking.stop()
        if self._desk is not None:
            await self._desk.close()
