"""Each concern of the hub's configuration, on a bare traitlets Config."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from traitlets.config import Config

from kamp_lib.hub import config
from kamp_lib.hub.sockets import socket_url
from kamp_lib.settings import Settings, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import hub_config

Concern = Callable[[Config, Settings], None]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Config]:
    """The configuration that some concerns make, under some settings."""

    def make(*concerns: Concern, **environment: str) -> Config:
        for name, value in environment.items():
            monkeypatch.setenv(f"KAMP_{name}", value)
        c = Config()
        for concern in (config.state, *concerns):
            concern(c, settings())
        return c

    return make


def test_the_hubs_state_is_readable_by_its_owner_only(made) -> None:
    made()
    assert stat.S_IMODE(settings().hub_folder.stat().st_mode) == 0o700


def test_the_proxy_listens_on_loopback_unless_told(made) -> None:
    c = made(config.network)
    assert c.JupyterHub.bind_url == "http://127.0.0.1:8000/"


def test_the_proxy_may_listen_on_another_port_than_browsers_use(made) -> None:
    c = made(config.network, HUB_URL="https://kamp.example.com", HUB_PORT="8443")
    assert c.JupyterHub.bind_url == "http://127.0.0.1:8443/"
    assert c.JupyterHub.subdomain_host == "https://kamp.example.com"


def test_host_cookies_need_tls(made) -> None:
    assert not made(config.network).JupyterHub.cookie_host_prefix_enabled
    c = made(config.network, HUB_URL="https://kamp.example.com")
    assert c.JupyterHub.cookie_host_prefix_enabled


def test_the_hub_listens_on_a_socket_that_every_sandbox_may_use(made) -> None:
    c = made(config.network)
    assert c.JupyterHub.hub_bind_url.startswith("http+unix://")
    assert c.JupyterHub.hub_socket_mode == 0o666


def test_nothing_but_the_hubs_socket_lies_in_the_folder_that_sandboxes_see(
    made,
) -> None:
    c = made(config.network, config.proxy)
    shared = settings().hub_folder / "api"
    proxy = Path(unquote(c.ConfigurableHTTPProxy.api_url.removeprefix("http+unix://")))
    assert proxy.parent != shared
    assert list(shared.iterdir()) == []


def test_a_folder_with_capital_letters_or_hangul_survives_as_a_url() -> None:
    path = Path("/srv/KAMP 홈/hub/proxy.sock")
    address = urlsplit(socket_url(path))
    assert unquote(address.netloc.lower()) == str(path)
    assert unquote(address.hostname or "") == str(path)


def test_nobody_can_sign_up_or_start_a_server_of_their_own(made) -> None:
    c = made(config.sign_in)
    assert c.JupyterHub.authenticator_class.__name__ == "KampAuthenticator"
    [everybody] = c.JupyterHub.load_roles
    assert everybody["name"] == "user"
    assert not any(s.startswith("servers") for s in everybody["scopes"])


def test_servers_inherit_nothing_of_the_hubs_environment(made) -> None:
    assert made(config.sign_in, config.servers).Spawner.env_keep == []


def test_no_service_may_open_a_server_or_manage_people(made) -> None:
    c = made(config.sign_in, config.servers, config.services)
    held = {
        scope
        for role in c.JupyterHub.load_roles
        if role.get("services")
        for scope in role["scopes"]
    }
    assert not {s for s in held if s.startswith(("access:", "admin:", "tokens"))}


def test_services_know_the_platforms_database(made) -> None:
    url = "postgresql://kamp@127.0.0.1/kamp"
    c = made(config.sign_in, config.servers, config.services, DATABASE=url)
    for service in c.JupyterHub.services:
        assert service["environment"]["KAMP_DATABASE"] == url


def test_tls_is_served_with_the_certificate_of_the_settings(made, tmp_path) -> None:
    c = made(
        config.network,
        HUB_CERTIFICATE=str(tmp_path / "c.pem"),
        HUB_CERTIFICATE_KEY=str(tmp_path / "k.pem"),
    )
    assert c.JupyterHub.ssl_cert == str(tmp_path / "c.pem")


def test_jupyterhub_takes_the_file() -> None:
    from jupyterhub.app import JupyterHub

    hub = JupyterHub()
    hub.load_config_file(hub_config.__file__)
    assert hub.authenticator_class.__name__ == "KampAuthenticator"
    assert hub.spawner_class.__name__ == "KampSpawner"
