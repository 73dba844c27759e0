"""The catalogue of findings: one code, its words, and its page in docs/findings.

Every finding is said through `finding(code, ...)`, so that what a person reads stands
in one reviewed place, the YAML files here, and a code cannot be raised that has no page.
Places in {braces} are filled by `finding(code, ...)`; {columns}, {count} and {examples}
always exist. `explain` and `fix` are for the page; `variants` replace some of the words.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from kamp_lib.datasets.types import Finding, Severity
from kamp_lib.text import Text

HERE = Path(__file__).parent
SHOWN_COLUMNS = 6  # a message names at most so many columns; the finding holds all
SHOWN_EXAMPLES = 5
SEVERITY = {
    "info": Text("안내", "info"),
    "warning": Text("주의", "warning"),
    "error": Text("오류", "error"),
}


class _Words(BaseModel):
    """The replaceable words of a finding; a variant sets only some."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity | None = None
    title_ko: str | None = None
    title_en: str | None = None
    message_ko: str | None = None
    message_en: str | None = None
    why_ko: str | None = None
    why_en: str | None = None
    action_ko: str | None = None
    action_en: str | None = None


class Entry(BaseModel):
    """Everything the catalogue says about one code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity
    title_ko: str
    title_en: str
    message_ko: str
    message_en: str
    why_ko: str
    why_en: str
    action_ko: str
    action_en: str
    explain_ko: str
    explain_en: str
    fix_ko: str
    fix_en: str
    variants: dict[str, _Words] = Field(default_factory=dict)

    @property
    def title(self) -> Text:
        return Text(self.title_ko, self.title_en)

    def variant(self, name: str | None) -> Entry:
        """The entry with the words of one variant put in."""
        if name is None:
            return self
        return self.model_copy(update=self.variants[name].model_dump(exclude_none=True))


@cache
def catalogue() -> dict[str, Entry]:
    """All findings by code, theme by theme."""
    entries: dict[str, Entry] = {}
    for path in sorted(HERE.glob("*.yaml")):
        with open(path, encoding="utf-8") as file:
            themed = yaml.load(file, Loader=yaml.CSafeLoader)
        for code, entry in (themed or {}).items():
            if code in entries:
                raise ValueError(f"{path.name}: {code} stands in two files")
            entries[code] = Entry(**entry)
    return entries


def finding(
    code: str,
    *,
    columns: Iterable[str] = (),
    count: int = 0,
    examples: Iterable[Any] = (),
    severity: Severity | None = None,
    variant: str | None = None,
    shown: Iterable[str] | None = None,
    **values: Any,
) -> Finding:
    """A finding with the words of its code.

    Parameters
    ----------
    code : str
        A key of the catalogue; an unknown one is a `KeyError`.
    columns : iterable of str
        Source and canonical names it concerns; the message shows the first few.
    count : int
        How many rows, files or columns it concerns.
    examples : iterable
        Values as they stand in the file; the first five are kept.
    severity : {"info", "warning", "error"}, optional
        Instead of the code's own.
    variant : str, optional
        Words for a special case of the code, from its `variants`.
    shown : iterable of str, optional
        The columns as the message names them, when not all of `columns`.
    **values
        What fills the other places of the message; a `Text` in its own language.
        A place left unfilled is a `KeyError`.

    Examples
    --------
    >>> finding("repeated-header", count=2).message_en
    '2 row(s) among the data repeat the header.'
    """
    entry = catalogue()[code].variant(variant)
    columns = list(dict.fromkeys(columns))
    kept = [str(e) for e in examples][:SHOWN_EXAMPLES]
    values = {
        "columns": list_of(columns if shown is None else shown),
        "count": count,
        "examples": ", ".join(kept),
        **values,
    }

    def fill(ko: str, en: str) -> Text:
        return Text(ko, en).format(**values)

    message = fill(entry.message_ko, entry.message_en)
    why = fill(entry.why_ko, entry.why_en)
    action = fill(entry.action_ko, entry.action_en)
    return Finding(
        code=code,
        severity=severity or entry.severity,
        columns=columns,
        count=count,
        examples=kept,
        message_ko=message.ko,
        message_en=message.en,
        why_ko=why.ko,
        why_en=why.en,
        action_ko=action.ko,
        action_en=action.en,
    )


def list_of(names: Iterable[str], shown: int = SHOWN_COLUMNS) -> Text:
    """The first few names, and how many more there are."""
    names = list(names)
    first = ", ".join(names[:shown])
    more = len(names) - shown
    if more <= 0:
        return Text(first, first)
    return Text(f"{first} 외 {more}개", f"{first} and {more} more")
