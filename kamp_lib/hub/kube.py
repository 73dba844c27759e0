"""Profile -> a pod: the same server as `bubblewrap` starts, on Kubernetes.

KubeSpawner makes the manifest; this module says what stands in it. All companies' folders
lie on one volume that the platform and its servers share, and a pod gets its company's
parts of it by `subPath`. The server listens on the pod's port and asks the hub over the
cluster's network, which `network_policies` closes but for these two ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kamp_lib.hub.bubblewrap import (
    HOME_MB,
    SHARED_MEMORY,
    SHARED_MEMORY_MB,
    TMP,
    TMP_MB,
)
from kamp_lib.hub.profile import Mount, Profile

CLAIM = "kamp-home"
VOLUME = "kamp-home"
TENANT_LABEL = "kamp/tenant"
KIND_LABEL = "kamp/kind"
SERVER_PORT = 8888
HUB_PORT = 8081
# What a workspace needs before it has done anything; the rest comes from the limit.
REQUEST_MEMORY_MB = 256
REQUEST_CPUS = 0.05
# Options that only make sense where the server listens on a socket of the machine.
LOCAL_ONLY = ("--ServerApp.sock=",)


def pod_settings(profile: Profile, *, claim: str = CLAIM) -> dict[str, Any]:
    """What KubeSpawner has to be set to, by the names of its traits.

    Raises
    ------
    ValueError
        When the company has no user id: a pod never runs as root.
    """
    if not profile.uid:
        raise ValueError(f"the company {profile.tenant!r} has no user id")
    limits = profile.limits
    return {
        "cmd": [word for word in profile.command if not word.startswith(LOCAL_ONLY)],
        "args": [],
        "port": SERVER_PORT,
        "working_dir": profile.folder,
        "env_keep": [],
        # KubeSpawner fills {names} in, which is nothing for values that may hold any
        "environment": {name: _literal(v) for name, v in profile.env.items()},
        **{"uid": profile.uid, "gid": profile.uid, "supplemental_gids": []},
        # not fs_gid, which changes the owners of everything on the shared volume
        "fs_gid": None,
        "privileged": False,
        "allow_privilege_escalation": False,
        "container_security_context": {
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "pod_security_context": {"runAsNonRoot": True},
        "automount_service_account_token": False,
        "service_account": None,
        **{"cpu_limit": limits.cpus, "cpu_guarantee": min(REQUEST_CPUS, limits.cpus)},
        "mem_limit": f"{limits.memory_mb}M",
        "mem_guarantee": f"{min(REQUEST_MEMORY_MB, limits.memory_mb)}M",
        "volumes": [dict(volume) for volume in _volumes(claim)],
        "volume_mounts": [*_company(profile), *_private(profile)],
        "extra_labels": {TENANT_LABEL: profile.tenant, KIND_LABEL: profile.kind.value},
        "extra_pod_config": {
            "hostname": profile.tenant,
            "enableServiceLinks": False,
            "hostNetwork": False,
            "hostPID": False,
            "hostIPC": False,
            "shareProcessNamespace": False,
        },
    }


def apply(spawner: Any, profile: Profile, *, claim: str = CLAIM) -> None:
    """Set a KubeSpawner to what the profile says; its next pod is that server."""
    for name, value in pod_settings(profile, claim=claim).items():
        setattr(spawner, name, value)


def network_policies(hub_labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who may talk to whom: the proxy to servers, servers to the hub, nobody else.

    Parameters
    ----------
    hub_labels
        The labels by which the pod of the hub and its proxy is known.
    """
    servers = {"matchExpressions": [{"key": TENANT_LABEL, "operator": "Exists"}]}
    platform = [{"podSelector": {"matchLabels": dict(hub_labels)}}]
    names = {"matchLabels": {"k8s-app": "kube-dns"}}
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "kamp-servers"},
            "spec": {
                "podSelector": servers,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": platform, "ports": [_port(SERVER_PORT)]}],
                "egress": [
                    {"to": platform, "ports": [_port(HUB_PORT)]},
                    {
                        "to": [{"namespaceSelector": {}, "podSelector": names}],
                        "ports": [_port(53, "UDP"), _port(53)],
                    },
                ],
            },
        }
    ]


def _port(number: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"protocol": protocol, "port": number}


def _literal(value: str) -> str:
    return value.replace("{", "{{").replace("}", "}}")


def _company(profile: Profile) -> Iterator[dict[str, Any]]:
    """The company's own parts of the shared volume."""
    for mount in profile.mounts:
        yield {
            "name": VOLUME,
            "mountPath": mount.target,
            "subPath": _place(profile, mount),
            "readOnly": not mount.writable,
        }


def _place(profile: Profile, mount: Mount) -> str:
    return f"tenants/{profile.tenant}/{mount.source.name}"


def _private(profile: Profile) -> Iterator[dict[str, Any]]:
    """Folders of the pod's own, gone with it."""
    yield {"name": "tmp", "mountPath": TMP}
    yield {"name": "home", "mountPath": profile.home}
    yield {"name": "shared-memory", "mountPath": SHARED_MEMORY}


def _volumes(claim: str) -> Iterator[Mapping[str, Any]]:
    yield {"name": VOLUME, "persistentVolumeClaim": {"claimName": claim}}
    yield {"name": "tmp", "emptyDir": {"sizeLimit": f"{TMP_MB}Mi"}}
    yield {"name": "home", "emptyDir": {"sizeLimit": f"{HOME_MB}Mi"}}
    memory = {"medium": "Memory", "sizeLimit": f"{SHARED_MEMORY_MB}Mi"}
    yield {"name": "shared-memory", "emptyDir": memory}
