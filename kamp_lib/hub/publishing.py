"""Releasing pages for workspaces, which see `published/` read-only.

    POST /hub/api/kamp/publish     {"run": "<id>"}
    POST /hub/api/kamp/withdraw    {"run": "<id>"}
    GET  /hub/api/kamp/published

Whose page it is and who releases it follows from the secret that the hub gave one
workspace when it started it, never from what is asked. The copying is done by a process
of its own (`publish_job.py`), a few at a time, and ends as one line in the audit.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import compare_token
from tornado import web

from kamp_lib.errors import KampError
from kamp_lib.hub.roles import REPORT, may_run
from kamp_lib.reports.notes import list_publications
from kamp_lib.runs.bundle import RUN_ID
from kamp_lib.settings import settings
from kamp_lib.tenancy import Registry, Sme, open_registry, tenant_named
from kamp_lib.text import Text

AT_ONCE = 2
A_MINUTE = 20
JOB_S = 180
LARGEST_BODY = 4096
# what a job needs of the hub's environment: no token, no secret, no database
ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH"),
    *("KAMP_LANG", "KAMP_TEMPLATES"),
)


def publishing_handlers() -> list[tuple[str, type]]:
    """The addresses, below `/hub`."""
    return [
        (r"/api/kamp/publish", PublishHandler),
        (r"/api/kamp/withdraw", WithdrawHandler),
        (r"/api/kamp/published", PublishedHandler),
    ]


@dataclass(frozen=True)
class Workspace:
    """The running workspace that asks: one company, one person."""

    slug: str
    person: str


class Refusal(Exception):
    """An answer for people, with its HTTP status."""

    def __init__(self, status: int, ko: str, en: str) -> None:
        super().__init__(ko, en)
        self.status, self.text = status, Text(ko, en)


class Turns:
    """One release per company at a time, a few in all, and so many a minute."""

    def __init__(self) -> None:
        self._busy: set[str] = set()
        self._asked: dict[str, deque[float]] = defaultdict(deque)
        self._all = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def of(self, slug: str) -> AsyncIterator[None]:
        now, asked = time.monotonic(), self._asked[slug]
        while asked and now - asked[0] > 60:
            asked.popleft()
        if slug in self._busy or len(asked) >= A_MINUTE:
            raise Refusal(
                429,
                "이 기업의 게시 작업이 이미 진행 중이거나 너무 잦습니다. 잠시 뒤 다시 하세요.",
                "this company is publishing already, or too often; try again in a moment.",
            )
        asked.append(now)
        self._busy.add(slug)
        try:
            async with self._all:
                yield
        finally:
            self._busy.discard(slug)


class _Handler(APIHandler):
    """What the three addresses share: who asks, and answers for people."""

    # only a server's own secret counts, never the cookie of a browser
    _accept_cookie_auth = False
    _turns: Turns | None = None
    _registry: Registry | None = None

    @property
    def turns(self) -> Turns:
        if _Handler._turns is None:
            _Handler._turns = Turns()
        return _Handler._turns

    @property
    def registry(self) -> Registry:
        if _Handler._registry is None:
            _Handler._registry = open_registry()
        return _Handler._registry

    async def workspace(self) -> tuple[Workspace, Sme]:
        """The workspace whose secret came along, of somebody who still works there."""
        found = self._server_of_token()
        if found is not None and found.person not in ("", REPORT):
            sme, access = await asyncio.to_thread(self._ask_registry, found)
            if sme.status == "active" and may_run(access, found.slug):
                return found, sme
        raise web.HTTPError(403)

    def _ask_registry(self, found: Workspace) -> tuple[Sme, Any]:
        return self.registry.sme(found.slug), self.registry.access(found.person)

    def _server_of_token(self) -> Workspace | None:
        """The running server that the hub gave this token to.

        A hub user has many tokens: of each of its servers, and of whoever was let in by
        OAuth. Its scopes say which server a token is of; that it is the secret of that
        server's own OAuth client proves it, for only the server itself was given that.
        """
        token = self.get_auth_token()
        known = orm.APIToken.find(self.db, token, kind="user") if token else None
        if known is None:
            return None
        access = f"access:servers!server={known.user.name}/"
        named = {s.removeprefix(access) for s in known.scopes if s.startswith(access)}
        for name, spawner in known.user.orm_spawners.items():
            client, running = spawner.oauth_client, spawner.server is not None
            if name not in named or client is None or not running:
                continue
            if client.secret and compare_token(client.secret, token):
                return Workspace(known.user.name, name)
        return None

    def run_asked_for(self) -> str:
        body = self.request.body
        try:
            asked = json.loads(body) if len(body) <= LARGEST_BODY else None
        except (ValueError, RecursionError):
            asked = None
        run = asked.get("run") if isinstance(asked, dict) else None
        if not isinstance(run, str) or not RUN_ID.fullmatch(run):
            raise Refusal(
                400, "분석 실행 ID가 올바르지 않습니다.", "this is not the id of a run."
            )
        return run

    async def carry_out(self, action: str) -> None:
        """One job of the service, from the request to the audit."""
        try:
            asking, sme = await self.workspace()
            run = self.run_asked_for()
            async with self.turns.of(asking.slug):
                done = await run_job(action, asking, run, sme.plan.disk_gb * 2**30)
        except Refusal as refusal:
            self.set_status(refusal.status)
            self.finish(refusal.text.model_dump())
            return
        detail = {k: done.get(k) for k in ("run", "model", "dataset")}
        await asyncio.to_thread(
            self.registry.audit, asking.person, action, asking.slug, detail
        )
        self.finish(done)


class PublishHandler(_Handler):
    """Release a run's page."""

    async def post(self) -> None:
        await self.carry_out("publish")


class WithdrawHandler(_Handler):
    """Take a released page back."""

    async def post(self) -> None:
        await self.carry_out("withdraw")


class PublishedHandler(_Handler):
    """What is released, and what was taken back."""

    async def get(self) -> None:
        asking, _ = await self.workspace()
        tenant = await asyncio.to_thread(tenant_named, asking.slug)
        notes = await asyncio.to_thread(list_publications, tenant, withdrawn=True)
        shown = [note.model_dump(mode="json", exclude={"sha256"}) for note in notes]
        self.finish({"published": shown})


async def run_job(
    action: str, asking: Workspace, run: str, most: int
) -> dict[str, Any]:
    """Have a process of its own do it: a hostile bundle may cost it its life, not ours.

    Raises
    ------
    Refusal
        When it cannot be done (422), or takes too long (503).
    """
    job = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kamp_lib.hub.publish_job", action),
        *(asking.slug, run, "--by", asking.person, "--most", str(most)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
    )
    try:
        said, complaint = await asyncio.wait_for(job.communicate(), JOB_S)
    except TimeoutError as error:
        job.kill()
        await job.wait()
        raise Refusal(
            503,
            "게시가 너무 오래 걸려 멈췄습니다. 잠시 뒤 다시 하세요.",
            "publishing took too long and was stopped; try again in a moment.",
        ) from error
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError as error:
        raise KampError(
            "게시 작업이 대답 없이 끝났습니다.",
            f"the job ended without an answer: {complaint.decode(errors='replace')[-500:]}",
        ) from error
    if "refused" in answer:
        raise Refusal(422, answer["refused"]["ko"], answer["refused"]["en"])
    return answer


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    return {**kept, "KAMP_HOME": str(settings().home.absolute())}
