"""JupyterHub for one company on one machine.

    npm install -g configurable-http-proxy
    KAMP_HOME=~/kamp KAMP_HUB_PASSWORD=… jupyterhub -f hub_config.py

One analyst signs in on loopback and works in the company's workspace. There are no walls
between companies yet, so this file refuses a KAMP_HOME that holds more than one: a hub
for several comes with sandboxes, roles and report servers of its own.
"""

import os
from pathlib import Path

from traitlets.config import Config

from kamp_lib.errors import KampError
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, list_tenants


def the_company() -> Tenant:
    """The one company of KAMP_HOME."""
    there = list_tenants()
    if len(there) != 1:
        raise KampError(
            f"이 허브는 기업 하나만 다룹니다. KAMP_HOME에 {len(there)}곳이 있습니다.",
            f"this hub serves one company; KAMP_HOME holds {len(there)}.",
        )
    return there[0]


def state(c: Config, home: Path) -> None:
    """What the hub remembers, readable by nobody else."""
    folder = home / "hub"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    c.JupyterHub.db_url = f"sqlite:///{folder / 'hub.sqlite'}"
    c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
    c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")


def network(c: Config) -> None:
    """Loopback only."""
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"
    c.JupyterHub.oauth_require_pkce = True


def people(c: Config, password: str | None) -> None:
    """One analyst; without a password nobody gets in."""
    c.JupyterHub.authenticator_class = "shared-password"
    c.Authenticator.allowed_users = {"analyst"}
    c.SharedPasswordAuthenticator.user_password = password


def workspace(c: Config, company: Tenant) -> None:
    """JupyterLab in the company's workspace, which knows its own company."""
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(company.home)
    c.Spawner.notebook_dir = str(company.workspace)
    c.Spawner.default_url = "/lab"
    c.Spawner.env_keep = ["PATH", "LANG"]
    c.Spawner.environment = {"KAMP_TENANT_HOME": str(company.home)}
    c.Spawner.args = [
        "--KernelManager.transport=ipc",
        "--ServerApp.allow_unauthenticated_access=False",
        "--ContentsManager.allow_hidden=False",
    ]


def configure(c: Config) -> None:
    """The whole hub, one concern after the other."""
    company = the_company()
    state(c, settings().home)
    network(c)
    people(c, os.environ.get("KAMP_HUB_PASSWORD"))
    workspace(c, company)


if __name__ != "hub_config":  # read by JupyterHub, not imported by a test
    configure(c)  # noqa: F821 - given by JupyterHub
