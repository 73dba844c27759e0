"""A workspace server as an analyst meets it, and browsers and programs that talk to it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kamp_lib.tenancy import Tenant, add_tenant
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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab of a company with an injection moulding machine and no data."""
    folder = tmp_path_factory.mktemp("lab")
    tenant = add_tenant(
        "haneul-mold",
        f"하늘 {HOSTILE}",
        "Haneul",
        equipment=("injection-moulding",),
        home=folder / "kamp",
    )
    with running(tenant, folder) as started:
        yield started


@pytest.fixture
def company(tmp_path: Path) -> Tenant:
    """A company with an injection moulding machine."""
    home = tmp_path / "kamp"
    machines = ("injection-moulding",)
    return add_tenant("haneul-mold", "하늘몰드", equipment=machines, home=home)


@pytest.fixture(scope="session")
def shots() -> Callable[..., bytes]:
    """A small file of shots, with a bad value, a total and a doubtful column."""

    def made(rows: int = 60, *, note: str = "") -> bytes:
        lines = ["생산일시,설비,사이클타임(s),보압(kgf/cm2),실린더온도1,양불판정,비고"]
        for i in range(rows):
            time = f"2026-03-{2 + i // 30:02} 08:{i % 30:02}:{7 * i % 60:02}"
            heat = 9999 if i % 20 == 7 else 208 + i % 5
            bad = "불량" if i % 11 == 3 else "양품"
            cells = [time, "#1", f"{31 + i % 7 / 10:.1f}", str(600 + i % 9), str(heat)]
            lines.append(",".join([*cells, bad, note if i == 0 else ""]))
        return "\n".join([*lines, "합계,,,,,,"]).encode("cp949")

    return made


def quoted(path: str) -> str:
    return quote(path, safe="")
