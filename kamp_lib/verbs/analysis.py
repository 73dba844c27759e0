"""Runs and their pages: `run`, `runs`, `show`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.tenancy import Tenant, tenant_named
from kamp_lib.text import Text
from kamp_lib.verbs.common import (
    DatasetName,
    Json,
    Parameters,
    _,
    example,
    one,
    print_json,
    tenant_and,
)

app = typer.Typer()


@app.command(
    help=_("표준모델 분석을 실행합니다.", "Run the analysis of a standard model."),
    epilog=example(
        "kamp run haneul-mold injection-quality",
        "kamp run haneul-mold injection-quality -p cost_missed=80000 --json",
        "kamp run acme quality-classification --dataset casting -p target=passorfail",
    ),
)
def run(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar=_("기업 모델", "TENANT MODEL"),
            help=_("기업 ID, 모델 ID", "company, model"),
        ),
    ],
    dataset: DatasetName = None,
    version: Annotated[
        int | None, typer.Option(help=_("데이터셋 버전", "version of the data set"))
    ] = None,
    parameter: Parameters = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.catalog import parse_assignments, resolve_parameters
    from kamp_lib.hub import jobs
    from kamp_lib.runs.context import find_model
    from kamp_lib.workbench import Company

    tenant, rest = tenant_and(arguments)
    model = one(rest, Text("모델", "MODEL"))
    given = parse_assignments(parameter or [])
    resolve_parameters(*find_model(model), given)
    with console.progress(Text("분석 실행", "Run")) as listener:
        if jobs.walls_needed():
            bundle = jobs.run_model(
                tenant,
                model,
                dataset=dataset,
                version=version,
                parameters=given,
                progress=listener,
            )
        else:
            bundle = Company(tenant).run(
                model, dataset=dataset, version=version, progress=listener, **given
            )
    record = bundle.record
    if as_json:
        print_json(_run_as_json(bundle))
    elif record.status == "succeeded":
        _show_run(tenant, bundle)
    if record.status == "failed":
        from kamp_lib.runs import failed_sentence

        raise failed_sentence(record)


@app.command(
    help=_("분석 실행 목록.", "List the runs."),
    epilog=example("kamp runs haneul-mold"),
)
def runs(
    tenant: Annotated[str | None, typer.Argument(help=_("기업", "company"))] = None,
    as_json: Json = False,
) -> None:
    from kamp_lib.runs import list_runs

    company = tenant_named(tenant)
    there = list_runs(company)
    if as_json:
        print_json([_run_as_json(b) for b in there])
    elif not there:
        say(
            f"분석 실행이 아직 없습니다. 실행: kamp run {company.slug} 모델",
            f"no run yet; start one: kamp run {company.slug} MODEL",
        )
    else:
        console.table(
            [
                Text("분석 실행", "run"),
                Text("모델", "model"),
                Text("데이터", "data"),
                Text("판정", "verdict"),
                Text("초", "s"),
            ],
            [
                [
                    b.record.run,
                    b.record.model.name,
                    f"{b.record.dataset.name} v{b.record.dataset.version}"
                    if b.record.dataset
                    else "",
                    b.record.outcome,
                    f"{b.record.seconds:.1f}",
                ]
                for b in there
            ],
        )


@app.command(
    help=_("분석 실행 하나를 봅니다.", "Show one run."),
    epilog=example("kamp show haneul-mold latest"),
)
def show(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar=_("기업 실행", "TENANT RUN"),
            help=_("기업, 분석 실행(또는 latest)", "company, run (or latest)"),
        ),
    ],
    as_json: Json = False,
) -> None:
    from kamp_lib.runs import open_run

    tenant, rest = tenant_and(arguments)
    bundle = open_run(tenant, one(rest, Text("분석 실행", "RUN")))
    if as_json:
        print_json(_run_as_json(bundle))
    else:
        _show_run(tenant, bundle)


@app.command(
    help=_(
        "의사결정 페이지를 파일로 내보냅니다 (.html .pdf .xlsx).",
        "Export a decision page to a file (.html .pdf .xlsx).",
    ),
    epilog=example("kamp export haneul-mold latest --to report.html"),
)
def export(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar=_("기업 실행", "TENANT RUN"),
            help=_("기업, 분석 실행(또는 latest)", "company, run (or latest)"),
        ),
    ],
    to: Annotated[Path, typer.Option(help=_("만들 파일", "file to write"))],
    as_json: Json = False,
) -> None:
    from kamp_lib import reports
    from kamp_lib.hub import jobs
    from kamp_lib.runs import open_run

    tenant, rest = tenant_and(arguments)
    bundle = open_run(tenant, one(rest, Text("분석 실행", "RUN")))
    with console.progress(Text("내보내기", "Export")) as listener:
        listener(Text(f"{to.name} 만들기", f"writing {to.name}"))
        if jobs.walls_needed():
            jobs.export_run(tenant, bundle.path.name, to)
        else:
            reports.export(bundle, to)
    if as_json:
        print_json(
            {"run": bundle.path.name, "file": str(to), "bytes": to.stat().st_size}
        )
    else:
        say(f"내보냈습니다: {to}", f"exported: {to}")


def _run_as_json(bundle: Any) -> dict[str, Any]:
    return {
        **bundle.record.model_dump(mode="json"),
        "bundle": str(bundle.path.resolve()),
    }


def _show_run(tenant: Tenant, bundle: Any) -> None:
    record = bundle.record
    say(
        f"{record.model.name.ko} · {record.run}",
        f"{record.model.name.en} · {record.run}",
    )
    if record.dataset and record.dataset.simulated:
        say("모의(시뮬레이션) 데이터입니다.", "simulated data.")
    if record.verdict is None:
        say(f"실패: {record.reason.ko}", f"failed: {record.reason.en}")
        return
    say(f"판정: {record.verdict.sentence.ko}", f"verdict: {record.verdict.sentence.en}")
    # the sentence names its first reason already
    more_reasons = [
        reason
        for reason in record.verdict.reasons
        if reason.message_ko not in record.verdict.sentence.ko
    ]
    if more_reasons:
        say("또 알아 둘 점:", "also:")
    for reason in more_reasons:
        say(f" - {reason.message_ko}", f" - {reason.message_en}")
    if record.verdict.collect:
        say("이렇게 모아 주세요:", "what to collect:")
    for more in record.verdict.collect:
        say(f" - {more.ko}", f" - {more.en}")
    _show_scores(record)
    say(f"결과 폴더: {bundle.path}", f"bundle: {bundle.path}")
    say(
        f"다음: kamp publish {tenant.slug} {record.run}",
        f"next: kamp publish {tenant.slug} {record.run}",
    )


SCORES = {
    "average_precision": Text("평균 정밀도(1이 만점)", "average precision"),
    "roc_auc": Text("구별력 AUC(1이 만점, 0.5는 우연)", "ROC AUC"),
    "brier_score_loss": Text(
        "확률 오차(작을수록 좋음)", "Brier score (lower is better)"
    ),
}


def _show_scores(record: Any) -> None:
    scores = {n: s for n, s in record.metrics.items() if s.value is not None}
    if not scores:
        say(
            "판정 결과가 없어 성능을 잴 수 없습니다.",
            "nothing is marked good or bad, so no score can be given.",
        )
        if record.parameters.get("target") is None:
            say(
                "판정이 적힌 열이 있으면 -p target=열이름 을 붙여 다시 실행하세요.",
                "if a column holds the outcome, run again with -p target=COLUMN.",
            )
        return
    console.table(
        [
            Text("성능", "score"),
            Text("값", "value"),
            Text("오차 범위", "interval"),
            Text("기준 방법", "baseline"),
            Text("섞어 나눴다면", "if shuffled"),
        ],
        [
            [
                SCORES.get(name, name),
                _number(score.value),
                f"{_number(score.low)} – {_number(score.high)}",
                _number(record.baseline[name].value)
                if name in record.baseline
                else "–",
                _number(record.shuffled[name].value)
                if name in record.shuffled
                else "–",
            ]
            for name, score in scores.items()
        ],
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
