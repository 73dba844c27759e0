"""The platform's own configuration, with servers that are stubs: quick, and without walls."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner, SpawnException
from traitlets.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import hub_config
from kamp_lib.hub.authenticator import KampAuthenticator

HOME = Path(os.environ["KAMP_HOME"])


class StubSpawner(SimpleLocalProcessSpawner):
    """Starts `stub_server.py`; files in KAMP_HOME make it slow or fail."""

    async def start(self) -> Any:
        if (HOME / "slow").exists():
            await asyncio.sleep(3)
        if (HOME / "fail").exists():
            raise SpawnException("디스크가 <b>가득</b> 찼습니다.", reason="full")
        return await super().start()


class QuickAuthenticator(KampAuthenticator):
    """Asks the registry at every turn: tests need not wait for what people wait for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.auth_refresh_age = 1


def configure(c: Config) -> None:
    hub_config.configure(c)
    c.JupyterHub.spawner_class = StubSpawner
    c.SimpleLocalProcessSpawner.home_dir_template = str(HOME / "stub")
    c.Spawner.cmd = [sys.executable, str(Path(__file__).parent / "stub_server.py")]
    c.Spawner.hub_connect_url = c.JupyterHub.hub_bind_url
    c.JupyterHub.services = [s for s in c.JupyterHub.services if s["name"] == "portal"]
    c.JupyterHub.load_roles = [
        role for role in c.JupyterHub.load_roles if "services" not in role
    ]
    c.JupyterHub.authenticator_class = QuickAuthenticator


configure(c)  # type: ignore[name-defined] # noqa: F821 - given by JupyterHub
