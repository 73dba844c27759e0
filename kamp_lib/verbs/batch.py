"""Fleets of runs: `batch`, `batch list`, `batch show`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.errors import KampError
from kamp_lib.settings import settings
from kamp_lib.text import Text
from kamp_lib.verbs.common import (
    DatasetName,
    Json,
    Parameters,
    _,
    complain,
    example,
    print_json,
)
from kamp_lib.verbs.platform import local, platform, refuse_in_a_workspace

if TYPE_CHECKING:
    from kamp_lib.fleet import Batch, Outcome, Plan, Pool
    from kamp_lib.tenancy import Registry

batches = typer.Typer(
    invoke_without_command=True,
    help=_(
        "여러 기업의 분석을 한꺼번에 실행합니다. 이미 실행한 것은 건너뜁니다.",
        "Run the analyses of many companies; what has been done is skipped.",
    ),
    epilog=example(
        "kamp batch",
        "kamp batch --dry-run",
        "kamp batch --tenant haneul-mold --model injection-quality --workers 2",
        "kamp batch show latest",
    ),
)
STATES = {
    "running": Text("실행 중", "running"),
    "finished": Text("끝남", "finished"),
    "stopped": Text("중단됨", "stopped"),
    "killed": Text("도중에 꺼짐", "killed"),
}


@batches.callback()
def batch(
    context: typer.Context,
    tenant: Annotated[
        list[str] | None,
        typer.Option(help=_("기업(여러 번). 비우면 모두", "company; all if left out")),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help=_("모델(여러 번). 비우면 모두", "model; all if left out")),
    ] = None,
    dataset: DatasetName = None,
    parameter: Parameters = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            help=_(
                "동시에 실행할 수. 비우면 CPU 수", "runs at once; as many as processors"
            ),
        ),
    ] = None,
    timeout: Annotated[
        int | None,
        typer.Option(
            min=10, help=_("실행 하나의 제한 시간(초)", "seconds that a run may take")
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            min=256,
            help=_(
                "실행 하나의 메모리(MB, 요금제 안에서)",
                "MB that a run may take, within its company's plan",
            ),
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help=_("이미 실행한 것도 다시", "also what is done")),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help=_("할 일만 보여 줍니다", "only show what would be run")
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    from kamp_lib.catalog import parse_assignments
    from kamp_lib.fleet import Pool, Wanted, make_plan, threads_each
    from kamp_lib.hub.jobs import JobLimits

    wanted = Wanted(
        tenants=tuple(tenant or ()),
        models=tuple(model or ()),
        dataset=dataset,
        parameters=dict(parse_assignments(parameter or [])),
        again=again,
    )
    at_once = workers or os.cpu_count() or 1
    cluster = settings().dask
    with platform() as registry:
        # a company that has only its folder is a company, too
        registry.adopt(refused=complain)
        _check_walls(registry)
        if cluster is not None and not dry_run:
            from kamp_lib.fleet.cluster_check import check_cluster

            check_cluster(cluster)
        limits = JobLimits(memory, timeout, threads_each(at_once))
        with Pool(at_once, limits) as pool:
            with console.progress(Text("배치", "batch")) as listener:
                plan = make_plan(registry, wanted, pool, progress=listener)
            if dry_run:
                _show_plan(plan, as_json)
            else:
                _run(plan, registry, pool, cluster, as_json)


def _run(
    plan: Plan,
    registry: Registry,
    pool: Pool,
    cluster: str | None,
    as_json: bool,
) -> None:
    from kamp_lib.fleet import run_batch
    from kamp_lib.fleet.display import watching

    with watching(len(plan.orders)) as watch:
        done = run_batch(plan, registry, pool=pool, cluster=cluster, watch=watch)
    _show(done, as_json)
    if done.status == "stopped":
        raise KampError(
            "배치를 중단했습니다. 끝난 것은 그대로 있습니다. 이어서 하려면 같은 명령을 다시 실행하세요.",
            "the batch was stopped; what had ended is kept. The same command goes on from there.",
        )
    if done.troubles:
        count = len(done.troubles)
        raise KampError(
            f"{count:,}건이 실패했습니다. 이유는 위의 표와 보고서에 있습니다: {done.report}",
            f"{count:,} did not succeed; the table above and the report say why: {done.report}",
        )


def _check_walls(registry: Registry) -> None:
    """Several companies are worked on behind walls, or not at all."""
    from kamp_lib.hub.walls import require_walls

    slugs = [sme.slug for sme in registry.smes()]
    require_walls(slugs, allowed_without=settings().unsafe_no_walls)


@batches.command(
    "list",
    help=_("지금까지의 배치 목록.", "List the batches."),
    epilog=example("kamp batch list"),
)
def batch_list(as_json: Json = False) -> None:
    from kamp_lib.fleet import list_batches

    refuse_in_a_workspace()
    there = list_batches()
    if as_json:
        print_json([_head(b) for b in there])
        return
    if not there:
        say("배치가 아직 없습니다. 실행: kamp batch", "no batch yet; run: kamp batch")
        return
    console.table(
        [
            Text("배치", "batch"),
            Text("시작", "started"),
            Text("상태", "state"),
            Text("실행", "made"),
            Text("이미 됨", "known"),
            Text("살펴볼 것", "troubles"),
            Text("초", "s"),
        ],
        [
            [
                b.id,
                local(b.started),
                STATES[b.status],
                b.count("succeeded", "failed"),
                b.count("known"),
                len(b.troubles),
                f"{b.seconds:.0f}",
            ]
            for b in there
        ],
        whole=(0,),
    )


@batches.command(
    "show",
    help=_("배치 하나의 결과.", "Show one batch."),
    epilog=example("kamp batch show latest"),
)
def batch_show(
    name: Annotated[
        str,
        typer.Argument(
            metavar=_("배치", "BATCH"), help=_("ID 또는 latest", "id or latest")
        ),
    ] = "latest",
    as_json: Json = False,
) -> None:
    from kamp_lib.fleet import find_batch

    refuse_in_a_workspace()
    _show(find_batch(name), as_json)


def _show(done: Batch, as_json: bool) -> None:
    if as_json:
        print_json({**_head(done), **done.model_dump(mode="json", exclude={"waiting"})})
        return
    if done.outcomes:
        _table(done.outcomes)
    from kamp_lib.fleet.report import headline

    said = headline(done)
    say(f"{said.ko} ({done.seconds:.0f}초)", f"{said.en} ({done.seconds:.0f} s)")
    if done.report.is_file():
        say(f"보고서: {done.report}", f"report: {done.report}")


def _table(outcomes: list[Outcome]) -> None:
    console.table(
        [
            Text("기업", "company"),
            Text("모델", "model"),
            Text("데이터", "data"),
            Text("판정", "verdict"),
            Text("달라진 것·이유", "changed / why"),
            Text("초", "s"),
        ],
        [
            [
                o.order.name,
                o.order.label,
                f"{o.order.dataset} v{o.order.version}" if o.order.dataset else "–",
                o.label,
                _why(o),
                f"{o.seconds:.1f}" if o.seconds else "–",
            ]
            for o in outcomes
        ],
    )


def _why(outcome: Outcome) -> str:
    if outcome.trouble or outcome.status in ("stopped", "known"):
        return str(outcome.said)
    return ", ".join(str(changed) for changed in outcome.changed)


def _show_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "run": [order.model_dump(mode="json") for order in plan.orders],
                "settled": [o.model_dump(mode="json") for o in plan.settled],
            }
        )
        return
    if not plan.all:
        say("실행할 것이 없습니다.", "there is nothing to run.")
        return
    ready = [
        [o.name, o.label, f"{o.dataset} v{o.version}", Text("실행", "run")]
        for o in plan.orders
    ]
    settled = [
        [o.order.name, o.order.label, o.order.dataset or "–", o.said]
        for o in plan.settled
    ]
    console.table(
        [
            Text("기업", "company"),
            Text("모델", "model"),
            Text("데이터", "data"),
            Text("할 일", "to do"),
        ],
        [*ready, *settled],
    )
    say(f"실행할 것: {len(plan.orders):,}건", f"to run: {len(plan.orders):,}")


def _head(done: Batch) -> dict[str, Any]:
    return {
        "batch": done.id,
        "status": done.status,
        "started": done.started.isoformat(),
        "seconds": done.seconds,
        "made": done.count("succeeded", "failed"),
        "known": done.count("known"),
        "troubles": len(done.troubles),
        "report": str(done.report),
    }
