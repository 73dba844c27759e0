"""The catalogue of findings: one code, its words, and its page in docs/findings.

Every finding is said through `finding(code, ...)`, so that what a person reads stands
in one reviewed file, `findings.yaml`, and a code cannot be raised that has no page.

    python -m kamp_lib.datasets.findings docs/findings     # write the pages
"""

from __future__ import annotations

import sys
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
    """All findings by code, in the order of `findings.yaml`."""
    with open(HERE / "findings.yaml", encoding="utf-8") as file:
        return {code: Entry(**entry) for code, entry in yaml.safe_load(file).items()}


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
        A key of `findings.yaml`; an unknown one is a `KeyError`.
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


def page(code: str) -> str:
    """The documentation page of one code, in Markdown."""
    entry = catalogue()[code]
    said = SEVERITY[entry.severity]
    lines = [
        f"# {entry.title_ko} · {entry.title_en}",
        "",
        f"`{code}` · {said.ko} ({said.en})",
        "",
        "<!-- Written by `python -m kamp_lib.datasets.findings docs/findings`. -->",
        "",
    ]
    for heading, said_by in (
        ("## 한국어", ("무엇인가요", "explain_ko", "왜 중요한가요", "why_ko")),
        ("## English", ("What it is", "explain_en", "Why it matters", "why_en")),
    ):
        korean = heading == "## 한국어"
        done = (
            ("어떻게 처리하나요", "action_ko")
            if korean
            else ("What is done", "action_en")
        )
        fix = ("고치려면", "fix_ko") if korean else ("To mend it", "fix_en")
        parts = (said_by[:2], said_by[2:], done, fix)
        lines += [heading, ""]
        for name, field in parts:
            lines += [f"**{name}.** {getattr(entry, field).strip()}", ""]
    return "\n".join(lines).rstrip() + "\n"


def index() -> str:
    """The index page of all codes."""
    lines = [
        "# 발견 사항 · Findings",
        "",
        "데이터를 가져올 때 찾아내는 것들입니다. What `kamp ingest` finds in a file.",
        "",
        "| code | 심각도 · severity | 뜻 · meaning |",
        "|---|---|---|",
    ]
    for code, entry in catalogue().items():
        said = SEVERITY[entry.severity]
        lines.append(
            f"| [`{code}`]({code}.md) | {said.ko} · {said.en} "
            f"| {entry.title_ko} · {entry.title_en} |"
        )
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """File name -> text, for the whole folder."""
    return {"README.md": index(), **{f"{c}.md": page(c) for c in catalogue()}}


def write_pages(folder: Path) -> None:
    """Write all pages, and take away those of codes that no longer exist."""
    folder.mkdir(parents=True, exist_ok=True)
    written = pages()
    for old in folder.glob("*.md"):
        if old.name not in written:
            old.unlink()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
