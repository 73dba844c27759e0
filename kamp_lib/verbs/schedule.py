"""Runs that come back: `schedule add`, `list`, `remove`, `run`, `history`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.errors import KampError, UsageError
from kamp_lib.text import Text
from kamp_lib.verbs.common import DatasetName, Json, Parameters, _, example, print_json
from kamp_lib.verbs.platform import platform

if TYPE_CHECKING:
    from datetime import datetime

    from kamp_lib.tenancy.types import Firing, Schedule, Sme, When

schedules = typer.Typer(
    no_args_is_help=True,
    help=_(
        "정해진 때에 분석을 실행합니다. 허브가 켜져 있는 동안 실행됩니다.",
        "Runs at set times; the hub's service starts them.",
    ),
)
Number = Annotated[
    int,
    typer.Argument(metavar=_("번호", "NUMBER"), help=_("예약 번호", "its number")),
]
STATES = {
    "running": Text("실행 중", "running"),
    "succeeded": Text("성공", "succeeded"),
    "failed": Text("실패", "failed"),
    "skipped": Text("건너뜀", "skipped"),
    "interrupted": Text("도중에 꺼짐", "cut off"),
}
USAGE = UsageError(
    "언제 실행할지 하나만 고르세요: --nightly, --weekly 요일, --on-new-data."
    " 시각은 --at 02:30 처럼 적습니다.",
    "choose one: --nightly, --weekly DAY or --on-new-data; the time is --at 02:30.",
)


@schedules.command(
    "add",
    help=_(
        "분석을 예약합니다. 시각은 그 기업의 시간대입니다.",
        "Have a model run again and again, in the company's time zone.",
    ),
    epilog=example(
        "kamp schedule add haneul-mold injection-quality --nightly",
        "kamp schedule add haneul-mold injection-quality --nightly 03:30",
        "kamp schedule add haneul-mold injection-quality --weekly mon 06:00",
        "kamp schedule add haneul-mold injection-quality --on-new-data",
    ),
)
def schedule_add(
    tenant: Annotated[
        str, typer.Argument(metavar=_("기업", "TENANT"), help=_("기업 ID", "company"))
    ],
    model: Annotated[
        str, typer.Argument(metavar=_("모델", "MODEL"), help=_("모델 ID", "model"))
    ],
    clock: Annotated[
        str | None,
        typer.Argument(
            metavar=_("[시각]", "[HH:MM]"), help=_("비우면 02:00", "02:00 if left out")
        ),
    ] = None,
    nightly: Annotated[
        bool, typer.Option("--nightly", help=_("매일", "every day"))
    ] = False,
    weekly: Annotated[
        str | None,
        typer.Option(metavar=_("요일", "DAY"), help=_("매주 이 요일에", "every week")),
    ] = None,
    on_new_data: Annotated[
        bool,
        typer.Option(
            "--on-new-data", help=_("새 데이터가 들어올 때마다", "with new data")
        ),
    ] = False,
    dataset: DatasetName = None,
    parameter: Parameters = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.catalog import parse_assignments, resolve_parameters
    from kamp_lib.fleet.datamark import data_mark
    from kamp_lib.runs.context import find_model
    from kamp_lib.tenancy import tenant_named

    when = _when(nightly, weekly, on_new_data, clock)
    given = parse_assignments(parameter or [])
    resolve_parameters(*find_model(model), dict(given))
    with platform() as registry:
        sme = registry.sme(tenant)
        seen = data_mark(tenant_named(tenant), dataset) if on_new_data else ""
        made = registry.add_schedule(
            tenant, model, when, dataset=dataset, parameters=given, seen=seen
        )
        if as_json:
            print_json(_as_json(made, sme, registry.now()))
            return
        next_time = _next(made, sme, registry.now())
    from kamp_lib.fleet.due import rhythm

    words = rhythm(when)
    say(
        f"예약했습니다({made.id}번): {words.ko}. 다음 실행: {next_time}",
        f"scheduled (no. {made.id}): {words.en}; next: {next_time}",
    )
    say(
        f"허브(kamp up)가 실행합니다. 지금 해 보려면: kamp schedule run {made.id}",
        f"the hub (kamp up) runs it; to try it now: kamp schedule run {made.id}",
    )


def _when(
    nightly: bool, weekly: str | None, on_new_data: bool, clock: str | None
) -> When:
    from kamp_lib.fleet.due import DEFAULT_TIME, minute_of, weekday_of
    from kamp_lib.tenancy.types import When

    if nightly + (weekly is not None) + on_new_data != 1:
        raise USAGE
    if on_new_data:
        if clock is not None:
            raise USAGE
        return When("new-data")
    minute = minute_of(clock or DEFAULT_TIME)
    if weekly is None:
        return When("nightly", minute)
    return When("weekly", minute, weekday_of(weekly))


@schedules.command(
    "list",
    help=_("예약 목록과 마지막 결과.", "The schedules and how they ended last."),
    epilog=example("kamp schedule list", "kamp schedule list haneul-mold"),
)
def schedule_list(
    tenant: Annotated[
        str | None,
        typer.Argument(metavar=_("[기업]", "[TENANT]"), help=_("비우면 모두", "all")),
    ] = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.fleet.due import rhythm

    with platform() as registry:
        smes = {sme.slug: sme for sme in registry.smes()}
        if tenant is not None:
            registry.sme(tenant)
        there = registry.schedules(tenant)
        now = registry.now()
        last = {s.id: next(iter(registry.firings(s.id, 1)), None) for s in there}
    if as_json:
        print_json([_as_json(s, smes[s.slug], now, last[s.id]) for s in there])
        return
    if not there:
        say(
            "예약이 없습니다. 추가: kamp schedule add 기업 모델 --nightly",
            "nothing is scheduled; add: kamp schedule add TENANT MODEL --nightly",
        )
        return
    console.table(
        [
            Text("번호", "no."),
            Text("기업", "company"),
            Text("모델", "model"),
            Text("언제", "when"),
            Text("다음", "next"),
            Text("마지막 결과", "last"),
        ],
        [
            [
                s.id,
                smes[s.slug].name,
                s.model,
                rhythm(s.when),
                _next(s, smes[s.slug], now),
                _ended(last[s.id]),
            ]
            for s in there
        ],
    )


@schedules.command(
    "remove",
    help=_("예약과 그 기록을 지웁니다.", "Remove a schedule and its history."),
    epilog=example("kamp schedule remove 3"),
)
def schedule_remove(number: Number, as_json: Json = False) -> None:
    with platform() as registry:
        gone = registry.remove_schedule(number)
    if as_json:
        print_json({"removed": gone.id})
    else:
        say(f"예약 {gone.id}번을 지웠습니다.", f"removed schedule {gone.id}.")


@schedules.command(
    "run",
    help=_("예약 하나를 지금 실행합니다.", "Run a schedule now."),
    epilog=example("kamp schedule run 3"),
)
def schedule_run(number: Number, as_json: Json = False) -> None:
    from kamp_lib.fleet.firing import fire, sweep
    from kamp_lib.fleet.pool import Pool

    with platform() as registry:
        schedule = registry.schedule(number)
        sweep(registry)
        with (
            console.progress(Text("예약된 분석", "scheduled run")) as listener,
            Pool(1) as pool,
        ):
            done = fire(
                *(registry, schedule, registry.now(), pool),
                extra=True,
                progress=listener,
            )
    if done is None:
        raise KampError(
            f"예약 {number}번은 지금 실행되고 있습니다. 결과: kamp schedule history {number}",
            f"schedule {number} is at work already; see kamp schedule history {number}",
        )
    if as_json:
        print_json(_firing_as_json(done))
    if done.status in ("failed", "interrupted"):
        raise KampError(done.said.ko, done.said.en)
    if not as_json:
        state = STATES[done.status]
        say(f"{state.ko}: {done.said.ko}", f"{state.en}: {done.said.en}")


@schedules.command(
    "history",
    help=_("예약이 실행된 기록.", "What became of each time."),
    epilog=example("kamp schedule history", "kamp schedule history 3"),
)
def schedule_history(
    number: Annotated[
        int | None,
        typer.Argument(metavar=_("[번호]", "[NUMBER]"), help=_("비우면 모두", "all")),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help=_("몇 줄까지", "how many lines"))
    ] = 50,
    as_json: Json = False,
) -> None:
    with platform() as registry:
        if number is not None:
            registry.schedule(number)
        there = registry.firings(number, limit)
        known = {s.id: s for s in registry.schedules()}
        zones = {sme.slug: sme.time_zone for sme in registry.smes()}
    if as_json:
        print_json([_firing_as_json(f) for f in there])
        return
    console.table(
        [
            Text("번호", "no."),
            Text("기업", "company"),
            Text("모델", "model"),
            Text("예정", "due"),
            Text("결과", "result"),
            Text("설명", "details"),
        ],
        [
            [
                f.schedule,
                known[f.schedule].slug,
                known[f.schedule].model,
                _local(f.due, zones[known[f.schedule].slug]),
                STATES[f.status],
                f.said,
            ]
            for f in there
            if f.schedule in known
        ],
    )


def _next(schedule: Schedule, sme: Sme, now: datetime) -> Text:
    from kamp_lib.fleet.due import next_due

    if sme.status != "active":
        return Text("중지된 기업", "company suspended")
    due = next_due(schedule.when, sme.time_zone, now)
    if due is None:
        return Text("새 데이터가 들어오면", "with new data")
    shown = f"{_local(due, sme.time_zone)} ({sme.time_zone})"
    return Text(shown, shown)


def _local(moment: datetime, zone: str) -> str:
    from kamp_lib.reports.numbers import when

    return when(moment, zone)


def _ended(firing: Firing | None) -> Text:
    if firing is None:
        return Text("아직 없음", "never")
    state = STATES[firing.status]
    if firing.status != "failed":
        return state
    return Text(f"{state.ko}: {firing.said.ko}", f"{state.en}: {firing.said.en}")


def _as_json(
    schedule: Schedule, sme: Sme, now: datetime, last: Firing | None = None
) -> dict[str, Any]:
    from kamp_lib.fleet.due import next_due, rhythm

    due = next_due(schedule.when, sme.time_zone, now)
    return {
        "id": schedule.id,
        "tenant": schedule.slug,
        "model": schedule.model,
        "dataset": schedule.dataset,
        "parameters": schedule.parameters,
        "rhythm": schedule.when.rhythm,
        "when": rhythm(schedule.when).model_dump(),
        "next": due.isoformat() if due else None,
        "created_by": schedule.created_by,
        "last": _firing_as_json(last) if last else None,
    }


def _firing_as_json(firing: Firing) -> dict[str, Any]:
    return {
        "schedule": firing.schedule,
        "due": firing.due.isoformat(),
        "started": firing.started.isoformat(),
        "finished": firing.finished.isoformat() if firing.finished else None,
        "status": firing.status,
        "runs": list(firing.runs),
        "message_ko": firing.said.ko,
        "message_en": firing.said.en,
    }
