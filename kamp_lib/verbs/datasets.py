"""Data sets that are stored: `datasets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.tenancy import tenant_named
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, print_json, tenant_and
from kamp_lib.verbs.dataset_view import show_page


class _ListsByDefault(TyperGroup):
    """`kamp datasets acme` lists; any other verb stands before the company."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        verb = next((a for a in args if not a.startswith("-")), None)
        asks_help = bool({"-h", "--help"} & set(args))
        if verb not in self.commands and not (asks_help and verb is None):
            args = ["list", *args]
        return super().parse_args(ctx, args)


datasets = typer.Typer(
    cls=_ListsByDefault,
    help=_("저장된 데이터셋을 보고 다룹니다.", "See and handle stored data sets."),
    epilog=example("kamp datasets haneul-mold", "kamp datasets haneul-mold --json"),
)


@datasets.command(
    "list",
    help=_("데이터셋 목록.", "List the data sets."),
    epilog=example("kamp datasets haneul-mold", "kamp datasets haneul-mold --json"),
)
def datasets_list(
    tenant: Annotated[str | None, typer.Argument(help=_("기업", "company"))] = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets import list_datasets

    company = tenant_named(tenant)
    there = list_datasets(
        company, unreadable=lambda error: console.complain(str(error))
    )
    if as_json:
        print_json(
            [
                {
                    "dataset": d.name,
                    "equipment": d.equipment,
                    "record_kind": d.record_kind,
                    "version": d.version,
                    "rows": d.rows,
                    "quality": d.quality.model_dump(),
                    "simulated": d.simulated,
                    "fingerprint": d.fingerprint,
                }
                for d in there
            ]
        )
    elif not there:
        say(
            f"데이터셋이 아직 없습니다. 가져오기: kamp ingest {company.slug} 설비 파일",
            f"no data set yet; bring one in: kamp ingest {company.slug} EQUIPMENT FILE",
        )
    else:
        console.table(
            [
                Text("데이터셋", "data set"),
                Text("설비", "equipment"),
                Text("버전", "version"),
                Text("행", "rows"),
                Text("품질 점수", "quality"),
                Text("비고", "note"),
            ],
            [
                [
                    d.name,
                    d.equipment,
                    d.version,
                    f"{d.rows:,}",
                    f"{d.quality.score:.0f}",
                    Text("모의 데이터", "simulated") if d.simulated else "",
                ]
                for d in there
            ],
        )


@datasets.command(
    "show",
    help=_(
        "데이터셋 하나를 자세히 봅니다: 품질, 발견 사항, 쓸 수 있는 열.",
        "Look at one data set: quality, findings, usable columns.",
    ),
    epilog=example(
        "kamp datasets show haneul-mold injection",
        "kamp datasets show haneul-mold injection --to injection.html",
    ),
)
def datasets_show(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar=_("기업 데이터셋", "TENANT DATASET"),
            help=_("기업 ID, 데이터셋 이름", "company, name of the data set"),
        ),
    ],
    version: Annotated[
        int | None, typer.Option(help=_("예전 판 번호", "an older version"))
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(help=_("저장할 HTML 파일", "write it as this HTML file")),
    ] = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets import open_dataset
    from kamp_lib.reports import dataset_page

    company, rest = tenant_and(arguments)
    dataset = open_dataset(company, rest[0] if rest else None, version)
    with console.progress(Text("데이터셋 살펴보기", "Looking at the data")) as listener:
        page = dataset_page(dataset, progress=listener)
    if to is not None:
        page.write(to)
        say(f"저장했습니다: {to}", f"written: {to}")
    elif as_json:
        print_json(page.as_json())
    else:
        show_page(page)
