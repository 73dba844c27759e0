"""A workspace server as an analyst meets it, without the hub, and a program that talks to it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from kamp_lib.tenancy import Tenant
from kamp_lib.workspace import lab_arguments, lab_environment

TOKEN = "a-token-of-tests"
HOSTILE = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class Lab:
    """A running JupyterLab of one company."""

    port: int
    tenant: Tenant
    pid: int
    log: Path
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request; `body` is JSON unless it is bytes."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Authorization": f"token {token}"} if token else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, data, {**sent, **(headers or {})})
            answer = connection.getresponse()
            said = {k.lower(): v for k, v in answer.getheaders()}
            return Answer(answer.status, said, answer.read())
        finally:
            connection.close()

    def cookie_headers(self, *, xsrf: bool) -> dict[str, str]:
        """What a browser that has signed in sends along."""
        if not self.cookies:
            answer = urllib.request.urlopen(f"{self.url}/lab?token={TOKEN}")  # noqa: S310
            for header in answer.headers.get_all("Set-Cookie"):
                morsels = SimpleCookie(header)
                self.cookies |= {name: m.value for name, m in morsels.items()}
        # the values of signed cookies contain quotes and pipes
        cookie = "; ".join(f'{k}="{v}"' for k, v in self.cookies.items())
        told = {"Cookie": cookie}
        return told | ({"X-XSRFToken": self.cookies["_xsrf"]} if xsrf else {})

    def upload(self, files: dict[str, bytes]) -> str:
        """Upload files by name; returns the upload's id."""
        announced = [{"name": n, "size": len(c)} for n, c in files.items()]
        told = self.ask("POST", "/kamp/uploads", {"files": announced}).json
        for number, content in enumerate(files.values()):
            for offset in range(0, len(content), told["piece"]):
                piece = content[offset : offset + told["piece"]]
                address = f"/kamp/uploads/{told['upload']}/{number}?offset={offset}"
                assert self.ask("PUT", address, piece).status == 200
        return str(told["upload"])

    def jobs(self) -> list[dict[str, Any]]:
        return list(self.ask("GET", "/kamp/jobs").json["jobs"])

    def wait(self, job: str, seconds: float = 120) -> dict[str, Any]:
        """The job, when it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = next(j for j in self.jobs() if j["id"] == job)
            if now["state"] in ("done", "failed", "stopped"):
                return now
            time.sleep(0.1)
        pytest.fail(f"the job does not end: {now}")


@contextmanager
def running(tenant: Tenant, folder: Path, language: str = "ko") -> Iterator[Lab]:
    """JupyterLab of a company, as the spawner would start it, without the hub."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = str(tenant.home)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("KAMP_")},
        **lab_environment(language, person="ann", home=home),  # type: ignore[arg-type]
        "KAMP_TENANT_HOME": home,
        "HOME": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={tenant.workspace}",
        "--ServerApp.allow_unauthenticated_access=False",
        "--ContentsManager.allow_hidden=False",
        *lab_arguments(language),  # type: ignore[arg-type]
    ]
    log = folder / "lab.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            lab = Lab(port, tenant, process.pid, log)
            _wait_until_it_answers(lab, process)
            yield lab
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(lab: Lab, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            if lab.ask("GET", "/kamp/jobs").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start: {lab.log.read_text()[-3000:]}")
