"""The landing page: reports, workspaces, and for an operator the platform."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado import web

from kamp_lib.catalog import equipment_types
from kamp_lib.hub.disk import GB, usages
from kamp_lib.hub.portal.addresses import REPORT, deep_path, server_url
from kamp_lib.hub.portal.base import Page
from kamp_lib.hub.portal.hub import Server
from kamp_lib.hub.portal.shelf import Released, released
from kamp_lib.hub.portal.view import Membership
from kamp_lib.settings import settings
from kamp_lib.tenancy import Role, Sme
from kamp_lib.text import Text

SHOWN = 60


@dataclass(frozen=True)
class Card:
    """One company on the page."""

    membership: Membership
    reports: list[Released]
    report_server: Server
    workspace: Server | None

    @property
    def sme(self) -> Sme:
        return self.membership.sme

    @property
    def current(self) -> list[Released]:
        return [report for report in self.reports if report.current]

    @property
    def earlier(self) -> list[Released]:
        return [report for report in self.reports if not report.current]

    @property
    def equipment(self) -> list[Text]:
        return equipment_names(self.sme)

    @property
    def roles(self) -> list[Role]:
        return sorted(self.membership.roles)

    @property
    def changing(self) -> bool:
        """Whether a server is on its way up or down, so that the page looks again."""
        servers = [self.report_server, self.workspace]
        return any(s and s.state in ("starting", "stopping") for s in servers)

    def report_url(self, run: str, lang: str) -> str:
        slug = self.sme.slug
        return f"{server_url(slug, REPORT)}{deep_path(slug, REPORT, run)}?lang={lang}"

    @property
    def workspace_url(self) -> str:
        return server_url(self.sme.slug, self.workspace.name if self.workspace else "")


def equipment_names(sme: Sme) -> list[Text]:
    """The company's equipment in people's words."""
    known = equipment_types()
    return [known[kind].label for kind in sme.equipment if kind in known]


class HomePage(Page):
    """`/services/portal/`"""

    @web.authenticated
    async def get(self) -> None:
        if self.renew():
            return
        cards = await asyncio.gather(*map(self._card, self.visitor.memberships))
        running = await self.hub.running() if self._operates() else []
        self.show(
            "home.html",
            cards=cards,
            waiting=self.lacks_rights(),
            changing=any(c.changing for c in cards)
            or any(s.state in ("starting", "stopping") for s in running),
            platform=self._platform(running),
        )

    async def _card(self, membership: Membership) -> Card:
        slug = membership.sme.slug
        stopped = Server(slug, REPORT)
        if membership.suspended:
            return Card(membership, [], stopped, None)
        folder = _published(slug)
        reports, report_server, workspace = await asyncio.gather(
            asyncio.to_thread(released, folder, SHOWN),
            self.hub.server(slug, REPORT),
            self._workspace(membership),
        )
        return Card(membership, reports, report_server, workspace)

    async def _workspace(self, membership: Membership) -> Server | None:
        if not membership.works:
            return None
        return await self.hub.server(membership.sme.slug, self.visitor.person.name)

    def _operates(self) -> bool:
        # the registry says so, and so does the token that the hub gave
        held = self.current_user or {"scopes": []}
        return self.visitor.person.operator and bool(
            self.hub_auth.check_scopes("list:users", held)
        )

    def _platform(self, running: list[Server]) -> dict[str, Any] | None:
        if not self.visitor.person.operator:
            return None
        companies = self.visitor.companies
        known = {sme.slug: sme for sme in companies}
        return {
            "companies": companies,
            "servers": [s for s in running if s.company in known],
            "names": {slug: sme.name for slug, sme in known.items()},
            "used": {slug: _gb(u.used) for slug, u in usages(_home()).items()},
            "people": {p.name: p.display_name for p in self.visitor.people},
        }


def _published(slug: str) -> Path:
    # a slug of the registry follows the rule for folder names
    return _home() / "tenants" / slug / "published"


def _home() -> Path:
    return settings().home.absolute()


def _gb(size: int) -> str:
    """Gigabytes with one decimal, as far as anything is there."""
    return "0" if size == 0 else f"{max(size / GB, 0.1):,.1f}"
