"""The profile as a pod: KubeSpawner's own manifest, held against Kubernetes' schema."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest
from hub.walls.walled import PLAN, ROOTS_BASE
from jupyterhub.objects import Hub
from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from traitlets.config import Config

from kamp_lib.hub import kube
from kamp_lib.hub.profile import Kind, Profile, profile
from kamp_lib.tenancy import Sme, Tenant

KUBERNETES = "1.33"


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster is asked: a manifest is made on the spot."""
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda **_: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda _: None)


COMMAND = ["python", "-m", "jupyterhub.singleuser", "--ServerApp.sock=/run/x.sock"]


def made(tenant: Tenant, kind: Kind = Kind.WORKSPACE, **env: str) -> Profile:
    sme = Sme(
        *(tenant.slug, tenant.name, "", (), "Asia/Seoul", PLAN, "active", ROOTS_BASE)
    )
    server = "report" if kind is Kind.REPORT else "ann"
    return profile(sme, tenant, kind, server=server, command=COMMAND, env=env)


def pod(walled: Profile) -> dict[str, Any]:
    """The manifest that KubeSpawner would send for this profile."""
    spawner = KubeSpawner(
        _mock=True,
        hub=Hub(ip="hub", port=8081, base_url="/hub/"),
        config=Config({"KubeSpawner": {"image": "kamp/workbench:1"}}),
    )
    spawner.user.name = walled.tenant
    spawner.api_token = "t" * 32
    kube.apply(spawner, walled)

    async def as_sent() -> dict[str, Any]:
        async with ApiClient() as client:
            return dict(
                client.sanitize_for_serialization(await spawner.get_pod_manifest())
            )

    return asyncio.run(as_sent())


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    (only,) = manifest["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_pod_is_valid_in_kubernetes_eyes(tenant: Tenant, kind: Kind) -> None:
    kubernetes_validate.validate(pod(made(tenant, kind)), KUBERNETES, strict=True)


def test_a_typing_error_in_a_pod_would_be_found(tenant: Tenant) -> None:
    manifest = pod(made(tenant))
    container(manifest)["securityContext"]["runAsNonRooot"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_pod_runs_the_profiles_command_on_a_port(tenant: Tenant) -> None:
    assert container(pod(made(tenant)))["args"] == COMMAND[:-1]


def test_the_pod_has_the_profiles_environment_to_the_letter(tenant: Tenant) -> None:
    walled = made(tenant, GIVEN='{"a": "{username}"}')
    env = {e["name"]: e.get("value") for e in container(pod(walled))["env"]}
    assert walled.env.items() <= env.items()


def test_the_pods_mounts_are_the_profiles(tenant: Tenant) -> None:
    for kind in Kind:
        walled = made(tenant, kind)
        mounts = [
            m
            for m in container(pod(walled))["volumeMounts"]
            if m["name"] == kube.VOLUME
        ]
        expected = {
            (m.target, f"tenants/{tenant.slug}/{m.source.name}", not m.writable)
            for m in walled.mounts
        }
        assert {
            (m["mountPath"], m["subPath"], m.get("readOnly", False)) for m in mounts
        } == expected


def test_nothing_of_another_company_or_the_node_is_mounted(tenant: Tenant) -> None:
    manifest = pod(made(tenant))
    assert not any("hostPath" in volume for volume in manifest["spec"]["volumes"])
    for mount in container(manifest)["volumeMounts"]:
        if mount["name"] == kube.VOLUME:
            assert mount["subPath"].startswith(f"tenants/{tenant.slug}/")


def test_the_pod_may_use_what_the_plan_gives(tenant: Tenant) -> None:
    limits = container(pod(made(tenant)))["resources"]["limits"]
    assert limits == {"memory": 600 * 2**20, "cpu": 1.0}


def test_the_pod_is_the_companys_user_and_can_become_nobody_else(
    tenant: Tenant,
) -> None:
    manifest = pod(made(tenant))
    context = container(manifest)["securityContext"]
    assert context["runAsUser"] == context["runAsGroup"] == ROOTS_BASE
    assert context["runAsNonRoot"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert not context.get("privileged")
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "fsGroup" not in manifest["spec"].get("securityContext", {})


def test_the_pods_own_files_are_read_only(tenant: Tenant) -> None:
    assert container(pod(made(tenant)))["securityContext"]["readOnlyRootFilesystem"]


def test_the_pod_has_no_token_of_the_cluster(tenant: Tenant) -> None:
    spec = pod(made(tenant))["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


def test_the_pod_shares_nothing_with_its_node(tenant: Tenant) -> None:
    spec = pod(made(tenant))["spec"]
    for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        assert spec[name] is False


def test_a_company_without_a_user_id_gets_no_pod(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="user id"):
        kube.pod_settings(replace(made(tenant), uid=None))


def test_the_network_policy_is_valid_in_kubernetes_eyes() -> None:
    for policy in kube.network_policies({"app": "kamp", "component": "hub"}):
        kubernetes_validate.validate(policy, KUBERNETES, strict=True)


def test_a_server_talks_to_the_hub_and_names_only(tenant: Tenant) -> None:
    (policy,) = kube.network_policies({"app": "kamp"})
    (hub, names) = policy["spec"]["egress"]
    assert hub["ports"] == [{"protocol": "TCP", "port": 8081}]
    assert {port["port"] for port in names["ports"]} == {53}
    assert all(rule["to"] for rule in (hub, names))  # an empty list means: anywhere


def test_every_server_pod_falls_under_the_policy(tenant: Tenant) -> None:
    (policy,) = kube.network_policies({"app": "kamp"})
    (chosen,) = policy["spec"]["podSelector"]["matchExpressions"]
    for kind in Kind:
        assert (
            pod(made(tenant, kind))["metadata"]["labels"][chosen["key"]]
            == "haneul-mold"
        )
