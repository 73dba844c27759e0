"""What a batch is to do: the active companies' data sets x the models that fit them.

Data sets and run bundles are a company's own files, so the question is asked inside its
walls; here the answers are only put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from kamp_lib.catalog import resolve_parameters
from kamp_lib.errors import KampError, UsageError
from kamp_lib.fleet.orders import Order, Outcome, short
from kamp_lib.fleet.pool import Pool
from kamp_lib.hub.hearing import shown
from kamp_lib.hub.inside import Found
from kamp_lib.progress import Progress, silent
from kamp_lib.runs.context import find_model
from kamp_lib.tenancy import Registry, Sme, tenant_named
from kamp_lib.text import Text


@dataclass(frozen=True)
class Wanted:
    """What somebody asks of a batch; empty means all.

    Attributes
    ----------
    again
        Run also what has been done with the same model, data and parameters.
    """

    tenants: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    dataset: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    again: bool = False


@dataclass(frozen=True)
class Plan:
    """What is to be run, and what is known of the rest beforehand."""

    orders: list[Order]
    settled: list[Outcome]

    @property
    def all(self) -> list[Order]:
        return [*self.orders, *(o.order for o in self.settled)]


def make_plan(
    registry: Registry,
    wanted: Wanted,
    pool: Pool,
    *,
    progress: Progress = silent,
) -> Plan:
    """Ask every company, inside its walls, what is to be run.

    Parameters
    ----------
    pool
        Where the workers come from that are asked; they stay there for the runs.

    Raises
    ------
    UsageError
        For a model, a parameter or a company that does not exist.
    """
    for model in wanted.models:
        resolve_parameters(*find_model(model), wanted.parameters)
    if wanted.parameters and not wanted.models:
        raise UsageError(
            "-p 매개변수는 --model 과 함께 쓰세요. 모델마다 매개변수가 다릅니다.",
            "use -p together with --model: each model has parameters of its own.",
        )
    companies = _companies(registry, wanted.tenants)
    plan = Plan([], [])
    asked = 0

    def ask(sme: Sme) -> list[Order | Outcome]:
        return _of_company(sme, wanted, pool)

    with ThreadPoolExecutor(max_workers=pool.most) as threads:
        for answers in threads.map(ask, companies):
            asked += 1
            progress(Text("할 일 정하기", "planning"), done=asked, total=len(companies))
            for answer in answers:
                if isinstance(answer, Order):
                    plan.orders.append(answer)
                else:
                    plan.settled.append(answer)
    return plan


def _companies(registry: Registry, slugs: Sequence[str]) -> list[Sme]:
    """The companies that were named, or all that are active."""
    if not slugs:
        return [sme for sme in registry.smes() if sme.status == "active"]
    return [registry.sme(slug) for slug in dict.fromkeys(slugs)]


def _of_company(sme: Sme, wanted: Wanted, pool: Pool) -> list[Order | Outcome]:
    if sme.status != "active":
        return [refused(sme, SUSPENDED)]
    request = {
        "models": list(wanted.models) or None,
        "dataset": wanted.dataset,
        "parameters": wanted.parameters,
    }
    try:
        with pool.worker(tenant_named(sme.slug)) as worker:
            found = worker.plan(request)
    except KampError as error:  # one company's trouble is not the others'
        return [refused(sme, error.text)]
    if not found and wanted.tenants:
        return [refused(sme, NO_DATA)]
    return [_entry(sme, one, wanted) for one in found]


def _entry(sme: Sme, found: Found, wanted: Wanted) -> Order | Outcome:
    if found.refused is not None:
        return refused(sme, shown(found.refused))
    try:
        family, standard = find_model(found.model)
    except KampError as error:
        return refused(sme, error.text)
    order = Order(
        tenant=sme.slug,
        name=sme.name,
        model=found.model,
        label=standard.label if standard else family.label,
        dataset=found.dataset,
        version=found.version,
        parameters=wanted.parameters,
        known=found.done,
        before=found.before,
        again=wanted.again,
    )
    if order.known is None or wanted.again:
        return order
    return known(order, order.known)


SUSPENDED = Text(
    "중지된 기업입니다. 다시 열려면: kamp tenant resume",
    "the company is suspended; open it again: kamp tenant resume",
)

NO_DATA = Text(
    "맞는 데이터셋이 없습니다. 먼저 가져오세요: kamp ingest",
    "no data set fits; bring one in first: kamp ingest",
)


def refused(sme: Sme, why: Text) -> Outcome:
    """A company that has nothing to run, and why."""
    nothing = Order(
        tenant=sme.slug,
        name=sme.name,
        model="",
        label=Text("–", "–"),
        dataset="",
        version=0,
    )
    return Outcome(order=nothing, status="refused", said=short(why))


def known(order: Order, run: str) -> Outcome:
    """An order that was done before."""
    return Outcome(
        order=order,
        status="known",
        run=run,
        said=Text(
            f"이미 실행되었습니다: {run}. 다시 하려면 --again",
            f"already done: run {run}; --again runs it once more",
        ),
    )
