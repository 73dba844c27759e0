"""Files into data sets: `ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.datasets.options import (
    DateOrder,
    Layout,
    Options,
    Personal,
    nobody_to_ask,
)
from kamp_lib.errors import UsageError
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text
from kamp_lib.verbs.common import (
    DatasetName,
    Json,
    _,
    example,
    print_json,
    tenant_and,
)
from kamp_lib.verbs.ingest_questions import asker
from kamp_lib.verbs.ingest_view import show_ingest

app = typer.Typer()


@app.command(
    help=_(
        "설비 파일을 표준 데이터셋으로 가져옵니다.",
        "Bring machine files in as a standard data set.",
    ),
    epilog=example(
        "kamp ingest haneul-mold injection-moulding shots.csv",
        "kamp ingest narae-cnc cnc-machine runs/ --labels labels.csv --on run_id",
        "kamp ingest haneul-mold injection-moulding shots.csv --dry-run",
        "kamp ingest haneul-mold injection-moulding shots.csv --fix sentinel-value",
        "kamp ingest --undo haneul-mold injection",
    ),
)
def ingest(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar=_("기업 설비 파일...", "TENANT EQUIPMENT FILE..."),
            help=_(
                "기업 ID, 설비 ID, 파일이나 폴더", "company, equipment, files or folder"
            ),
        ),
    ],
    dataset: DatasetName = None,
    mapping: Annotated[
        Path | None, typer.Option(help=_("열 맞추기 파일", "column mapping file"))
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help=_("판정 결과 파일", "file with the labels"))
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            help=_(
                "판정 파일에서 어느 파일(회차)인지 적힌 열",
                "column of --labels that names the file or run",
            )
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help=_("이어 붙이지 않고 바꿉니다", "replace instead of append"),
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help=_("저장하지 않고 살펴만 봅니다", "look, store nothing")
        ),
    ] = False,
    sheet: Annotated[
        str | None,
        typer.Option(
            help=_(
                "읽을 시트(또는 DB 테이블); '*'는 열이 같은 시트 모두",
                "the sheet, or table of a database; '*': all sheets alike",
            )
        ),
    ] = None,
    dates: Annotated[
        DateOrder | None,
        typer.Option(
            help=_(
                "날짜의 순서: dmy(일/월/년), mdy(월/일/년), ymd",
                "order of dates: dmy (day first), mdy (month first), ymd",
            )
        ),
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option(
            help=_(
                "표 모양: as-is(그대로), long(열을 행으로), wide(행을 열로)",
                "shape of the table: as-is, long (columns to rows), wide",
            )
        ),
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option(
            help=_(
                "고칠 발견 사항의 코드(여러 번 쓸 수 있음)",
                "code of a finding to mend (may be repeated)",
            )
        ),
    ] = None,
    no_fix: Annotated[
        bool,
        typer.Option(
            "--no-fix",
            help=_(
                "지난번에 고친 것도 이번에는 고치지 않습니다",
                "mend nothing, not even what was mended last time",
            ),
        ),
    ] = False,
    personal: Annotated[
        Personal,
        typer.Option(
            help=_(
                "개인정보: mask(가려서 저장), refuse(저장하지 않음), keep(그대로)",
                "personal data: mask them, refuse the file, or keep them",
            )
        ),
    ] = "mask",
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help=_(
                "묻지 않습니다: 확실한 열(기본 70% 이상)만 맞추고 나머지는 이름 그대로",
                "ask nothing: map what is sure (70 % and more), keep the rest as it is",
            ),
        ),
    ] = False,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo",
            help=_(
                "마지막 가져오기를 되돌립니다 (기업 데이터셋)",
                "take back the last ingest (TENANT DATASET)",
            ),
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    tenant, rest = tenant_and(arguments)
    if undo:
        _undo(tenant, rest, as_json)
        return
    if len(rest) < 2 or not all(rest):  # an empty name would be this folder
        raise UsageError(
            "설비와 파일을 적어 주세요: kamp ingest 기업 설비 파일...",
            "name the equipment and the files: kamp ingest TENANT EQUIPMENT FILE...",
        )
    from kamp_lib.catalog import equipment_type
    from kamp_lib.datasets import ingest as ingest_files

    equipment, *files = rest
    asking = console.somebody_there() and not yes and not as_json
    with console.progress(Text("데이터 가져오기", "Ingest")) as listener:
        result = ingest_files(
            tenant,
            equipment,
            [Path(file) for file in files],
            dataset=dataset,
            mapping=mapping,
            labels=labels,
            on=on,
            replace=replace,
            dry_run=dry_run,
            options=Options(
                sheet=sheet,
                dates=dates,
                layout=layout,
                personal=personal,
                fixes=() if no_fix else tuple(fix) if fix else None,
                password=file_password,
                column=asker(equipment_type(equipment)) if asking else nobody_to_ask,
            ),
            progress=listener,
        )
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        said = {
            "--dataset": result.dataset,
            "--mapping": mapping,
            "--labels": labels,
            "--on": on,
            "--sheet": sheet,
            "--dates": dates,
            "--layout": layout,
            "--personal": None if personal == "mask" else personal,
        }
        options = [word for o, v in said.items() if v for word in (o, str(v))]
        show_ingest(tenant, result, ["kamp", "ingest", *arguments, *options])


def file_password(name: str) -> str | None:
    """The password of a locked file: from the environment, or asked for."""
    known = settings().file_password
    if known is not None:
        return known.get_secret_value()
    return console.ask_secret(
        Text(
            f"'{name}'의 암호(화면에 보이지 않음)", f"password of {name!r} (not shown)"
        )
    )


def _undo(tenant: Tenant, rest: list[str], as_json: bool) -> None:
    if len(rest) != 1:
        raise UsageError(
            "되돌릴 데이터셋을 적어 주세요: kamp ingest --undo 기업 데이터셋",
            "name the data set: kamp ingest --undo TENANT DATASET",
        )
    from kamp_lib.datasets import undo as undo_ingest

    left = undo_ingest(tenant, rest[0])
    if as_json:
        print_json(
            {
                "dataset": rest[0],
                "version": left.version if left else None,
                "rows": left.rows if left else 0,
            }
        )
    elif left is None:
        say(
            f"되돌렸습니다: 남은 데이터가 없어 데이터셋 '{rest[0]}' 자체를 지웠습니다.",
            f"undone: the data set {rest[0]!r} is gone.",
        )
    else:
        say(
            f"되돌렸습니다: '{left.name}' {left.rows:,}행이 남았습니다.",
            f"undone: {left.name!r} has {left.rows:,} rows again.",
        )
