"""Single rows of stored data sets: `datasets quarantine`, `repair`, `trace`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.datasets.options import DateOrder, Options
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, print_json
from kamp_lib.verbs.datasets import datasets
from kamp_lib.verbs.versions import ONE, Names, named, names_and

SHOWN_ROWS = 20


@datasets.command(
    "quarantine",
    help=_(
        "보류(격리)된 행을 이유와 함께 보거나 파일로 내보냅니다.",
        "Rejected rows with their reasons, or as a file to mend.",
    ),
    epilog=example(
        "kamp datasets quarantine haneul-mold injection",
        "kamp datasets quarantine haneul-mold injection --to rejected.csv",
    ),
)
def show_quarantine(
    arguments: Names,
    to: Annotated[
        Path | None, typer.Option(help=_("저장할 CSV 파일", "write it as this CSV"))
    ] = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets import open_dataset
    from kamp_lib.datasets.repair import rejections
    from kamp_lib.datasets.storage.sheet import sheet_bytes

    company, (name,) = names_and(arguments, 1, ONE)
    rows = rejections(open_dataset(company, name))
    if to is not None:
        to.write_bytes(sheet_bytes(rows))
        then = f"kamp datasets repair {company.slug} {name} {to}"
        say(
            f"보류된 행 {len(rows):,}개를 {to} 에 저장했습니다. 값을 고친 뒤: {then}",
            f"{len(rows):,} rejected rows written to {to}. Mend the values, then: {then}",
        )
    elif as_json:
        print_json(
            [
                {
                    **row.place.model_dump(),
                    "reason": row.reason,
                    "original": row.original,
                    "cells": row.cells,
                }
                for row in rows
            ]
        )
    elif not rows:
        say("보류된 행이 없습니다.", "no row is in quarantine.")
    else:
        console.table(
            [
                Text("파일", "file"),
                Text("행", "row"),
                Text("이유", "reason"),
                Text("원본", "original"),
            ],
            [
                [r.place.file, r.place.row, r.reason, r.original]
                for r in rows[:SHOWN_ROWS]
            ],
        )
        then = f"kamp datasets quarantine {company.slug} {name} --to rejected.csv"
        say(
            f"보류된 행 {len(rows):,}개. 고치려면: {then}",
            f"{len(rows):,} rows in quarantine. To mend them: {then}",
        )


@datasets.command(
    "repair",
    help=_(
        "내보내서 고친 보류 행을 원래 자리에 저장합니다.",
        "Store mended rows of quarantine in their place.",
    ),
    epilog=example("kamp datasets repair haneul-mold injection rejected.csv"),
)
def repair_rows(
    arguments: Annotated[list[str], named("기업 데이터셋 파일", "TENANT DATASET FILE")],
    dates: Annotated[
        DateOrder | None,
        typer.Option(help=_("날짜의 순서: dmy, mdy, ymd", "order of dates")),
    ] = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets.repair import repair

    what = Text("데이터셋과 고친 파일을", "a data set and the mended file")
    company, (name, file) = names_and(arguments, 2, what)
    with console.progress(Text("보류 행 고치기", "Repair")) as listener:
        result = repair(
            company, name, Path(file), options=Options(dates=dates), progress=listener
        )
    if as_json:
        print_json(result.model_dump(mode="json"))
        return
    say(
        f"{result.rows_repaired:,}행을 원래 자리에 저장했습니다(중복 {result.rows_duplicate:,}행)."
        f" 아직 보류된 행: {result.rows_left:,}. {name} {result.version}판",
        f"{result.rows_repaired:,} rows stored in their place ({result.rows_duplicate:,} duplicates)."
        f" Still in quarantine: {result.rows_left:,}. {name} v{result.version}",
    )
    for row in result.still[:SHOWN_ROWS]:
        reason = Text(str(row["reason_ko"]), str(row["reason_en"]))
        say(
            f"  {row['file']}:{row['row']} {reason}",
            f"  {row['file']}:{row['row']} {reason}",
        )


@datasets.command(
    "trace",
    help=_(
        "저장된 행이 어느 파일, 어느 줄에서 왔는지 봅니다.",
        "Which file and line a stored row came from.",
    ),
    epilog=example("kamp datasets trace haneul-mold injection --row 120"),
)
def trace_rows(
    arguments: Names,
    row: Annotated[
        list[int],
        typer.Option(min=1, help=_("저장된 순서로 몇 번째 행(1부터)", "row, from 1")),
    ],
    version: Annotated[
        int | None, typer.Option(help=_("예전 판 번호", "an older version"))
    ] = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets import open_dataset

    company, (name,) = names_and(arguments, 1, ONE)
    found = open_dataset(company, name, version).trace([r - 1 for r in row])
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    mended = Text("보류되었다가 고친 행", "mended after it was rejected")
    for one in found:
        sheet = f" [{one.sheet}]" if one.sheet else ""
        note = f" · {mended}" if one.repaired else ""
        say(
            f"{one.row}번째 행 = {one.file}{sheet} {one.line}행 ({one.version}판에서 들어옴){note}",
            f"row {one.row} = {one.file}{sheet} line {one.line} (since version {one.version}){note}",
        )
        say(
            f"  원본: {one.original or '보관하지 않음(개인정보를 가렸습니다)'}",
            f"  original: {one.original or 'not kept (personal data were masked)'}",
        )
        print(f"  sha256: {one.sha256}")
