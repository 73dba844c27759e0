"""Servers without walls: paths inside the sandbox become those outside, and only those."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamp_lib.hub import unwalled
from kamp_lib.hub.profile import Kind, profile
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, open_registry


@pytest.fixture
def made(tenant: Tenant) -> unwalled.OpenCommandLine:
    registry = open_registry()
    registry.adopt()
    package = "/opt/kamp/kamp_lib/workspace/frontend"
    described = profile(
        registry.sme(tenant.slug),
        tenant,
        Kind.WORKSPACE,
        server="ann",
        command=["--ServerApp.root_dir=/workspace/workspace", f"--path={package}"],
        env={"HUB": "http+unix://%2Frun%2Fkamp%2Fhub%2Fhub.sock/hub/api"},
    )
    return unwalled.command_line(described, settings().home)


def test_the_companys_folder_takes_the_place_of_the_one_inside(
    made: unwalled.OpenCommandLine, tenant: Tenant
) -> None:
    assert made.command[0] == f"--ServerApp.root_dir={tenant.workspace}"
    assert made.env["KAMP_TENANT_HOME"] == str(tenant.home)


def test_a_word_within_another_path_stays(made: unwalled.OpenCommandLine) -> None:
    assert made.command[1] == "--path=/opt/kamp/kamp_lib/workspace/frontend"


def test_the_hubs_socket_is_found_outside(made: unwalled.OpenCommandLine) -> None:
    assert "%2Frun%2Fkamp" not in made.env["HUB"]
    assert made.env["HUB"].endswith("%2Fhub.sock/hub/api")


def test_the_home_folder_is_the_servers_own(made: unwalled.OpenCommandLine) -> None:
    assert Path(made.env["HOME"]).is_dir()
    assert Path(made.env["HOME"]).is_relative_to(settings().home)
