"""The keeper: every few seconds, ends what the registry no longer allows.

Rights are taken from a person at their next request. Their running workspace, with its
open channels, is ended here; and what the hub remembers of somebody who has gone (cookies,
tokens, shares) is forgotten, so that nobody of the same name inherits it. A hub service:
`python -m kamp_lib.hub.keeper`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from typing import Any

from kamp_lib.errors import KampError
from kamp_lib.hub.api import HubApi, HubUser
from kamp_lib.hub.roles import REPORT, may_run
from kamp_lib.tenancy import Registry, open_registry

EVERY_S = 10
log = logging.getLogger("kamp.keeper")


def forbidden(
    registry: Registry, running: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of the running (company, server) that may not run any more."""
    active = {sme.slug for sme in registry.smes() if sme.status == "active"}
    people = {name for _, name in running if name != REPORT}
    access = {name: registry.access(name) for name in people}
    return [
        (slug, name)
        for slug, name in running
        if slug not in active or (name != REPORT and not may_run(access[name], slug))
    ]


def strangers(registry: Registry, users: list[HubUser]) -> list[str]:
    """Hub users whom the registry does not know, or knows as somebody newer."""
    since = {p.name: p.created for p in registry.people()}
    since |= {sme.slug: sme.created for sme in registry.smes()}
    return [
        user.name
        for user in users
        if user.name not in since
        or ((born := since[user.name]) is not None and user.created < born)
    ]


def round_once(api: HubApi, registry: Registry) -> list[str]:
    """One look; returns what was ended, as the audit names it."""
    users = api.users()  # before the registry: who joins meanwhile is no stranger
    running = [(user.name, server) for user in users for server in user.running]
    ended = []
    for slug, name in forbidden(registry, running):
        api.stop(slug, name)
        registry.audit("keeper", "stop-server", slug, {"server": name})
        ended.append(f"{slug}/{name}")
    busy = {slug for slug, _ in running}
    for name in strangers(registry, users):
        if name not in busy:
            api.forget(name)
            registry.audit("keeper", "forget-user", name, {})
            ended.append(name)
    for what in ended:
        log.info("ended %s: not allowed any more", what)
    return ended


def main(environment: Any = os.environ) -> None:
    """Look, wait, look again, until the hub ends this process."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    api = HubApi(environment["JUPYTERHUB_API_URL"], environment["JUPYTERHUB_API_TOKEN"])
    registry = open_registry()
    while True:
        try:
            round_once(api, registry)
        except (OSError, KampError) as error:
            # the hub restarts, the database is away: say so, and look again
            log.warning("could not look: %s", error)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # how the hub ends its services
        main()
