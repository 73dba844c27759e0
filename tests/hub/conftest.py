"""One real hub for all tests that need one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub.live_hub import LiveHub, running_hub, settle
from hub.portal_hub import running_portal_hub
from hub.report_hub import furnish, running_report_hub


@pytest.fixture(autouse=True, scope="session")
def _names_below_localhost() -> Iterator[None]:
    """Browsers resolve `*.localhost` to loopback by themselves; Python does not."""
    asked = socket.getaddrinfo

    def answer(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if isinstance(name, str) and name.endswith(".localhost"):
            host = "127.0.0.1"
        return asked(host, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", answer)
        yield


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """Our hub with two companies (acme, bolt) and their people."""
    home: Path = tmp_path_factory.mktemp("hub") / "kamp"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        settle(home)
    with running_hub(home) as running:
        yield running


@pytest.fixture(scope="session")
def portal_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """The platform's portal, pages and rights over stub servers: up in seconds."""
    home: Path = tmp_path_factory.mktemp("portal") / "kamp"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        settle(home)
    with running_portal_hub(home) as running:
        yield running


@pytest.fixture(scope="module")
def report_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """Real report servers with published pages, without walls; persons' servers are stubs."""
    home: Path = tmp_path_factory.mktemp("report") / "kamp"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        settle(home)
        furnish(home)
    with running_report_hub(home) as running:
        yield running
