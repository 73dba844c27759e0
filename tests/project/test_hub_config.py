import sys
from pathlib import Path

import pytest
from traitlets.config import Config

from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant, add_tenant

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import hub_config


@pytest.fixture
def configured(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("KAMP_HUB_PASSWORD", "a long password")
    c = Config()
    hub_config.configure(c)
    return c


def test_the_hub_listens_on_loopback_only(configured: Config) -> None:
    assert configured.JupyterHub.bind_url.startswith("http://127.0.0.1:")


def test_the_workspace_opens_its_own_company(
    configured: Config, tenant: Tenant
) -> None:
    assert configured.Spawner.environment["KAMP_TENANT_HOME"] == str(tenant.home)
    assert configured.Spawner.notebook_dir == str(tenant.workspace)


def test_the_hubs_state_is_readable_by_its_owner_only(
    configured: Config, tenant: Tenant
) -> None:
    folder = tenant.home.parents[1] / "hub"
    assert folder.stat().st_mode & 0o077 == 0


def test_without_walls_two_companies_are_refused(tenant: Tenant) -> None:
    add_tenant("another", "다른 기업")
    with pytest.raises(KampError, match="2"):
        hub_config.configure(Config())


def test_jupyterhub_takes_the_file(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyterhub.app import JupyterHub

    monkeypatch.setenv("KAMP_HUB_PASSWORD", "a long password")
    hub = JupyterHub()
    hub.load_config_file(hub_config.__file__)
    assert hub.authenticator_class.__name__ == "SharedPasswordAuthenticator"
    assert hub.spawner_class.__name__ == "SimpleLocalProcessSpawner"
