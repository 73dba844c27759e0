"""The report server inside the real walls, and what a workspace's server leaves open."""

from __future__ import annotations

import pytest
import requests
from hub.live_hub import LiveHub
from hub.report_hub import RUN, address, furnish, open_page, reader

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
