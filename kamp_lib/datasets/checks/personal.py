"""Personal data that stands in the rows as they are about to be stored."""

from __future__ import annotations

from collections.abc import Sequence

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.privacy import Personal, personal_columns
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

KINDS = {
    "name": Text("이름", "names"),
    "phone": Text("전화번호", "phone numbers"),
    "resident-number": Text("주민등록번호", "resident numbers"),
    "email": Text("전자우편 주소", "e-mail addresses"),
}


def personal_data(context: Context) -> list[Finding]:
    """Names, phone and resident numbers and addresses that nobody has masked."""
    found = personal_columns(context.frame[context.columns])
    return [personal_finding(found, context)] if found else []


def personal_finding(
    found: Sequence[Personal], context: Context | None = None, *, masked: bool = False
) -> Finding:
    """Which columns hold what about people; never a value of them.

    Parameters
    ----------
    found : sequence of Personal
        What `personal_columns` gave.
    context : Context, optional
        Names the columns as the file does.
    masked : bool, default False
        Whether it was masked before storing.
    """
    columns = list(dict.fromkeys(p.column for p in found))
    shown = {c: context.shown(c) if context else c for c in columns}
    said = [
        Text(
            f"{shown[p.column]} ({word.ko} {p.count:,}개)",
            f"{shown[p.column]} ({p.count:,} {word.en})",
        )
        for p in found
        for word in [KINDS[p.kind]]
    ]
    return finding(
        "personal-data",
        columns=context.names(*columns) if context else columns,
        count=sum(p.count for p in found),
        variant="masked" if masked else None,
        found=Text(list_of(s.ko for s in said).ko, list_of(s.en for s in said).en),
    )
