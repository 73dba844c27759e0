"""The publishing service: whose page it is follows from the secret alone."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hub.live_hub import LiveHub, Visitor
from hub.report_hub import (
    OLDER,
    RUN,
    UNPUBLISHED,
    address,
    cookies_for,
    given,
    lay_down,
    reader,
)

from kamp_lib.hub.clients import client_id
from kamp_lib.hub.publishing import A_MINUTE, Refusal, Turns
from kamp_lib.reports.notes import list_publications, read_publication
from kamp_lib.tenancy import Registry, Role, Tenant, open_registry, tenant_named

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def ann(report_hub: LiveHub) -> dict[str, str]:
    """What ann's workspace in acme was given by the hub."""
    return workspace(report_hub, "ann", "acme")


@pytest.fixture(scope="module")
def acme(report_hub: LiveHub) -> Tenant:
    return tenant_named("acme", home=report_hub.home)


@pytest.fixture(scope="module")
def registry(report_hub: LiveHub) -> Registry:
    return open_registry(f"sqlite:///{report_hub.home / 'platform.db'}")


def workspace(hub: LiveHub, name: str, slug: str) -> dict[str, str]:
    hub.visitor(name).start(slug, name)
    return given(hub, slug, name)


@dataclass(frozen=True)
class Answer:
    """What the service said."""

    status_code: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class HubSocket(http.client.HTTPConnection):
    """The hub's own socket, the way that workspaces have."""

    def __init__(self, hub: LiveHub) -> None:
        super().__init__("localhost", timeout=200)
        self.path = hub.home / "hub" / "api" / "hub.sock"

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def ask(
    hub: LiveHub, token: str | None, action: str = "publish", **body: Any
) -> Answer:
    """Ask the service as a program would, with or without a secret."""
    return send(hub, token, action, json.dumps(body).encode())


def send(hub: LiveHub, token: str | None, action: str, body: bytes) -> Answer:
    headers = {"Authorization": f"token {token}"} if token else {}
    method = "GET" if action == "published" else "POST"
    connection = HubSocket(hub)
    connection.request(method, f"/hub/api/kamp/{action}", body, headers)
    answer = connection.getresponse()
    found = Answer(answer.status, answer.read().decode())
    connection.close()
    return found


# -- what a workspace can do --------------------------------------------------------


def test_a_workspace_releases_a_page_in_its_persons_name(
    report_hub: LiveHub, ann: dict[str, str], acme: Tenant, registry: Registry
) -> None:
    answer = ask(report_hub, ann["JUPYTERHUB_API_TOKEN"], run=UNPUBLISHED)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["run"], answer.json()["by"]) == (UNPUBLISHED, "ann")
    note = read_publication(acme.published / UNPUBLISHED)
    assert note is not None
    assert note.by == "ann"
    entry = registry.audit_entries(subject="acme")[0]
    assert (entry.actor, entry.action) == ("ann", "publish")
    assert entry.detail["run"] == UNPUBLISHED


def test_a_page_is_read_at_once_and_gone_when_taken_back(
    report_hub: LiveHub, ann: dict[str, str], acme: Tenant, registry: Registry
) -> None:
    token = ann["JUPYTERHUB_API_TOKEN"]
    mina = reader(report_hub, "mina")
    run = "20261123-010203-injection-quality-ab12cd"
    lay_down(report_hub.home, "acme", run)
    assert run not in mina.get(address(report_hub, "acme")).text
    assert ask(report_hub, token, run=run).status_code == 200
    assert run in mina.get(address(report_hub, "acme")).text
    answer = ask(report_hub, token, "withdraw", run=run)
    assert answer.json()["withdrawn_by"] == "ann"
    assert run not in mina.get(address(report_hub, "acme")).text
    url = address(report_hub, "acme", f"report/acme/{run}")
    assert mina.get(url).status_code == 404
    assert registry.audit_entries(subject="acme")[0].action == "withdraw"
    listed = ask(report_hub, token, "published").json()["published"]
    assert next(p for p in listed if p["run"] == run)["withdrawn_by"] == "ann"


def test_the_command_in_a_workspace_goes_through_the_hub(
    report_hub: LiveHub, ann: dict[str, str], acme: Tenant
) -> None:
    done = kamp(ann, "publish", OLDER, "--json")
    assert json.loads(done.stdout)["by"] == "ann", done.stderr
    listed = json.loads(kamp(ann, "published", "--json").stdout)
    assert next(p for p in listed if p["run"] == OLDER)["by"] == "ann"


