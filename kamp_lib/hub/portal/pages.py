"""What the hub's own pages (`templates/portal`) may call: words, addresses, names.

JupyterHub gives a template no request, but it does give `static_url`, a method of the
handler that renders. From there the language of the reader is known on every page, the
sign-in and error pages too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from jupyterhub.utils import get_browser_protocol

from kamp_lib.errors import KampError
from kamp_lib.hub.portal import addresses, words
from kamp_lib.hub.portal.assets import asset_url
from kamp_lib.hub.portal.language import address_in, language_of
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.settings import settings
from kamp_lib.tenancy import tenant_named
from kamp_lib.text import Language

log = logging.getLogger(__name__)


def page_variables() -> dict[str, Callable[[Any], Callable[..., Any]]]:
    """`c.JupyterHub.template_vars`: each value is called with the user, once per page."""
    return {name: _given(function) for name, function in FUNCTIONS.items()}


def _given(function: Callable[..., Any]) -> Callable[[Any], Callable[..., Any]]:
    def for_user(_user: Any) -> Callable[..., Any]:
        return function

    return for_user


def _handler(context: Context) -> Any:
    return context["static_url"].__self__


@pass_context
def t(context: Context, key: str, **values: Any) -> str:
    """The words of `key`, in the reader's language."""
    return words.said(language_of(_handler(context)), key, **values)


@pass_context
def lang(context: Context) -> Language:
    return language_of(_handler(context))


@pass_context
def asset(context: Context, name: str) -> str:
    """One of our files, served by the hub."""
    return asset_url(context["base_url"], name)


@pass_context
def in_language(context: Context, other: Language) -> str:
    """This page in the other language."""
    return address_in(_handler(context), other)


@pass_context
def signed_in(context: Context) -> str | None:
    """Who reads this; `user` in the template may be the owner of a server instead."""
    person = _handler(context).current_user
    return person.name if person else None


@pass_context
def wake_url(context: Context, slug: str, server: str) -> str:
    """Where the portal starts this server, and opens what was asked for."""
    run = addresses.run_in(_handler(context).request.uri)
    more = f"?run={run}" if run else ""
    return f"{addresses.portal_url()}open/{slug}/{server}{more}"


@pass_context
def asked_server(context: Context) -> str:
    """The server that the address names; the hub knows no name that never ran."""
    found = re.search(r"/user/[^/?]+/([a-z][a-z0-9-]*)", _handler(context).request.path)
    return found.group(1) if found else addresses.REPORT


@pass_context
def company(context: Context, slug: str) -> str:
    """A company's name, or its id when the folder cannot be read."""
    try:
        return words.of(language_of(_handler(context)), tenant_named(slug).name)
    except KampError as error:
        log.warning("no name for the company %s: %s", slug, error.text.en)
        return slug


@pass_context
def insecure(context: Context) -> bool:
    """Whether a password would travel over a network without encryption."""
    request = _handler(context).request
    host = request.host_name
    here = host in ("localhost", "127.0.0.1", "[::1]") or host.endswith(".localhost")
    return get_browser_protocol(request) != "https" and not here


def landing() -> str:
    return addresses.portal_url()


@cache
def missing_walls() -> str | None:
    """Where companies are served without walls: the line that would give them walls."""
    walls = inspect_walls()
    if walls.stand or not settings().unsafe_no_walls:
        return None
    return next(problem.mend for problem in walls.problems if problem.needed)


def policy(scripts: bool = False) -> str:
    """The Content-Security-Policy of a page, beside the hub's own `frame-ancestors`.

    No page has a script or style of its own in it, so nothing that a name or a message
    smuggles in can run.
    """
    styles = "'self' 'unsafe-inline'" if scripts else "'self'"
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; font-src 'self';"
        " img-src 'self' data:; connect-src 'self'; base-uri 'none';"
        f" form-action {addresses.form_targets()}"
    )


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "t": t,
    "lang": lang,
    "asset": asset,
    "in_language": in_language,
    "signed_in": signed_in,
    "wake_url": wake_url,
    "asked_server": asked_server,
    "company": company,
    "insecure": insecure,
    "landing": landing,
    "missing_walls": missing_walls,
    "policy": policy,
}
