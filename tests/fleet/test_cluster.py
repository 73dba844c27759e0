"""The same batch on a real Dask cluster: several worker processes, one of which dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from fleet import dask_cluster
from fleet.conftest import plan_of, run
from fleet.dask_cluster import Cluster
from fleet.stand_in import Instead, machines_done

from kamp_lib.errors import KampError
from kamp_lib.fleet import Batch
from kamp_lib.fleet.cluster import assign
from kamp_lib.fleet.cluster_check import check_cluster, check_versions
from kamp_lib.fleet.orders import Order
from kamp_lib.tenancy import Registry, Tenant, tenant_named
from kamp_lib.text import Text

MACHINES = ("m1", "m2", "m3")
Start = Callable[..., Cluster]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a scheduler and so many workers whose walled workers are stand-ins."""
    with ExitStack() as stack:

        def go(count: int, behaviour: str = "pass") -> Cluster:
            return stack.enter_context(_cluster(tmp_path, count, behaviour))

        yield go


@contextmanager
def _cluster(folder: Path, count: int, behaviour: str) -> Iterator[Cluster]:
    port = dask_cluster.free_port()
    cluster = Cluster(f"tcp://127.0.0.1:{port}")
    loaded = dask_cluster.preload(folder, behaviour, MACHINES)
    with ExitStack() as stack:
        command = dask_cluster.scheduler(folder, port)
        stack.enter_context(dask_cluster.process(command, folder / "scheduler.log"))
        for number in range(count):
            command = dask_cluster.worker(cluster.address, folder, loaded)
            log = folder / f"worker-{number}.log"
            running = stack.enter_context(dask_cluster.process(command, log))
            cluster.workers.append(running)
        dask_cluster.wait_for_workers(cluster.address, count)
        yield cluster


def run_there(registry: Registry, cluster: Cluster) -> Batch:
    return run(plan_of(registry), registry, cluster.address)


@pytest.mark.e2e
@pytest.mark.long
def test_every_run_is_made_once_by_workers_that_see_the_same_home(
    workers: Instead,
    registry: Registry,
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers(machines=MACHINES)
    cluster = start(2)
    done = run_there(registry, cluster)
    assert [o.status for o in done.outcomes] == ["succeeded"] * 6
    assert len({o.where for o in done.outcomes}) == 2
    for slug in ("acme", "bolt"):
        assert machines_done(tenant_named(slug)) == list(MACHINES)
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(KampError, match="다른 KAMP_HOME"):
        check_cluster(cluster.address)


@pytest.mark.e2e
def test_a_killed_dask_worker_loses_nothing_and_repeats_nothing(
    workers: Instead, registry: Registry, start: Start, acme: Tenant
) -> None:
    workers(machines=MACHINES)
    known = (
        "if machine in known():\n"
        "    say(result='20261126-000000-injection-quality-aaaaaa', known=True); continue\n"
        "(runs.parent / 'data' / 'on').touch(); time.sleep(.5)"
    )
    cluster = start(2, known)

    def kill_one() -> None:
        while not any((tenant_named(s).data / "on").exists() for s in ("acme", "bolt")):
            time.sleep(0.05)
        time.sleep(0.7)  # one order is done, the next has begun
        cluster.workers[0].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    done = run_there(registry, cluster)
    killer.join()
    assert sorted(o.status for o in done.outcomes) == ["succeeded"] * 6
    for slug in ("acme", "bolt"):
        assert machines_done(tenant_named(slug)) == list(MACHINES)


@pytest.mark.e2e
def test_a_cluster_without_workers_is_refused_at_once(start: Start) -> None:
    cluster = start(0)
    with pytest.raises(KampError, match="작업자가 없습니다"):
        check_cluster(cluster.address)


def test_an_address_where_nobody_answers_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kamp_lib.fleet.cluster_check.CONNECT_S", 0.5)
    address = f"tcp://127.0.0.1:{dask_cluster.free_port()}"
    with pytest.raises(KampError, match="답하지 않습니다"):
        check_cluster(address)


@pytest.mark.parametrize("address", ["nonsense", "ftp://x", "tcp://", "tcp://x:y"])
def test_what_is_no_address_is_one_sentence(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.fleet.cluster_check.CONNECT_S", 0.5)
    with pytest.raises(KampError, match="KAMP_DASK"):
        check_cluster(address)


def test_another_version_is_named() -> None:
    with pytest.raises(KampError, match=r"여기 2026\.8\.0, 거기 2024\.1\.0"):
        check_versions(
            "tcp://w", {"distributed": "2026.8.0"}, {"distributed": "2024.1.0"}
        )


def orders(**counts: int) -> list[Order]:
    return [
        Order(
            tenant=slug,
            name=Text(slug, slug),
            model="m",
            label=Text("m", "m"),
            dataset=str(n),
            version=1,
        )
        for slug, count in counts.items()
        for n in range(count)
    ]


def test_a_companys_orders_stay_together() -> None:
    wanted = orders(a=3, b=3)
    places = assign(wanted, {"x": 1, "y": 1})
    assert len(set(places[:3])) == 1
    assert set(places[:3]) != set(places[3:])


def test_no_worker_is_left_idle_by_one_large_company() -> None:
    places = assign(orders(a=8), {"x": 1, "y": 3})
    assert (places.count("x"), places.count("y")) == (2, 6)


def test_every_order_has_a_place_however_they_are_divided() -> None:
    for counts in ({"a": 1}, {"a": 1, "b": 7, "c": 2}, {"a": 3, "b": 3, "c": 3}):
        wanted = orders(**counts)
        assert len(assign(wanted, {"x": 2, "y": 2, "z": 1})) == len(wanted)
