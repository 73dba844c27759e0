"""Reports and publishing inside the real walls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from hub.live_hub import LiveHub
from hub.report_hub import (
    RUN,
    UNPUBLISHED,
    address,
    cookies_for,
    furnish,
    open_page,
    reader,
)
from reports.page_socket import PageSocket

from kamp_lib.reports.notes import read_publication
from kamp_lib.tenancy import open_registry, tenant_named

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def furnished(hub: LiveHub) -> LiveHub:
    furnish(hub.home)
    return hub


def test_a_page_opens_inside_the_walls(furnished: LiveHub) -> None:
    mina = reader(furnished, "mina")
    assert RUN in mina.get(address(furnished, "acme")).text
    assert open_page(mina)


@pytest.mark.parametrize("name", ["secret.png", "secret.svg", "secret.jpg"])
def test_no_picture_of_a_workspace_is_served_to_strangers(
    furnished: LiveHub, name: str
) -> None:
    furnished.visitor("ann").start("acme", "ann")
    there = furnished.home / "tenants" / "acme" / "workspace" / name
    there.write_bytes(b"a drawing of the mould")
    server = f"{furnished.of('acme')}/user/acme/ann"
    for path in (f"voila/files/{name}", f"files/{name}", f"api/contents/{name}"):
        answer = requests.get(f"{server}/{path}", allow_redirects=False, timeout=30)
        assert answer.status_code in (302, 403, 404)
        assert "a drawing of the mould" not in answer.text


@pytest.fixture(scope="module")
def desk(furnished: LiveHub) -> Iterator[PageSocket]:
    """A kernel of ann's workspace, as a notebook of hers holds it."""
    ann = furnished.visitor("ann")
    ann.start("acme", "ann")
    home = f"{furnished.of('acme')}/user/acme/ann/"
    ann.open(f"{home}lab")
    xsrf = next(
        c.value
        for c in ann.session.cookies
        if c.name == "_xsrf" and c.path == "/user/acme/ann/"
    )
    made = ann.post(f"{home}api/kernels", headers={"X-XSRFToken": xsrf or ""}, json={})
    assert made.status_code == 201, made.text
    path = f"/user/acme/ann/api/kernels/{made.json()['id']}/channels"
    socket = PageSocket(
        f"ws://127.0.0.1:{furnished.port}{path}",
        host=urlsplit(home).netloc,
        origin=furnished.of("acme"),
        cookie=cookies_for(ann, home),
    )
    yield socket
    socket.close()


def run(desk: PageSocket, code: str) -> str:
    """What a cell of the notebook prints."""
    desk.say("execute_request", {"code": code, "silent": False, "store_history": False})
    heard = []
    for message in desk.hear(120):
        if message.kind == "stream":
            heard.append(message.content["text"])
        elif message.kind == "error":
            heard.append(f"{message.content['ename']}: {message.content['evalue']}")
        elif message.kind == "execute_reply":
            break
    return "".join(heard)


def test_a_workspace_releases_through_the_hub_and_cannot_write_there_itself(
    furnished: LiveHub, desk: PageSocket
) -> None:
    told = run(
        desk,
        "import subprocess\n"
        f"done = subprocess.run(['kamp', 'publish', '{UNPUBLISHED}', '--json'],"
        " capture_output=True, text=True)\n"
        "print(done.stdout or done.stderr)",
    )
    assert json.loads(told)["by"] == "ann", told
    acme = tenant_named("acme", home=furnished.home)
    note = read_publication(acme.published / UNPUBLISHED)
    assert note is not None
    assert note.by == "ann"
    registry = open_registry(f"sqlite:///{furnished.home / 'platform.db'}")
    assert registry.audit_entries(subject="acme")[0].action == "publish"
    forged = f"/workspace/published/{RUN}/run.json"
    told = run(desk, f"open({forged!r}, 'w')")
    assert told.startswith("OSError: [Errno 30]") or "PermissionError" in told


def test_from_python_it_is_the_same(furnished: LiveHub, desk: PageSocket) -> None:
    told = run(
        desk,
        "from kamp_lib import open_tenant\n"
        f"print(open_tenant().publish('{UNPUBLISHED}').name)",
    )
    assert told.strip() == UNPUBLISHED


def test_a_kernel_of_a_page_sees_no_more_than_what_is_released(
    furnished: LiveHub,
) -> None:
    from hub.test_report_server import environment_of_kernel

    mina = reader(furnished, "mina")
    kernel = environment_of_kernel(open_page(mina))
    assert not [n for n in kernel if "TOKEN" in n or "HUB" in n or "TENANT" in n]
