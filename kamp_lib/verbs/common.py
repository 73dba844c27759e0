"""What all verbs share: help texts, the company argument, JSON."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer
from typer import rich_utils

from kamp_lib import console
from kamp_lib.errors import KampError, UsageError
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, tenant_named
from kamp_lib.text import Text


def _(ko: str, en: str) -> str:
    """Help text in the reader's language."""
    return str(Text(ko, en))


# typer's own headings, in the reader's language
rich_utils.ARGUMENTS_PANEL_TITLE = _("적을 것", "Arguments")
rich_utils.OPTIONS_PANEL_TITLE = _("선택 사항", "Options")
rich_utils.COMMANDS_PANEL_TITLE = _("명령", "Commands")
rich_utils.ERRORS_PANEL_TITLE = _("오류", "Error")
rich_utils.DEFAULT_STRING = _("[기본값: {}]", "[default: {}]")
rich_utils.REQUIRED_LONG_STRING = _("[필수]", "[required]")

Json = Annotated[
    bool, typer.Option("--json", help=_("기계가 읽는 JSON 출력", "JSON for machines"))
]

DatasetName = Annotated[
    str | None, typer.Option(help=_("데이터셋 이름", "name of the data set"))
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        metavar=_("이름=값", "NAME=VALUE"),
        help=_("매개변수(여러 번)", "parameter"),
    ),
]


def example(*lines: str) -> str:
    """The example that ends every --help."""
    shown = "\n\n".join(f"`{line}`" for line in lines)
    return f"{_('예', 'Example')}:\n\n{shown}"


def tenant_and(arguments: list[str]) -> tuple[Tenant, list[str]]:
    """The company, named first or left out inside a workspace, and what follows it."""
    if settings().tenant_home is not None:
        own = tenant_named()
        return own, arguments[1:] if arguments[0] == own.slug else arguments
    _opened.append(tenant_named(arguments[0]))
    return _opened[-1], arguments[1:]


_opened: list[Tenant] = []  # from the host


def hand_over_opened() -> None:
    """Whatever root wrote into a company's folder becomes the company's own."""
    while _opened:
        tenant = _opened.pop()
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            from kamp_lib.hub.places import hand_over_company

            hand_over_company(tenant)


def one(rest: list[str], what: Text) -> str:
    if len(rest) != 1:
        raise UsageError(
            f"{what.ko} 하나를 적어 주세요. 예는 --help 에 있습니다.",
            f"name one {what.en}; see --help for an example.",
        )
    return rest[0]


def shown(value: Any) -> str:
    return (
        "–"
        if value is None
        else f"{value:,}"
        if isinstance(value, (int, float))
        else str(value)
    )


def span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:,g} – {high:,g}"


def complain(error: KampError) -> None:
    """One thing that cannot be read does not hide the others."""
    console.complain(str(error))


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))
