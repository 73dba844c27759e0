"""The hub's configuration: one function per concern, each setting with its reason.

A function only sets; `hub_config.py` calls them in order and reads like a table of
contents. Tests hold each to a bare `traitlets.Config`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from traitlets.config import Config

from kamp_lib.hub.clients import KnownClients
from kamp_lib.hub.portal import (
    page_variables,
    portal_roles,
    portal_service,
    portal_url,
)
from kamp_lib.hub.roles import EVERYBODY
from kamp_lib.hub.service import service_command
from kamp_lib.hub.sockets import socket_url
from kamp_lib.hub.walls import require_walls
from kamp_lib.settings import Settings
from kamp_lib.tenancy import list_tenants


def state(c: Config, s: Settings) -> None:
    """What the hub remembers, in a folder that nobody else may enter."""
    folder = s.hub_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    c.JupyterHub.db_url = s.hub_database or f"sqlite:///{folder / 'hub.sqlite'}"
    c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
    c.JupyterHub.pid_file = str(folder / "hub.pid")
    # a hub of the last release opens with this one; the old file is kept beside it
    c.JupyterHub.upgrade_db = True


def network(c: Config, s: Settings) -> None:
    """One public door, the proxy; hub and proxy talk through sockets in the hub's folder."""
    address = urlsplit(s.hub_url)
    port = s.hub_port or address.port or (443 if address.scheme == "https" else 80)
    c.JupyterHub.bind_url = f"http://{s.hub_bind}:{port}/"
    # Every company gets an origin of its own, and with it its own storage and cookies: a
    # script in one company's notebook cannot reach another's pages.
    c.JupyterHub.subdomain_host = s.hub_url.rstrip("/")
    # __Host- cookies cannot be planted by a neighbouring sub-domain; browsers take them over TLS only
    c.JupyterHub.cookie_host_prefix_enabled = address.scheme == "https"
    # The folder of the hub's socket is mounted into every sandbox, read-only: it is the
    # only way out, so it holds nothing else, and every sandbox's user may connect to it.
    api = s.hub_folder / "api"
    api.mkdir(mode=0o755, exist_ok=True)
    api.chmod(0o755)
    c.JupyterHub.hub_bind_url = socket_url(api / "hub.sock")
    c.JupyterHub.hub_connect_url = socket_url(api / "hub.sock")
    c.JupyterHub.hub_socket_mode = 0o666
    if s.hub_certificate:
        c.JupyterHub.ssl_cert = str(s.hub_certificate)
        c.JupyterHub.ssl_key = str(s.hub_certificate_key)


def proxy(c: Config, s: Settings) -> None:
    """The Node proxy from our own lock file; its API is a socket that only the hub can reach."""
    c.ConfigurableHTTPProxy.command = proxy_command()
    c.ConfigurableHTTPProxy.api_url = socket_url(s.hub_folder / "proxy.sock")
    c.ConfigurableHTTPProxy.pid_file = str(s.hub_folder / "proxy.pid")


def sign_in(c: Config, s: Settings) -> None:
    """Nobody signs up: people are in the registry, or not at all."""
    from kamp_lib.hub.authenticator import KampAuthenticator

    c.JupyterHub.authenticator_class = KampAuthenticator
    if s.oidc_issuer:
        from kamp_lib.hub.oidc import configure_oidc

        configure_oidc(c, s)
    # a stolen laptop's session ends within a day, a token within a working day
    c.JupyterHub.cookie_max_age_days = 1
    c.JupyterHub.oauth_token_expires_in = 8 * 3600
    # an intercepted code is worth nothing without the secret that asked for it
    c.JupyterHub.oauth_require_pkce = True
    # (managed roles come on top of these, from the registry: see authenticator.py)
    c.JupyterHub.load_roles = [EVERYBODY]


