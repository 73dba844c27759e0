"""Where things are: the portal's origin and the servers', as the hub computes them."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote, urlsplit

from jupyterhub.utils import subdomain_hook_idna

from kamp_lib.runs.bundle import RUN_ID
from kamp_lib.settings import settings

NAME = "portal"
PREFIX = f"/services/{NAME}/"
REPORT = "report"
LONGEST_RUN = 120


def portal_url() -> str:
    """Everybody's landing page."""
    return _origin(NAME, "service") + PREFIX


def hub_page(path: str) -> str:
    """A page of the hub itself, for example `logout`."""
    return f"{settings().hub_url.rstrip('/')}/hub/{path}"


def server_url(slug: str, server: str) -> str:
    """One server of a company, on the company's own origin."""
    return f"{_origin(slug, 'user')}/user/{quote(slug)}/{quote(server)}/"


def deep_path(slug: str, server: str, run: str | None) -> str:
    """What to open inside a server: a named report, otherwise its first page.

    Nothing that came with a request becomes part of an address, except a run's id.
    """
    if server == REPORT and run and len(run) <= LONGEST_RUN and RUN_ID.fullmatch(run):
        return f"report/{slug}/{run}"
    return ""


def run_in(path: str) -> str | None:
    """The run that an address of a report server names, if it names one."""
    found = re.search(rf"/report/[a-z0-9-]+/({RUN_ID.pattern})(?:[/?]|$)", path)
    return found.group(1) if found else None


def form_targets() -> str:
    """Where a form of ours may lead (Content-Security-Policy): us and our sub-domains."""
    address = urlsplit(settings().hub_url)
    return f"'self' {address.scheme}://{address.netloc} {address.scheme}://*.{address.netloc}"


def _origin(name: str, kind: Literal["user", "service"]) -> str:
    address = urlsplit(settings().hub_url)
    host = subdomain_hook_idna(name, address.hostname, kind=kind)
    port = f":{address.port}" if address.port else ""
    return f"{address.scheme}://{host}{port}"
