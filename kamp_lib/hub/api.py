"""The hub's REST API, for our services: over its unix socket, with the service's token."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from kamp_lib.reports.release import SocketConnection

TIMEOUT_S = 30


@dataclass(frozen=True)
class HubUser:
    """A hub user, since when it is known, and its servers that run."""

    name: str
    created: datetime
    running: tuple[str, ...]


class HubApi:
    """Asks the hub; answers that are no success are `OSError`."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._socket = unquote(parts.netloc) if parts.scheme == "http+unix" else None
        self._host = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._token = token

    def users(self) -> list[HubUser]:
        """Everybody whom the hub knows: people and companies."""
        return [
            HubUser(
                user["name"],
                datetime.fromisoformat(user["created"].replace("Z", "+00:00")),
                tuple(
                    name
                    for name, server in (user.get("servers") or {}).items()
                    if server.get("ready") or server.get("pending") == "spawn"
                ),
            )
            for user in self._pages("/users?")
        ]

    def running(self) -> list[tuple[str, str]]:
        """All (company, server) that run or are about to."""
        return [(user.name, server) for user in self.users() for server in user.running]

    def forget(self, name: str) -> None:
        """Delete a hub user with all cookies, tokens and shares."""
        try:
            self.ask("DELETE", f"/users/{quote(name)}")
        except HubRefused as error:
            if error.status != 404:
                raise

    def stop(self, company: str, server: str) -> None:
        """Stop a server; one that has gone meanwhile is stopped, too."""
        where = f"/users/{quote(company)}/servers/{quote(server)}"
        try:
            self.ask("DELETE", where)
        except HubRefused as error:
            if error.status != 404:
                raise

    def _pages(self, path: str) -> Iterator[Any]:
        offset: int | None = 0
        while offset is not None:
            page = self.ask("GET", f"{path}&offset={offset}&limit=100")
            yield from page["items"]
            following = page["_pagination"]["next"]
            offset = following["offset"] if following else None

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request; returns the decoded answer."""
        connection = self._connect()
        try:
            connection.request(
                method,
                self._prefix + path,
                body=None if body is None else json.dumps(body),
                headers={
                    "Authorization": f"token {self._token}",
                    "Content-Type": "application/json",
                    "Accept": "application/jupyterhub-pagination+json",
                },
            )
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 400:
                raise HubRefused(answer.status, f"{method} {path}: {text[:200]!r}")
            return json.loads(text) if text else None
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._socket is None:
            return http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
        return SocketConnection(self._socket, TIMEOUT_S)


class HubRefused(OSError):
    """The hub answered, but not with success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"hub answered {status} to {message}")
        self.status = status
