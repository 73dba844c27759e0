"""What `hub_config.py` takes from the portal: the service, its roles, who may visit it."""

from __future__ import annotations

from typing import Any

from jupyterhub.utils import random_port

from kamp_lib.hub.portal.addresses import NAME
from kamp_lib.hub.service import service_command
from kamp_lib.settings import settings

# Everybody who may sign in needs this, people without any company too: the portal is
# what tells them so.
VISIT = f"access:services!service={NAME}"
# The most that the portal may do in a visitor's name; the hub cuts it down to what this
# visitor holds. It can open no server, read no user and make no token.
ON_BEHALF = ["read:servers", "start:servers", "delete:servers", "list:users"]


def portal_service(port: int | None = None) -> dict[str, Any]:
    """The entry of `c.JupyterHub.services`; on a free port of loopback when none is named.

    JupyterHub takes no unix socket here. No server of a company reaches the port (they
    have no network), and who reaches it still has to sign in.
    """
    s = settings()
    environment = {
        "KAMP_HOME": str(s.home.absolute()),
        "KAMP_DATABASE": s.database_url,
        "KAMP_HUB_URL": s.hub_url,
        "KAMP_LANG": s.lang,
        "KAMP_TEMPLATES": str(s.templates.absolute()),
        "KAMP_UNSAFE_NO_WALLS": str(s.unsafe_no_walls),
    }
    return {
        "name": NAME,
        "url": f"http://127.0.0.1:{port or random_port()}",
        "command": service_command("kamp_lib.hub.portal"),
        "environment": environment,
        "oauth_client_allowed_scopes": ON_BEHALF,
        # part of the platform: nobody is asked whether their own start page may know them
        "oauth_no_confirm": True,
        "display": False,
    }


def portal_roles() -> list[dict[str, Any]]:
    """Roles of the service's own token: none, it acts with its visitors' rights only."""
    return []