def test_the_command_says_so_when_the_hub_does_not_answer(
    report_hub: LiveHub, ann: dict[str, str], tmp_path: Path
) -> None:
    nowhere = f"http+unix://{str(tmp_path / 'gone.sock').replace('/', '%2F')}/hub/api"
    done = kamp({**ann, "JUPYTERHUB_API_URL": nowhere}, "publish", RUN)
    assert done.returncode == 1
    assert "허브가 응답하지 않아" in done.stderr
    assert "Traceback" not in done.stderr


def kamp(given: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a terminal of a workspace."""
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **given}
    command = [sys.executable, "-m", "kamp_lib.cli", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


# -- who is refused -----------------------------------------------------------------


def test_what_is_asked_for_changes_neither_company_nor_person(
    report_hub: LiveHub, ann: dict[str, str], acme: Tenant
) -> None:
    bolt = tenant_named("bolt", home=report_hub.home)
    before = list_publications(bolt)
    answer = ask(
        report_hub,
        ann["JUPYTERHUB_API_TOKEN"],
        run=RUN,
        tenant="bolt",
        slug="bolt",
        by="olga",
        person="olga",
        most=10**15,
    )
    assert answer.json()["tenant"] == "acme"
    assert answer.json()["by"] == "ann"
    assert list_publications(bolt) == before


def test_the_secret_of_another_company_releases_nothing_of_this_one(
    report_hub: LiveHub, ann: dict[str, str], acme: Tenant
) -> None:
    carl = workspace(report_hub, "carl", "bolt")
    only_here = "20261124-010203-injection-quality-ab12cd"
    lay_down(report_hub.home, "acme", only_here)
    answer = ask(report_hub, carl["JUPYTERHUB_API_TOKEN"], run=only_here)
    assert answer.status_code == 422
    assert not (acme.published / only_here).exists()
    before = read_publication(acme.published / RUN)
    assert (
        ask(report_hub, carl["JUPYTERHUB_API_TOKEN"], run=RUN).json()["tenant"]
        == "bolt"
    )
    assert read_publication(acme.published / RUN) == before


def test_a_report_server_releases_nothing(report_hub: LiveHub) -> None:
    reader(report_hub, "mina")
    token = given(report_hub, "acme", "report")["JUPYTERHUB_API_TOKEN"]
    for action in ("publish", "withdraw", "published"):
        assert ask(report_hub, token, action, run=RUN).status_code == 403


@pytest.mark.parametrize("name", ["mina", "ann", "carl"])
def test_the_token_that_lets_somebody_read_releases_nothing(
    report_hub: LiveHub, name: str
) -> None:
    visitor = reader(report_hub, name)
    token = oauth_token(visitor)
    known = requests.get(
        f"{report_hub.url}/hub/api/user",
        headers={"Authorization": f"token {token}"},
        timeout=30,
    )
    assert known.json()["name"] == name
    assert ask(report_hub, token, run=RUN).status_code == 403


def oauth_token(visitor: Visitor) -> str:
    """The token that the hub gave the report server for this reader, from its cookie.

    A reader cannot see it in the signed cookie's text without decoding; whoever holds the
    server's memory could.
    """
    cookie = next(
        c.value or ""
        for c in visitor.session.cookies
        if c.name == client_id("acme", "report")
    )
    # tornado's signed value: 2|1:0|10:<time>|<n>:<name>|<n>:<base64>|<signature>
    return base64.b64decode(cookie.strip('"').split("|")[4].partition(":")[2]).decode()


def test_no_cookie_of_a_person_releases_anything(report_hub: LiveHub) -> None:
    for name in ("ann", "olga"):
        visitor = report_hub.visitor(name)
        answer = visitor.api("POST", "/kamp/publish", json={"run": RUN})
        assert answer.status_code == 403


@pytest.mark.parametrize("token", [None, "", "x", "a" * 32, "x" * 9000, "ann"])
def test_without_a_secret_nothing_is_released(
    report_hub: LiveHub, token: str | None
) -> None:
    for action in ("publish", "withdraw", "published"):
        assert ask(report_hub, token, action, run=RUN).status_code == 403


def test_the_secret_of_a_server_that_has_ended_is_worth_nothing(
    report_hub: LiveHub,
) -> None:
    bea = report_hub.visitor("bea")
    bea.start("acme", "bea")
    token = given(report_hub, "acme", "bea")["JUPYTERHUB_API_TOKEN"]
    assert ask(report_hub, token, "published").status_code == 200
    assert bea.api("DELETE", "/users/acme/servers/bea").status_code in (202, 204)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if ask(report_hub, token, "published").status_code == 403:
            return
        time.sleep(0.3)
    pytest.fail("the secret still counts")


def test_who_works_there_no_longer_releases_nothing_more(
    report_hub: LiveHub, registry: Registry
) -> None:
    bora = workspace(report_hub, "bora", "bolt")
    token = bora["JUPYTERHUB_API_TOKEN"]
    registry.unassign("bora", "bolt", Role.ANALYST)
    try:
        registry.assign("bora", "bolt", Role.MANAGER)
        assert ask(report_hub, token, run=RUN).status_code == 403
        registry.unassign("bora", "bolt")
        assert ask(report_hub, token, run=RUN).status_code == 403
    finally:
        registry.assign("bora", "bolt", Role.ANALYST)
    assert ask(report_hub, token, "published").status_code == 200


def test_a_suspended_company_releases_nothing(
    report_hub: LiveHub, registry: Registry
) -> None:
    token = workspace(report_hub, "bora", "bolt")["JUPYTERHUB_API_TOKEN"]
    registry.suspend("bolt")
    try:
        assert ask(report_hub, token, run=RUN).status_code == 403
    finally:
        registry.resume("bolt")


# -- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    "run",
    [
        "latest",
        "",
        ".",
        "../bolt/runs/" + RUN,
        RUN + "/../" + RUN,
        "/etc",
        RUN + "\n",
        RUN + "\x00",
        "--by=olga",
        None,
        7,
        [RUN],
        {"run": RUN},
        "9" * 5000,
    ],
)
def test_only_the_id_of_a_run_is_asked_for(
    report_hub: LiveHub, ann: dict[str, str], run: object
) -> None:
    for action in ("publish", "withdraw"):
        answer = ask(report_hub, ann["JUPYTERHUB_API_TOKEN"], action, run=run)
        assert answer.status_code == 400
        assert set(answer.json()) == {"ko", "en"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"[" * 4000, b"\xff", b"x" * 10_000]
)
def test_a_body_that_is_no_request_is_refused(
    report_hub: LiveHub, ann: dict[str, str], body: bytes
) -> None:
    answer = send(report_hub, ann["JUPYTERHUB_API_TOKEN"], "publish", body)
    assert answer.status_code == 400


def test_a_hostile_bundle_costs_the_hub_nothing(
    report_hub: LiveHub, ann: dict[str, str], acme: Tenant
) -> None:
    run = "20261125-010203-injection-quality-ab12cd"
    folder = lay_down(report_hub.home, "acme", run)
    (folder / "run.json").write_bytes(b"[" + b"[]," * 2_500_000 + b"[]]")
    answer = ask(report_hub, ann["JUPYTERHUB_API_TOKEN"], run=run)
    assert answer.status_code == 422
    assert answer.json()["ko"]
    (folder / "run.json").unlink()
    (folder / "run.json").symlink_to(report_hub.home / "platform.db")
    assert ask(report_hub, ann["JUPYTERHUB_API_TOKEN"], run=run).status_code == 422
    assert not (acme.published / run).exists()
    assert requests.get(f"{report_hub.url}/hub/api/", timeout=10).status_code == 200


def test_two_releases_of_a_company_at_once_do_not_mix(
    report_hub: LiveHub, ann: dict[str, str], acme: Tenant
) -> None:
    token = ann["JUPYTERHUB_API_TOKEN"]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda run: ask(report_hub, token, run=run), [RUN] * 3))
    codes = sorted(a.status_code for a in answers)
    assert codes[0] == 200
    assert set(codes) <= {200, 429}
    assert read_publication(acme.published / RUN) is not None


def test_whoever_asks_too_often_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("kamp_lib.hub.publishing.time.monotonic", lambda: now)
    turns = Turns()

    async def ask_once(slug: str) -> None:
        async with turns.of(slug):
            pass

    for _ in range(A_MINUTE):
        asyncio.run(ask_once("acme"))
    with pytest.raises(Refusal) as refused:
        asyncio.run(ask_once("acme"))
    assert refused.value.status == 429
    asyncio.run(ask_once("bolt"))
    now = 1061.0
    asyncio.run(ask_once("acme"))


def test_a_company_waits_for_its_own_release_only() -> None:
    async def at_once() -> None:
        turns = Turns()
        async with turns.of("acme"), turns.of("bolt"):
            with pytest.raises(Refusal):
                async with turns.of("acme"):
                    raise AssertionError("two at once")

    asyncio.run(at_once())


def test_the_service_is_there_through_the_hubs_own_socket(
    report_hub: LiveHub, ann: dict[str, str]
) -> None:
    assert urlsplit(ann["JUPYTERHUB_API_URL"]).scheme == "http+unix"


def test_cookies_of_a_reader_are_sent_nowhere_else(report_hub: LiveHub) -> None:
    mina = reader(report_hub, "mina")
    hub_url = f"{report_hub.url}/hub/api/kamp/publish"
    assert client_id("acme", "report") not in cookies_for(mina, hub_url)
