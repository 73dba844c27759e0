"""A real hub on loopback: our own configuration, proxy, walls, portal, two companies."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

CONFIG = Path(__file__).resolve().parents[2] / "hub_config.py"
STARTING_S = 90
# who there is, by name: operator, or company -> role
PEOPLE: dict[str, Any] = {
    "ann": {"acme": "analyst"},
    "bea": {"acme": "analyst"},
    "mina": {"acme": "manager"},
    "bora": {"bolt": "analyst"},
    "carl": {"acme": "consultant", "bolt": "consultant"},
    "olga": "operator",
    "nobody": {},
}
PASSWORD = "spindle-and-chuck-7"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settle(home: Path) -> None:
    """Two companies and their people, as the verbs would make them."""
    from kamp_lib.tenancy import Role, open_registry

    registry = open_registry(f"sqlite:///{home / 'platform.db'}")
    registry.add_sme(
        "acme", "하늘몰드", "Haneul Mold", equipment=("injection-moulding",)
    )
    registry.add_sme("bolt", "나래정밀", "Narae CNC", equipment=("cnc-machine",))
    for name, what in PEOPLE.items():
        registry.add_person(name, name.title(), operator=what == "operator")
        first = registry.reset_password(name)
        registry.change_password(name, first, PASSWORD)
        for slug, role in ({} if what == "operator" else what).items():
            registry.assign(name, slug, Role(role))


@dataclass
class LiveHub:
    """A hub that runs."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://kamp.localhost:{self.port}"

    def of(self, slug: str) -> str:
        """The origin of one company."""
        return f"http://{slug}.kamp.localhost:{self.port}"

    @property
    def log(self) -> str:
        return (self.home / "hub.log").read_text(errors="replace")

    def visitor(self, name: str | None = None, password: str = PASSWORD) -> Visitor:
        visitor = Visitor(self)
        if name is not None:
            visitor.sign_in(name, password)
        return visitor


@dataclass
class Visitor:
    """Somebody's browser, without the browser."""

    hub: LiveHub
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, url: str, **options: Any) -> requests.Response:
        return self._ask("GET", self._whole(url), **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        return self._ask("POST", self._whole(url), **options)

    def delete(self, url: str, **options: Any) -> requests.Response:
        return self._ask("DELETE", self._whole(url), **options)

    def _ask(self, method: str, url: str, **options: Any) -> requests.Response:
        answer = self.session.request(method, url, timeout=60, **options)
        answer.encoding = "utf-8"
        return answer

    def sign_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        page = self.get("/hub/login")
        form = {"username": name, "password": password, "_xsrf": xsrf_of(page.text)}
        return self.post("/hub/login?next=%2Fhub%2Ftoken-none", data=form)

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        """The hub's REST API, as a page of the hub would call it."""
        xsrf = next(
            (
                c.value
                for c in self.session.cookies
                if c.name == "_xsrf" and c.path == "/hub/"
            ),
            "",
        )
        url = self._whole(f"/hub/api{path}")
        headers = {"X-XSRFToken": xsrf or "", "Referer": f"{self.hub.url}/hub/home"}
        return self._ask(
            method, url, headers=headers, params={"_xsrf": xsrf}, **options
        )

    def start(self, slug: str, server: str) -> requests.Response:
        """Ask for a server and wait until it is there."""
        asked = self.api("POST", f"/users/{slug}/servers/{server}")
        if asked.status_code == 202:
            self.wait_for(slug, server)
        return asked

    def wait_for(self, slug: str, server: str) -> None:
        deadline = time.monotonic() + STARTING_S
        while time.monotonic() < deadline:
            answer = self.api("GET", f"/users/{slug}/servers/{server}/progress")
            if '"ready": true' in answer.text:
                return
            if '"failed": true' in answer.text:
                pytest.fail(f"{slug}/{server} did not start: {self.hub.log[-4000:]}")
            time.sleep(0.3)
        pytest.fail(f"{slug}/{server} did not start in time: {self.hub.log[-4000:]}")

    def open(self, url: str, **options: Any) -> requests.Response:
        """Follow the ways of OAuth as a person would, consenting where asked."""
        page = self.get(url, **options)
        if "/oauth2/authorize" in page.url and page.status_code == 200:
            form = {"_xsrf": xsrf_of(page.text)}
            form["scopes"] = re.findall(r'name="scopes"[^>]*value="([^"]+)"', page.text)
            page = self.post(
                page.url,
                data=form,
                headers={"Referer": page.url, "Origin": self.hub.url},
            )
        return page

    def _whole(self, url: str) -> str:
        return url if url.startswith("http") else self.hub.url + url


def xsrf_of(html: str) -> str:
    found = re.search(r'name="_xsrf"[^>]*value="([^"]+)"', html)
    assert found, html[:2000]
    return found.group(1)


@contextmanager
def running_hub(home: Path, **environment: str) -> Iterator[LiveHub]:
    """Start the hub of `home` and end it, with everything that it started."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("KAMP_")},
        "KAMP_HOME": str(home),
        "KAMP_HUB_URL": f"http://kamp.localhost:{port}",
        **environment,
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
    with (home / "hub.log").open("ab") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=env, cwd=home, start_new_session=True
        )
    hub = LiveHub(home, port, process)
    try:
        wait_until_it_answers(hub)
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_it_answers(hub: LiveHub) -> None:
    deadline = time.monotonic() + STARTING_S
    while time.monotonic() < deadline:
        if hub.process.poll() is not None:
            break
        try:
            if requests.get(f"{hub.url}/hub/api/", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass  # not yet
        time.sleep(0.2)
    pytest.fail(f"the hub did not start: {hub.log[-6000:]}")