def servers(c: Config, s: Settings) -> None:
    """A company's servers: `report` and one per person who works there."""
    from kamp_lib.hub.spawner import HUB_SOCKET_URL, KampSpawner

    # several companies are served behind walls, or not at all
    slugs = [tenant.slug for tenant in list_tenants(s.home)]
    require_walls(slugs, allowed_without=s.unsafe_no_walls)
    c.JupyterHub.spawner_class = KampSpawner
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.named_server_limit_per_user = 0  # the plan's number, by the spawner
    c.Spawner.hub_connect_url = HUB_SOCKET_URL
    # a file in the workspace must not configure the server that checks who comes in
    c.Spawner.disable_user_config = True
    # nothing of the hub's environment reaches a server
    c.Spawner.env_keep = []
    c.Spawner.default_url = ""
    # waiting in line is part of it; a start by itself has a limit of its own
    c.Spawner.start_timeout = 900
    c.Spawner.http_timeout = 90
    c.JupyterHub.concurrent_spawn_limit = 100
    c.JupyterHub.active_server_limit = 200
    # A start is answered at once, and followed by its progress; to wait for it here would
    # hold the browser for ten seconds, and turn a server that ends early into an error 500.
    c.JupyterHub.tornado_settings = {
        "slow_spawn_timeout": 0,
        "oauth_no_confirm_list": KnownClients({"service-portal"}),
    }
    # servers outlive a restart of the hub; `kamp up` ends them unless told otherwise
    c.JupyterHub.cleanup_servers = s.hub_stop_servers
    c.JupyterHub.cleanup_proxy = True


def services(c: Config, s: Settings) -> None:
    """The portal; the culler of idle servers; the keeper; the disk's watcher; the scheduler."""
    environment = _environment(s)
    c.JupyterHub.services = [
        portal_service(),
        *(
            {
                "name": f"kamp-{name}",
                "command": service_command(f"kamp_lib.hub.{name}"),
                "environment": environment,
            }
            for name in ("culler", "keeper", "disk")
        ),
        # runs that come back; it asks nothing of the hub, so it has no rights there
        {
            "name": "kamp-scheduler",
            "command": service_command("kamp_lib.fleet.scheduler"),
            "environment": {**environment, **_for_runs(s)},
        },
    ]
    c.JupyterHub.load_roles = [
        *c.JupyterHub.load_roles,
        *portal_roles(),
        {
            "name": "culler",
            "scopes": [
                "list:users",
                "read:users:activity",
                "read:servers",
                "delete:servers",
            ],
            "services": ["kamp-culler"],
        },
        {
            "name": "keeper",
            "scopes": [
                "list:users",
                "read:users",
                "read:servers",
                "delete:servers",
                "delete:users",
            ],
            "services": ["kamp-keeper"],
        },
        {
            "name": "disk",
            "scopes": ["list:users", "read:servers", "delete:servers"],
            "services": ["kamp-disk"],
        },
    ]


def _environment(s: Settings) -> dict[str, str]:
    """The settings that services share with the hub; they inherit nothing else."""
    return {
        "KAMP_HOME": str(s.home.absolute()),
        "KAMP_DATABASE": s.database_url,
        "KAMP_LANG": s.lang,
        "KAMP_IDLE_MINUTES": str(s.idle_minutes),
        "KAMP_IDLE_REPORT_MINUTES": str(s.idle_report_minutes),
        "KAMP_DISK_RESERVE_GB": str(s.disk_reserve_gb),
    }


def _for_runs(s: Settings) -> dict[str, str]:
    """What holds for runs that the platform starts, as for those that a person starts."""
    return {
        "KAMP_TEMPLATES": str(s.templates.absolute()),
        "KAMP_RUN_TIMEOUT": str(s.run_timeout),
        "KAMP_MAPPING_SURE": str(s.mapping_sure),
        "KAMP_UID_BASE": str(s.uid_base),
        "KAMP_FAST_KERNELS": s.fast_kernels_told,
        "KAMP_UNSAFE_NO_WALLS": str(int(s.unsafe_no_walls)),
        "KAMP_PERSON": "scheduler",
    }


def pages(c: Config, s: Settings) -> None:
    """The hub's own pages in our words and look; everybody lands on the portal."""
    c.JupyterHub.template_paths = [str(s.templates / "portal")]
    c.JupyterHub.template_vars = page_variables()
    c.JupyterHub.default_url = portal_url()
    c.JupyterHub.redirect_to_server = False


def proxy_command() -> list[str]:
    """Node and the proxy that `make setup` installed, by their absolute paths."""
    place = Path(sys.prefix) / "share/kamp/proxy/node_modules/configurable-http-proxy"
    node = shutil.which("node", path=f"{Path(sys.executable).parent}") or shutil.which(
        "node"
    )
    ours = Path(__file__).with_name("proxy.mjs").as_uri()
    return [
        *(node or "node", "--import", ours),
        str(place / "bin/configurable-http-proxy"),
    ]
