"""Releasing pages from wherever somebody works.

In a workspace `published/` is read-only, so the hub's service is asked through its socket;
on the host it is done directly.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from kamp_lib.errors import KampError
from kamp_lib.reports import notes, publication
from kamp_lib.reports.notes import Publication
from kamp_lib.runs import open_run
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant

# the service gives up before that, and says so
TIMEOUT_S = 200
LARGEST_ANSWER = 2**20


def publish(tenant: Tenant, run: str, *, by: str | None = None) -> Publication:
    """Release a run's page; `run` is an id, the start of one, or `latest`.

    Raises
    ------
    KampError
        When the run cannot be released, or the hub does not answer.
    """
    name = open_run(tenant, run).path.name
    hub = _hub()
    if hub is not None:
        return hub.ask("publish", name)
    folder = publication.publish(tenant, name, by=by)
    note = notes.read_publication(folder)
    assert note is not None  # noqa: S101 - it has just been written
    return note


def withdraw(tenant: Tenant, run: str, *, by: str | None = None) -> Publication:
    """Take a released page back."""
    name = notes.published_run(tenant, run)
    hub = _hub()
    if hub is not None:
        return hub.ask("withdraw", name)
    return publication.withdraw(tenant, name, by=by)


def published(tenant: Tenant, *, withdrawn: bool = False) -> list[Publication]:
    """What is released, newest first; everybody may read that for themselves."""
    return notes.list_publications(tenant, withdrawn=withdrawn)


def through_hub() -> bool:
    """Whether releases go through the hub from here."""
    return _hub() is not None


@dataclass(frozen=True)
class _Hub:
    """The publishing service, as this workspace reaches it."""

    url: str
    token: str

    def ask(self, action: str, run: str) -> Publication:
        status, answer = self._post(f"/kamp/{action}", {"run": run})
        if status == 200:
            return Publication.model_validate(answer)
        if {"ko", "en"} <= set(answer):
            raise KampError(answer["ko"], answer["en"])
        if status == 403:
            raise KampError(
                "허브가 이 작업공간의 게시 요청을 받아 주지 않았습니다."
                " 작업공간을 다시 시작해 보시고, 계속되면 운영자에게 문의하세요.",
                "the hub did not accept this from your workspace; restart the workspace,"
                " or ask the operator.",
            )
        raise KampError(
            f"허브에서 오류가 나서 처리하지 못했습니다({status}). 운영자에게 알려 주세요.",
            f"the hub failed ({status}); tell the operator.",
        )

    def _post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(self.url)
        connection: http.client.HTTPConnection
        if parts.scheme == "http+unix":
            connection = SocketConnection(unquote(parts.netloc), TIMEOUT_S)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
        headers = {
            "Authorization": f"token {self.token}",
            "Content-Type": "application/json",
        }
        try:
            address = parts.path.rstrip("/") + path
            connection.request("POST", address, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, _decoded(answer.read(LARGEST_ANSWER))
        except (OSError, http.client.HTTPException) as error:
            raise KampError(
                "허브가 응답하지 않아 처리하지 못했습니다. 잠시 뒤 다시 하시고,"
                " 계속되면 운영자에게 알려 주세요.",
                f"the hub does not answer ({error}); try again in a moment,"
                " or tell the operator.",
            ) from error
        finally:
            connection.close()


def _hub() -> _Hub | None:
    """The hub whose workspace this is; None on the host, or in a workspace without one."""
    url = os.environ.get("JUPYTERHUB_API_URL")
    token = os.environ.get("JUPYTERHUB_API_TOKEN")
    if settings().tenant_home is None or not url or not token:
        return None
    return _Hub(url, token)


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:  # an error page of something in between
        return {}
    return answer if isinstance(answer, dict) else {}


class SocketConnection(http.client.HTTPConnection):
    """HTTP through a unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
