"""A person whose role ends loses their running workspace, open channels included."""

from __future__ import annotations

import json
import secrets
import time

import pytest
import websocket
from hub.live_hub import PASSWORD, LiveHub, Visitor

from kamp_lib.hub.keeper import forbidden
from kamp_lib.tenancy import Role, open_registry
from kamp_lib.tenancy.registry import Registry

A_MINUTE = 60


@pytest.fixture
def registry(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("KAMP_HOME", str(hub.home))
    return open_registry()


@pytest.fixture
def analyst(registry: Registry) -> str:
    name = f"a{secrets.token_hex(4)}"
    first = registry.add_person(name, "분석가")
    registry.change_password(name, first, PASSWORD)
    registry.assign(name, "acme", Role.ANALYST)
    return name


def terminal(hub: LiveHub, visitor: Visitor, name: str) -> websocket.WebSocket:
    """An open terminal in a workspace."""
    base = f"{hub.of('acme')}/user/acme/{name}"
    visitor.open(f"{base}/lab")
    cookies = {c.name: c.value for c in visitor.session.cookies if c.path in base + "/"}
    xsrf = next(
        c.value
        for c in visitor.session.cookies
        if c.name == "_xsrf" and c.path == f"/user/acme/{name}/"
    )
    made = visitor.post(f"{base}/api/terminals", headers={"X-XSRFToken": str(xsrf)})
    assert made.status_code == 200, made.text
    sent = [
        f"{c.name}={c.value}"
        for c in visitor.session.cookies
        if c.domain == "acme.kamp.localhost"
    ]
    assert cookies
    address = f"{base}/terminals/websocket/{made.json()['name']}"
    return websocket.create_connection(
        address.replace("http://", "ws://"),
        cookie="; ".join(sent),
        origin=hub.of("acme"),
        timeout=A_MINUTE,
    )


@pytest.mark.e2e
def test_an_open_channel_closes_within_a_minute(
    hub: LiveHub, registry: Registry, analyst: str
) -> None:
    visitor = hub.visitor(analyst)
    assert visitor.start("acme", analyst).status_code in (201, 202)
    channel = terminal(hub, visitor, analyst)
    channel.send(json.dumps(["stdin", "echo ab$((1+1))cd\r"]))
    said, deadline = "", time.monotonic() + 20
    while "ab2cd" not in said and time.monotonic() < deadline:
        said += str(channel.recv())
    assert "ab2cd" in said, "the terminal works while the role is there"
    registry.unassign(analyst, "acme")
    began = time.monotonic()
    assert closes(channel)
    assert time.monotonic() - began < A_MINUTE


def closes(channel: websocket.WebSocket) -> bool:
    """Read until the other side hangs up; its time limit is a minute of silence."""
    try:
        while channel.recv() != "":
            continue
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        return True
    return True


def test_who_holds_no_role_may_not_run(hub: LiveHub, registry: Registry) -> None:
    running = [("acme", "ann"), ("acme", "report"), ("acme", "mina"), ("bolt", "ann")]
    assert forbidden(registry, running) == [("acme", "mina"), ("bolt", "ann")]


def test_nothing_of_a_suspended_company_may_run(
    hub: LiveHub, registry: Registry
) -> None:
    slug = f"c{secrets.token_hex(4)}"
    registry.add_sme(slug, "정지될 기업")
    assert forbidden(registry, [(slug, "report")]) == []
    registry.suspend(slug)
    assert forbidden(registry, [(slug, "report")]) == [(slug, "report")]
