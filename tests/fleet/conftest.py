"""Companies without data, whose workers are stand-ins; and two with a small data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from fleet import stand_in

from kamp_lib.fleet import Batch, Outcome, Plan, Pool, Wanted, make_plan, run_batch
from kamp_lib.hub.jobs import JobLimits
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.tenancy import Registry, Tenant, open_registry, tenant_named


@pytest.fixture(scope="session", autouse=True)
def _walls() -> None:
    if not inspect_walls().stand:
        if os.environ.get("CI"):
            pytest.fail("this machine has no walls; CI must have them")
        pytest.skip("this machine has no walls")


@pytest.fixture
def registry() -> Iterator[Registry]:
    """Two companies, acme and bolt."""
    made = open_registry()
    for slug, name in (("acme", "에이스"), ("bolt", "볼트")):
        made.add_sme(slug, name)
        stand_in.furnish(tenant_named(slug))
    yield made
    made.close()


@pytest.fixture
def acme(registry: Registry) -> Tenant:
    return tenant_named("acme")


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> stand_in.Instead:
    """Workers are stand-ins: `workers("what they do before a run", machines)`."""
    put = stand_in.instead_of_workers(monkeypatch)
    put()
    return put


@pytest.fixture
def batch(registry: Registry) -> Callable[..., Batch]:
    """Plan and run a batch."""

    def run(*tenants: str, limits: JobLimits | None = None) -> Batch:
        with Pool(2, limits) as pool:
            plan = make_plan(registry, Wanted(tenants=tenants), pool)
            return run_batch(plan, registry, pool=pool)

    return run


def plan_of(registry: Registry, *tenants: str) -> Plan:
    """What is to be run, asked of workers that are gone afterwards."""
    with Pool(2) as pool:
        return make_plan(registry, Wanted(tenants=tenants), pool)


def run(plan: Plan, registry: Registry, cluster: str | None = None) -> Batch:
    """Do a plan with two workers at once."""
    with Pool(2) as pool:
        return run_batch(plan, registry, pool=pool, cluster=cluster)


def of(batch: Batch, tenant: str) -> list[Outcome]:
    """The outcomes of one company."""
    return [o for o in batch.outcomes if o.order.tenant == tenant]


@pytest.fixture(autouse=True)
def _no_glyphs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting the font to a page's letters takes a second; one test looks at it."""
    if "font" not in request.node.name:
        monkeypatch.setattr(
            "kamp_lib.fleet.report.fonts.embedded_faces", lambda text: ""
        )
