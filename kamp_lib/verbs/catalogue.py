"""The catalogue: `models list|show`."""

from __future__ import annotations

from typing import Annotated

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.text import Text
from kamp_lib.verbs.common import (
    Json,
    _,
    example,
    print_json,
    shown,
    span,
)

models = typer.Typer(
    invoke_without_command=True,
    help=_("AI 표준모델 목록과 설명.", "The standard models."),
)


@models.callback()
def models_default(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        models_list(as_json)


@models.command(
    "list",
    help=_("AI 표준모델 목록.", "List the standard models."),
    epilog=example("kamp models list", "kamp models list --json"),
)
def models_list(as_json: Json = False) -> None:
    from kamp_lib.catalog import equipment_type, families, standard_models

    known = list(standard_models().values())
    if as_json:
        print_json([m.model_dump(mode="json") for m in known])
        return
    console.table(
        [
            Text("번호", "no."),
            Text("모델 ID", "model"),
            Text("이름", "name"),
            Text("설비", "equipment"),
            Text("문제 유형", "problem family"),
        ],
        [
            [
                m.no,
                m.id,
                m.label,
                equipment_type(m.equipment).label,
                families()[m.family].label,
            ]
            for m in known
        ],
    )
    say("자세히: kamp models show 모델ID", "more: kamp models show MODEL")


@models.command(
    "show",
    help=_("표준모델 하나를 자세히 봅니다.", "Show one standard model."),
    epilog=example("kamp models show injection-quality"),
)
def models_show(
    model: Annotated[str, typer.Argument(help=_("모델 ID", "model id"))],
    as_json: Json = False,
) -> None:
    from kamp_lib.catalog import equipment_type, families, standard_model

    entry = standard_model(model)
    if as_json:
        print_json(entry.model_dump(mode="json"))
        return
    kind, family = equipment_type(entry.equipment), families()[entry.family]
    say(
        f"{entry.ko} ({entry.id} {entry.version})",
        f"{entry.en} ({entry.id} {entry.version})",
    )
    say(
        f"설비: {kind.ko} · 기록 단위: {entry.case_ko}",
        f"equipment: {kind.en} · case: {entry.case_en}",
    )
    say(f"결정: {entry.decision.ko}", f"decision: {entry.decision.en}")
    say(f"참고: {entry.reference.ko}", f"reference: {entry.reference.en}")
    needs = {
        **dict.fromkeys(entry.optional, Text("선택", "optional")),
        **dict.fromkeys(entry.required, Text("필수", "required")),
    }
    columns = [c for c in kind.columns_of(entry.record_kind) if c.name in needs]
    console.table(
        [
            Text("열", "column"),
            Text("이름", "label"),
            Text("단위", "unit"),
            Text("가능한 범위", "plausible range"),
            Text("필요", "needed"),
        ],
        [
            [c.name, c.label, c.display_unit, span(c.min, c.max), needs[c.name]]
            for c in columns
        ],
        title=Text("열", "Columns"),
    )
    defaults = {
        p.name: entry.defaults.get(p.name, p.default) for p in family.parameters
    }
    console.table(
        [
            Text("매개변수", "parameter"),
            Text("뜻", "meaning"),
            Text("기본값", "default"),
        ],
        [[p.name, p.label, shown(defaults[p.name])] for p in family.parameters],
        title=Text("매개변수 (-p 이름=값)", "Parameters (-p NAME=VALUE)"),
    )
