"""Files into data sets: `ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.datasets.options import DateOrder, Layout, Options
from kamp_lib.errors import UsageError
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text
from kamp_lib.verbs.common import (
    Json,
    _,
    example,
    print_json,
    tenant_and,
)

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
    dataset: Annotated[
        str | None, typer.Option(help=_("데이터셋 이름", "name of the data set"))
    ] = None,
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
            help=_("읽을 시트(또는 DB 테이블)", "the sheet, or table of a database")
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
    from kamp_lib.datasets import ingest as ingest_files

    equipment, *files = rest
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
            options=Options(sheet=sheet, dates=dates, layout=layout),
            progress=listener,
        )
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        _show_ingest(tenant, result)


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


def _show_ingest(tenant: Tenant, result: Any) -> None:
    if result.unchanged:
        say(
            "이미 가져온 파일입니다. 바뀐 것이 없습니다.",
            "this file is in already; nothing changed.",
        )
    counts = (
        result.rows_read,
        result.rows_stored,
        result.rows_quarantined,
        result.rows_duplicate,
    )
    say(
        "읽은 행 {:,} = 저장 {:,} + 보류(격리) {:,} + 중복 {:,}".format(*counts),
        "read {:,} = stored {:,} + quarantined {:,} + duplicates {:,}".format(*counts),
    )
    quality = result.quality
    say(
        f"데이터 품질 점수 {quality.score:.0f}점 (완전성 {quality.completeness:.0f},"
        f" 유효성 {quality.validity:.0f}, 유일성 {quality.uniqueness:.0f},"
        f" 일관성 {quality.consistency:.0f}, 적시성 {quality.timeliness:.0f})",
        f"data quality {quality.score:.0f} (completeness {quality.completeness:.0f},"
        f" validity {quality.validity:.0f}, uniqueness {quality.uniqueness:.0f},"
        f" consistency {quality.consistency:.0f}, timeliness {quality.timeliness:.0f})",
    )
    severities = {
        "error": Text("오류", "error"),
        "warning": Text("주의", "warning"),
        "info": Text("안내", "info"),
    }
    if result.findings:
        console.table(
            [
                Text("심각도", "severity"),
                Text("발견 사항", "finding"),
                Text("처리 / 할 일", "done / to do"),
            ],
            [
                [severities[f.severity], f"{f.code}\n{f.message}", f.action]
                for f in result.findings
            ],
        )
    unsure = [m for m in result.mapping.columns if m.canonical and m.confidence < 0.7]
    if unsure:
        console.table(
            [
                Text("파일의 열", "column of the file"),
                Text("맞춘 열", "taken as"),
                Text("이유", "reason"),
            ],
            [[m.source, m.canonical, m.reason] for m in unsure],
            title=Text("확인이 필요한 열 맞추기", "Column mapping to check"),
        )
    if result.mapping_file:
        say(
            f"열 맞추기 파일(고쳐 쓸 수 있음): {result.mapping_file}",
            f"column mapping (you may edit it): {result.mapping_file}",
        )
    if result.dry_run:
        say(
            "살펴보기만 했고 저장하지 않았습니다. 저장하려면 --dry-run 을 빼고 다시 실행하세요.",
            "a dry run: nothing was stored. Run it again without --dry-run to store it.",
        )
        return
    from kamp_lib.catalog import standard_models

    fitting = [
        m.id for m in standard_models().values() if m.equipment == result.equipment
    ]
    if result.version is not None:
        stored = (
            Text("데이터셋", "data set")
            if result.unchanged
            else Text("저장됨", "stored")
        )
        say(
            f"{stored.ko}: {result.dataset} v{result.version}",
            f"{stored.en}: {result.dataset} v{result.version}",
        )
    if fitting:
        say(
            f"다음: kamp run {tenant.slug} {fitting[0]} --dataset {result.dataset}",
            f"next: kamp run {tenant.slug} {fitting[0]} --dataset {result.dataset}",
        )
    else:
        command = (
            f"kamp run {tenant.slug} quality-classification --dataset {result.dataset}"
        )
        say(
            f"다음: {command} -p target=판정열 (양품·불량이 적힌 열의 이름을 넣으세요)",
            f"next: {command} -p target=COLUMN (the column that says good or bad)",
        )
