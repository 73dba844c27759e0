"""The spawn profile: pure, and the same whatever carries it out."""

from __future__ import annotations

import pytest
from hub.walls.walled import PLAN, ROOTS_BASE

from kamp_lib.errors import UsageError
from kamp_lib.hub.profile import Kind, Profile, profile
from kamp_lib.tenancy import Sme, Tenant


def made(tenant: Tenant, kind: Kind = Kind.WORKSPACE, **more: object) -> Profile:
    sme = Sme(
        *(tenant.slug, tenant.name, "", (), "Asia/Seoul", PLAN, "active", ROOTS_BASE)
    )
    given = {"server": "ann", "command": ["true"], "env": {}, **more}
    return profile(sme, tenant, kind, **given)  # type: ignore[arg-type]


def test_a_profile_touches_nothing(tenant: Tenant) -> None:
    before = sorted(tenant.home.parent.rglob("*"))
    assert made(tenant) == made(tenant)
    assert sorted(tenant.home.parent.rglob("*")) == before


@pytest.mark.parametrize("kind", [Kind.WORKSPACE, Kind.JOB])
def test_an_analyst_writes_data_workspace_and_runs(tenant: Tenant, kind: Kind) -> None:
    writable = {m.target for m in made(tenant, kind).mounts if m.writable}
    assert writable == {f"/workspace/{d}" for d in ("data", "workspace", "runs")}


def test_a_report_server_gets_released_reports_read_only(tenant: Tenant) -> None:
    mounts = made(tenant, Kind.REPORT, server="report").mounts
    assert {m.target for m in mounts} == {
        "/workspace/tenant.toml",
        "/workspace/published",
    }
    assert not any(m.writable for m in mounts)


def test_every_mount_is_the_companys_own(tenant: Tenant) -> None:
    for kind in Kind:
        for mount in made(tenant, kind).mounts:
            assert mount.source.is_relative_to(tenant.home)


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "../bolt", "-x", "Ann", "a b", "a\nb", "é", "a" * 31]
)
def test_a_hostile_server_name_makes_no_profile(tenant: Tenant, name: str) -> None:
    with pytest.raises(UsageError):
        made(tenant, server=name)


def test_the_limits_are_the_plans_for_each_server(tenant: Tenant) -> None:
    limits = made(tenant).limits
    assert (limits.memory_mb, limits.cpus, limits.processes) == (600, 1, 64)


def test_a_companys_servers_together_have_the_plans_total(tenant: Tenant) -> None:
    assert made(tenant).company_limits.memory_mb == 600 * PLAN.servers


def test_the_environment_is_what_was_given_and_what_every_sandbox_has(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMETHING_OF_THE_HUB", "x")
    env = made(tenant, env={"A": "1", "HOME": "/root"}).env
    assert env["A"] == "1"
    assert env["HOME"] == "/home/ann"
    assert "SOMETHING_OF_THE_HUB" not in env


def test_programs_start_as_many_threads_as_the_plan_has_processors(
    tenant: Tenant,
) -> None:
    env = made(tenant).env
    assert {env["OMP_NUM_THREADS"], env["OPENBLAS_NUM_THREADS"]} == {"1"}


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_FUNC_kill%%", "A B", "", "A=B"]
)
def test_a_variable_that_would_load_code_outside_is_refused(
    tenant: Tenant, name: str
) -> None:
    with pytest.raises(UsageError):
        made(tenant, env={name: "/tmp/evil.so"})  # noqa: S108
