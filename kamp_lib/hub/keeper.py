"""The keeper: every few seconds, ends the servers that the registry no longer allows.

Rights are taken from a person at their next request; their running workspace, with its
open channels, is ended here. A hub service: `python -m kamp_lib.hub.keeper`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from typing import Any

from kamp_lib.hub.api import HubApi
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


def round_once(api: HubApi, registry: Registry) -> list[tuple[str, str]]:
    """One look; returns what was ended."""
    ended = forbidden(registry, api.running())
    for slug, name in ended:
        api.stop(slug, name)
        registry.audit("keeper", "stop-server", slug, {"server": name})
        log.info("ended %s of %s: not allowed any more", name, slug)
    return ended


def main(environment: Any = os.environ) -> None:
    """Look, wait, look again, until the hub ends this process."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    api = HubApi(environment["JUPYTERHUB_API_URL"], environment["JUPYTERHUB_API_TOKEN"])
    registry = open_registry()
    while True:
        try:
            round_once(api, registry)
        except OSError as error:
            # the hub restarts, the disk is full: say so, and look again
            log.warning("could not look: %s", error)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # how the hub ends its services
        main()
