"""Releasing decision pages: `publish`, `withdraw`, `published`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.tenancy import tenant_named
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, one, print_json, tenant_and

app = typer.Typer()

TenantRun = Annotated[
    list[str],
    typer.Argument(
        metavar=_("기업 실행", "TENANT RUN"),
        help=_("기업, 분석 실행(또는 latest)", "company, run (or latest)"),
    ),
]


@app.command(
    help=_(
        "분석 결과를 의사결정 페이지로 게시합니다.", "Publish a run's decision page."
    ),
    epilog=example("kamp publish haneul-mold latest"),
)
def publish(arguments: TenantRun, as_json: Json = False) -> None:
    from kamp_lib.reports import release
    from kamp_lib.runs import open_run

    tenant, rest = tenant_and(arguments)
    bundle = open_run(tenant, one(rest, Text("분석 실행", "RUN")))
    note = release.publish(tenant, bundle.path.name)
    folder = tenant.published / note.run
    if as_json:
        print_json({"run": note.run, "published": str(folder), "by": note.by})
        return
    say(f"게시했습니다: {folder}", f"published: {folder}")
    if note.left_out:
        names = ", ".join(note.left_out[:5])
        say(
            f"분석 결과가 아닌 파일은 빼고 게시했습니다: {names}",
            f"left out, as they are no part of a run: {names}",
        )
    if bundle.record.status == "failed":
        say(
            "주의: 마치지 못한 분석이라 페이지에는 실패한 이유만 나옵니다.",
            "note: this run did not finish, so its page only says why.",
        )
    if not release.through_hub():
        say(
            f"페이지 보기: kamp pages {tenant.slug}",
            f"see it: kamp pages {tenant.slug}",
        )


@app.command(
    help=_("게시한 페이지를 거둬들입니다.", "Take a published page back."),
    epilog=example(
        "kamp withdraw haneul-mold 20261121-010203-injection-quality-ab12cd"
    ),
)
def withdraw(arguments: TenantRun, as_json: Json = False) -> None:
    from kamp_lib.reports import release

    tenant, rest = tenant_and(arguments)
    note = release.withdraw(tenant, one(rest, Text("분석 실행", "RUN")))
    if as_json:
        print_json(_as_json(note))
        return
    say(
        f"게시를 취소했습니다: {note.run}. 누가 언제 게시하고 취소했는지는 기록에 남습니다.",
        f"withdrawn: {note.run}. Who published and withdrew it stays on record.",
    )


@app.command(
    help=_("게시한 페이지와 그 이력.", "List published pages and their history."),
    epilog=example("kamp published haneul-mold", "kamp published haneul-mold --all"),
)
def published(
    tenant: Annotated[str | None, typer.Argument(help=_("기업", "company"))] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=_("게시 취소한 것도", "withdrawn ones, too"))
    ] = False,
    as_json: Json = False,
) -> None:
    from kamp_lib.reports import release
    from kamp_lib.reports.notes import current_runs

    company = tenant_named(tenant)
    notes = release.published(company, withdrawn=everything)
    current = current_runs(notes)
    if as_json:
        print_json([{**_as_json(n), "current": n.run in current} for n in notes])
    elif not notes:
        say(
            f"게시한 페이지가 아직 없습니다. 게시: kamp publish {company.slug} latest",
            f"nothing is published yet; publish: kamp publish {company.slug} latest",
        )
    else:
        console.table(
            [
                Text("분석 실행", "run"),
                Text("모델", "model"),
                Text("데이터", "data"),
                Text("게시", "published"),
                Text("게시한 사람", "by"),
                Text("상태", "state"),
            ],
            [_row(n, n.run in current, company.time_zone) for n in notes],
        )


def _row(note: Any, current: bool, zone: str) -> list[Any]:
    from kamp_lib.reports import numbers

    state = Text("현재", "current") if current else Text("이전", "earlier")
    if note.withdrawn is not None:
        when = numbers.when(note.withdrawn, zone)
        state = Text(
            f"게시 취소({note.withdrawn_by}, {when})",
            f"withdrawn ({note.withdrawn_by}, {when})",
        )
    published = numbers.when(note.published, zone)
    return [
        note.run,
        note.model or "–",
        note.dataset or "–",
        published,
        note.by or "–",
        state,
    ]


def _as_json(note: Any) -> dict[str, Any]:
    return dict(note.model_dump(mode="json", exclude={"sha256"}))
