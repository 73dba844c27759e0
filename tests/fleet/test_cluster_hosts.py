"""Dask workers on hosts of their own: network namespaces joined by a bridge of veth pairs."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from fleet import dask_cluster
from fleet.conftest import plan_of, run
from fleet.stand_in import Instead, machines_done

from kamp_lib.tenancy import Registry, tenant_named

pytestmark = [pytest.mark.e2e, pytest.mark.long]
MACHINES = ("m1", "m2", "m3")
NETWORK = "10.213.77"
PORT = 8786


@dataclass(frozen=True)
class Host:
    """A network namespace with an address of its own."""

    name: str
    address: str

    @property
    def inside(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    """Two hosts for workers on a bridge; the bridge's own end is this machine."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the ip command")
    mark = secrets.token_hex(2)
    bridge = f"kb{mark}"
    with ExitStack() as undo:
        try:
            ip("link", "add", bridge, "type", "bridge")
            undo.callback(ip, "link", "del", bridge)
            ip("addr", "add", f"{NETWORK}.1/24", "dev", bridge)
            ip("link", "set", bridge, "up")
            made = [_host(mark, bridge, number, undo) for number in (2, 3)]
        except subprocess.CalledProcessError as error:
            pytest.skip(
                f"no network namespaces on this machine: {error.stderr.strip()}"
            )
        yield made


def _host(mark: str, bridge: str, number: int, undo: ExitStack) -> Host:
    host = Host(f"kamp-{mark}-{number}", f"{NETWORK}.{number}")
    here, there = f"kv{mark}{number}", f"kw{mark}{number}"
    ip("netns", "add", host.name)
    undo.callback(ip, "netns", "del", host.name)
    ip("link", "add", here, "type", "veth", "peer", "name", there)
    ip("link", "set", there, "netns", host.name)
    ip("link", "set", here, "master", bridge, "up")
    for words in (
        ("addr", "add", f"{host.address}/24", "dev", there),
        ("link", "set", there, "up"),
        ("link", "set", "lo", "up"),
    ):
        ip("-n", host.name, *words)
    return host


def test_workers_on_other_hosts_do_the_same_batch(
    workers: Instead, registry: Registry, hosts: list[Host], tmp_path: Path
) -> None:
    workers(machines=MACHINES)
    address = f"tcp://{NETWORK}.1:{PORT}"
    loaded = dask_cluster.preload(tmp_path, "pass", MACHINES)
    with ExitStack() as stack:
        command = dask_cluster.scheduler(tmp_path, PORT, f"{NETWORK}.1")
        stack.enter_context(dask_cluster.process(command, tmp_path / "scheduler.log"))
        for host in hosts:
            command = dask_cluster.worker(
                address, tmp_path, loaded, "--host", host.address
            )
            log = tmp_path / f"{host.name}.log"
            stack.enter_context(dask_cluster.process(command, log, host.inside))
        dask_cluster.wait_for_workers(address, len(hosts))
        done = run(plan_of(registry), registry, address)
    assert [o.status for o in done.outcomes] == ["succeeded"] * 6
    told = {o.where.split("://")[1].split(":")[0] for o in done.outcomes}
    assert told == {host.address for host in hosts}
    for slug in ("acme", "bolt"):
        assert machines_done(tenant_named(slug)) == list(MACHINES)
