"""What all verbs share: help texts, the company argument, JSON."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from kamp_lib.errors import UsageError
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, tenant_named
from kamp_lib.text import Text


def _(ko: str, en: str) -> str:
    """Help text in the reader's language."""
    return str(Text(ko, en))


Json = Annotated[
    bool, typer.Option("--json", help=_("기계가 읽는 JSON 출력", "JSON for machines"))
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
    return tenant_named(arguments[0]), arguments[1:]


def one(rest: list[str], what: str) -> str:
    if len(rest) != 1:
        raise UsageError(
            f"{what} 하나를 적어 주세요. 예는 --help 에 있습니다.",
            f"name one {what}; see --help for an example.",
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


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))
