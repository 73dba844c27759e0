"""The hub's REST API with a visitor's own token: the hub decides what they may do."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, ClientTimeout
from jupyterhub.httpclient import fetch

log = logging.getLogger(__name__)

State = Literal["stopped", "starting", "running", "stopping"]
ASK_S = 20
# the hub answers a start once the server is there, or after a while in any case
START_S = 150
FOLLOW_S = 300
LONGEST_LINE = 20_000
PAGE = 100
MOST_PAGES = 20


@dataclass(frozen=True)
class Server:
    """One server as the hub knows it."""

    company: str
    name: str
    state: State = "stopped"
    started: datetime | None = None
    last_activity: datetime | None = None


class HubRefused(Exception):
    """The hub said no, or nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Hub:
    """The hub, asked in one visitor's name."""

    def __init__(self, api_url: str, token: str) -> None:
        self._url = api_url.rstrip("/")
        self._token = token

    async def server(self, company: str, name: str) -> Server:
        """One server; stopped when it has never run, or may not be seen."""
        try:
            answer = await self._ask("GET", _path(company, name))
        except HubRefused as refused:
            if refused.status in (403, 404):
                return Server(company, name)
            raise
        return _server(company, answer)

    async def running(self) -> list[Server]:
        """All servers of everybody that are not stopped (operators only)."""
        found = []
        for page in range(MOST_PAGES):
            path = f"/users?state=active&offset={page * PAGE}&limit={PAGE}"
            users = await self._ask("GET", path)
            found += [
                _server(user["name"], model)
                for user in users
                for model in (user.get("servers") or {}).values()
            ]
            if len(users) < PAGE:
                break
        return [server for server in found if server.state != "stopped"]

    async def start(self, company: str, name: str) -> None:
        """Start a server; returns when it runs or takes its time."""
        await self._ask("POST", _path(company, name), seconds=START_S)

    async def stop(self, company: str, name: str) -> None:
        """Stop a server; returns when it has stopped or takes its time."""
        await self._ask("DELETE", _path(company, name), seconds=START_S)

    async def progress(
        self, company: str, name: str
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a start, until it is ready or has failed.

        Raises
        ------
        HubRefused
            With 400 when the server is not starting (yet).
        """
        answer = await self._fetch("GET", _path(company, name) + "/progress", FOLLOW_S)
        try:
            if answer.status != 200:
                raise await _refused(answer)
            async for line in answer.content:
                if line.startswith(b"data:") and len(line) <= LONGEST_LINE:
                    yield json.loads(line[5:])
        except (ClientError, TimeoutError, ValueError) as error:
            raise HubRefused(502, "the events broke off") from error
        finally:
            answer.close()

    async def failure(self, company: str, name: str) -> str | None:
        """Why the last start of a stopped server failed; None when it did not."""
        try:
            async with contextlib.aclosing(self.progress(company, name)) as events:
                async for event in events:
                    if event.get("failed") is True:
                        return str(event.get("message", ""))
        except HubRefused as refused:
            if refused.status not in (400, 404):
                raise
        return None

    async def _ask(self, method: str, path: str, seconds: float = ASK_S) -> Any:
        answer = await self._fetch(method, path, seconds)
        try:
            if answer.status >= 400:
                raise await _refused(answer)
            text = await answer.text()
        except (ClientError, TimeoutError) as error:
            raise HubRefused(502, "the answer broke off") from error
        finally:
            answer.close()
        return json.loads(text) if text.startswith(("{", "[")) else None

    async def _fetch(self, method: str, path: str, seconds: float) -> ClientResponse:
        try:
            return await fetch(
                self._url + path,
                method=method,
                raise_for_status=False,
                headers={"Authorization": f"token {self._token}"},
                timeout=ClientTimeout(total=seconds),
            )
        except (ClientError, TimeoutError, OSError) as error:
            log.warning("the hub does not answer %s %s: %s", method, path, error)
            raise HubRefused(502, "the hub does not answer") from error


def _path(company: str, name: str) -> str:
    return f"/users/{quote(company, safe='')}/servers/{quote(name, safe='')}"


async def _refused(answer: ClientResponse) -> HubRefused:
    try:
        message = str(json.loads(await answer.text()).get("message", ""))
    except (ValueError, AttributeError):
        message = ""
    return HubRefused(answer.status, message)


def _server(company: str, model: dict[str, Any]) -> Server:
    if model.get("pending"):
        state: State = "stopping" if model["pending"] == "stop" else "starting"
    else:
        state = "running" if model.get("ready") else "stopped"
    return Server(
        company,
        model["name"],
        state,
        _time(model.get("started")),
        _time(model.get("last_activity")),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
