"""The platform's own configuration with real report servers, but without walls: quick.

A person's server is a stub. What the hub gave a server lies in `KAMP_HOME/given`, so that
tests can act as a program inside it would.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import hub_config
from kamp_lib.hub.authenticator import KampAuthenticator
from kamp_lib.hub.clients import client_id

HOME = Path(os.environ["KAMP_HOME"])
STUB = str(Path(__file__).parent / "stub_server.py")


class PlainSpawner(SimpleLocalProcessSpawner):
    """Starts the report server as the platform does, only on a port and without walls."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.user is not None:
            self.oauth_client_id = client_id(self.user.name, self.name)

    async def start(self) -> Any:
        report = self.name == "report"
        module = "kamp_lib.hub.report_server"
        self.cmd = [sys.executable, *(["-m", module] if report else [STUB])]
        given = HOME / "given" / f"{self.user.name}-{self.name}.json"
        given.parent.mkdir(mode=0o700, exist_ok=True)
        answer = await super().start()
        given.write_text(json.dumps(self.get_env()))
        return answer

    def get_env(self) -> dict[str, str]:
        env: dict[str, str] = super().get_env()
        env["KAMP_TENANT_HOME"] = str(HOME / "tenants" / self.user.name)
        env["KAMP_PERSON"] = self.name
        env["KAMP_SECRET_FOR_TESTS"] = "a-secret-of-the-server"
        return env


class QuickAuthenticator(KampAuthenticator):
    """Asks the registry at every turn: tests need not wait for what people wait for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.auth_refresh_age = 1


def configure(c: Config) -> None:
    hub_config.configure(c)
    c.JupyterHub.spawner_class = PlainSpawner
    c.SimpleLocalProcessSpawner.home_dir_template = str(HOME / "homes" / "{username}")
    c.Spawner.env_keep = ["PATH", "LANG", "PYTHONPATH"]
    c.Spawner.hub_connect_url = c.JupyterHub.hub_bind_url
    c.JupyterHub.services = []
    c.JupyterHub.load_roles = [
        role for role in c.JupyterHub.load_roles if "services" not in role
    ]
    c.JupyterHub.authenticator_class = QuickAuthenticator


configure(c)  # type: ignore[name-defined] # noqa: F821 - given by JupyterHub
