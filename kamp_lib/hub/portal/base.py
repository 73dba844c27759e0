"""Every page of the portal: who visits, in which language, under which policy."""

from __future__ import annotations

import asyncio
import logging
from functools import cache, partial
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyterhub.services.auth import (
    HubOAuth,
    HubOAuthCallbackHandler,
    HubOAuthenticated,
)
from tornado import web

from kamp_lib.hub.portal import addresses, words
from kamp_lib.hub.portal.assets import asset_url
from kamp_lib.hub.portal.hub import Hub, HubRefused
from kamp_lib.hub.portal.language import address_in, language_of
from kamp_lib.hub.portal.pages import missing_walls, policy
from kamp_lib.hub.portal.view import Visitor, visitor_named
from kamp_lib.reports import numbers
from kamp_lib.settings import settings
from kamp_lib.tenancy import Person
from kamp_lib.text import Text

log = logging.getLogger(__name__)

# A removal or a new role shows on the next page view, not minutes later.
REMEMBERED_S = 2
# After asking the hub for new rights once, how long not to ask again.
RENEWED = "kamp_renewed"
RENEWED_S = 5
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@cache
def templates() -> Environment:
    """Our templates; everything that is not markup of ours is escaped."""
    return Environment(
        loader=FileSystemLoader(settings().templates / "portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(
    handler: web.RequestHandler,
    template: str,
    *,
    person: Person | None = None,
    xsrf: str = "",
    **values: Any,
) -> str:
    """A template of the portal with everything that its frame asks for."""
    lang = language_of(handler)
    return (
        templates()
        .get_template(f"service/{template}")
        .render(
            t=partial(words.said, lang),
            of=partial(words.of, lang),
            lang=lambda: lang,
            asset=partial(asset_url, addresses.PREFIX),
            in_language=partial(address_in, handler),
            landing=lambda: addresses.PREFIX,
            missing_walls=missing_walls,
            policy=policy,
            hub_page=addresses.hub_page,
            person=person,
            xsrf=xsrf,
            n=numbers,
            **values,
        )
    )


class Page(HubOAuthenticated, web.RequestHandler):
    """A page for a signed-in visitor."""

    visitor: Visitor

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header(
            "Content-Security-Policy", f"{policy()}; frame-ancestors 'none'"
        )

    async def prepare(self) -> None:
        self._refuse_other_origins()
        # asked here, without blocking others; `current_user` then knows the answer
        await self.hub_auth.get_user(self, sync=False)
        if self.current_user is None:
            return  # `authenticated` leads to the sign-in
        name = self.current_user["name"]
        found = await asyncio.to_thread(visitor_named, self.settings["registry"], name)
        if found is None:
            raise web.HTTPError(403, f"{name} is not in the registry")
        self.visitor = found

    def _refuse_other_origins(self) -> None:
        """A form of another origin, a sibling sub-domain's too, is not the visitor's will."""
        site = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        if self.request.method not in ("GET", "HEAD") and site != "same-origin":
            raise web.HTTPError(403, "posted from another origin")

    @property
    def hub(self) -> Hub:
        """The hub, with this visitor's rights."""
        return Hub(self.hub_auth.api_url, self.hub_auth.get_token(self))

    def lacks_rights(self) -> bool:
        """Whether the token is older than the visitor's newest role."""
        held = self.current_user or {"scopes": []}
        return any(
            not self.hub_auth.check_scopes(needed, held)
            for needed in self.visitor.scopes()
        )

    def renew(self) -> bool:
        """Fetch a token with the newest rights, at most once in a few seconds."""
        if not self.lacks_rights() or self.get_cookie(RENEWED):
            return False
        self.set_cookie(RENEWED, "1", max_age=RENEWED_S, httponly=True, samesite="Lax")
        self.redirect(self.get_login_url())
        return True

    def show(self, template: str, **values: Any) -> None:
        """One page in the visitor's language."""
        known = getattr(self, "visitor", None)
        xsrf = self.xsrf_token.decode("ascii") if known else ""
        person = known.person if known else None
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(rendered(self, template, person=person, xsrf=xsrf, **values))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """One sentence for the visitor; the log has the rest."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, HubRefused):
            status_code = error.status if error.status in (403, 404, 429) else 503
            self.set_status(status_code)
        key = f"error.{status_code}"
        if key not in words.catalogue():
            key = "error.500" if status_code >= 500 else "error.400"
        self.show("message.html", message=words.catalogue()[key], code=status_code)

    def company_name(self, slug: str) -> Text:
        return next(m.sme.name for m in self.visitor.memberships if m.sme.slug == slug)


class Callback(HubOAuthCallbackHandler):
    """Where the hub sends visitors back to; its errors look like ours."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        message = words.catalogue()["error.sign_in"]
        self.set_header("Content-Security-Policy", policy())
        self.finish(rendered(self, "message.html", message=message, code=status_code))


class Missing(Page):
    """Everything that is no address of ours."""

    async def prepare(self) -> None:
        raise web.HTTPError(404)


def hub_oauth() -> HubOAuth:
    """How the portal learns who visits."""
    auth = HubOAuth.instance()
    auth.cache_max_age = REMEMBERED_S
    # lax: a visitor who comes from a mail or from an identity provider is still known
    auth.cookie_options = {"SameSite": "Lax", **auth.cookie_options}
    return auth
