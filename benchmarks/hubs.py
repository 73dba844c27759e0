"""Hubs to measure: ours as `kamp up` starts it, and JupyterHub as it comes, side by side.

Stock is SimpleLocalProcessSpawner with `jupyterhub-singleuser`, the same JupyterLab and
our extension in it, on the same company's folder; no walls, no sub-domains.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from kamp_lib.demo.hub import DemoHub
from kamp_lib.hub.config import proxy_command
from kamp_lib.tenancy import Role, open_registry
from kamp_lib.workspace import lab_environment
from kamp_lib.workspace.lab import EXTENSIONS, NEVER

SLUG, PERSON = "acme", "ann"
PASSWORD = "spindle-and-chuck-7"  # noqa: S105 - of the benchmarks
STARTING_S = 60
STOCK = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/secret"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.cleanup_servers = True
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = {arguments!r}
c.Spawner.environment = {environment!r}
c.Spawner.http_timeout = 90
"""


@dataclass(frozen=True)
class Visit:
    """Somebody who has signed in to a hub, and the server that they start there."""

    page: Page
    port: int
    host: str  # of the server's address
    path: str  # the server's, on the proxy
    api: str  # the server's, in the hub's API
    home: str  # the page with the button that starts it
    button: str

    @property
    def lab(self) -> str:
        return f"http://{self.host}:{self.port}{self.path}/lab"


def our_visit(chromium: Chromium, hub: DemoHub) -> Visit:
    """An analyst at our hub."""
    page = chromium.new_context().new_page()
    page.goto(f"{hub.url}hub/login")
    page.fill("input[name=username]", PERSON)
    page.fill("input[name=password]", PASSWORD)
    page.click("form [type=submit]")
    page.wait_for_url("**/services/portal/**")
    portal = page.url
    page.goto(f"{hub.url}hub/password")  # any page of the hub's own origin
    host, path = f"{SLUG}.kamp.localhost", f"/user/{SLUG}/{PERSON}"
    api = f"/users/{SLUG}/servers/{PERSON}"
    return Visit(page, hub.port, host, path, api, portal, ".workspace button.main")


def stock_visit(chromium: Chromium, port: int) -> Visit:
    """The same person at the stock hub."""
    page = chromium.new_context().new_page()
    page.goto(f"http://127.0.0.1:{port}/hub/login?next=/hub/home")
    page.fill("input[name=username]", PERSON)
    page.fill("input[name=password]", "x")
    page.click("form [type=submit]")
    page.wait_for_url("**/hub/home")
    path, api = f"/user/{PERSON}", f"/users/{PERSON}/server"
    return Visit(page, port, "127.0.0.1", path, api, page.url, "#start")


@contextmanager
def stock_hub(folder: Path, company: Path) -> Iterator[int]:
    """JupyterHub as it comes, for the length of a `with` block; its port."""
    folder.mkdir()
    port, hub, api = (free_port() for _ in range(3))
    arguments = [
        *(["--allow-root"] if os.geteuid() == 0 else []),
        "--ServerApp.jpserver_extensions=kamp_lib.workspace=True",
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
        # there may be no internet, and a stock server must not wait for it
        "--LabApp.extension_manager=readonly",
        f"--LabApp.check_for_updates_class={NEVER}",
    ]
    home = str(company)
    environment = {"KAMP_TENANT_HOME": home, **lab_environment("ko", home=home)}
    config = folder / "config.py"
    config.write_text(
        STOCK.format(
            **{"port": port, "hub": hub, "api": api, "folder": folder},
            **{"python": sys.executable, "proxy": proxy_command()},
            **{"arguments": arguments, "environment": environment},
        )
    )
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        yield port
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int, hub: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING_S
    while time.monotonic() < deadline and hub.poll() is None:
        # the proxy answers before the hub has said where it is
        if "JupyterHub is now running" in log.read_text():
            return
        time.sleep(0.2)
    sys.exit(f"the stock hub on port {port} does not start: {log.read_text()[-2000:]}")


def settle(home: Path) -> None:
    """One company with one analyst."""
    home.mkdir()
    os.environ["KAMP_HOME"] = str(home)
    registry = open_registry(home=home)
    registry.add_sme(SLUG, "하늘몰드", equipment=("injection-moulding",), plan="large")
    first = registry.add_person(PERSON, PERSON)
    registry.change_password(PERSON, first, PASSWORD)
    registry.assign(PERSON, SLUG, Role.ANALYST)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
