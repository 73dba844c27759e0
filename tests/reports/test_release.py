"""Releasing through the hub: its socket, its answers, and what people are told."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kamp_lib.errors import KampError
from kamp_lib.reports import release
from kamp_lib.tenancy import Tenant

RUN = "20261121-010203-injection-quality-ab12cd"
DONE = {
    "run": RUN,
    "tenant": "hanbit",
    "published": "2026-11-21T01:02:03Z",
    "by": "ann",
}


@contextmanager
def answering(path: Path, status: int, body: bytes) -> Iterator[list[Any]]:
    """A server on a unix socket that always says the same, and notes what it was asked."""
    asked: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            told = json.loads(self.rfile.read(length))
            asked.append((self.path, self.headers["Authorization"], told))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

        def address_string(self) -> str:
            return "socket"

    with socketserver.UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def workspace(
    bundles: Callable[..., Path],
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The environment of a workspace; returns where its hub's socket would be."""
    bundles(tenant.runs / RUN)
    socket = tmp_path / "hub.sock"
    monkeypatch.setenv("KAMP_TENANT_HOME", str(tenant.home))
    monkeypatch.setenv(
        "JUPYTERHUB_API_URL", f"http+unix://{quote(str(socket), safe='')}/hub/api"
    )
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    return socket


def test_a_workspace_asks_the_hub_and_writes_nothing(
    workspace: Path, tenant: Tenant
) -> None:
    with answering(workspace, 200, json.dumps(DONE).encode()) as asked:
        note = release.publish(tenant, "latest")
    assert asked == [("/hub/api/kamp/publish", "token secret", {"run": RUN})]
    assert (note.run, note.by) == (RUN, "ann")
    assert list(tenant.published.iterdir()) == []


def test_on_the_host_a_page_is_released_directly(
    bundles: Callable[..., Path], tenant: Tenant
) -> None:
    bundles(tenant.runs / RUN)
    note = release.publish(tenant, "latest", by="olga")
    assert (tenant.published / RUN).is_dir()
    assert note.by == "olga"
    assert release.withdraw(tenant, RUN[:12], by="olga").withdrawn_by == "olga"
    assert release.published(tenant) == []


def test_a_folder_opened_without_a_hub_is_released_directly(
    workspace: Path, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTERHUB_API_URL")
    release.publish(tenant, RUN)
    assert (tenant.published / RUN).is_dir()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (422, {"ko": "링크를 지우세요", "en": "remove the link"}, "링크를 지우세요"),
        (429, {"ko": "잠시 뒤", "en": "later"}, "잠시 뒤"),
        (403, {"status": 403, "message": "Forbidden"}, "받아 주지 않았습니다"),
        (500, {"status": 500, "message": "x"}, "오류가 나서"),
        (404, {}, "오류가 나서"),
    ],
)
def test_what_the_hub_says_is_told_in_plain_words(
    workspace: Path, tenant: Tenant, status: int, body: dict[str, Any], said: str
) -> None:
    answer = json.dumps(body).encode()
    with answering(workspace, status, answer), pytest.raises(KampError, match=said):
        release.publish(tenant, RUN)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff\xfe"])
def test_an_error_page_in_between_is_told_in_plain_words(
    workspace: Path, tenant: Tenant, body: bytes
) -> None:
    with answering(workspace, 502, body), pytest.raises(KampError, match="오류가 나서"):
        release.publish(tenant, RUN)


def test_a_hub_that_is_not_there_is_told_in_plain_words(
    workspace: Path, tenant: Tenant
) -> None:
    with pytest.raises(KampError, match="응답하지 않아"):
        release.publish(tenant, RUN)


def test_an_unknown_run_is_said_before_the_hub_is_asked(
    workspace: Path, tenant: Tenant
) -> None:
    with pytest.raises(KampError, match="없습니다"):
        release.publish(tenant, "20990101")
