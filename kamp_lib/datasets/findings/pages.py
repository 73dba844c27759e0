"""A page for every finding, and their index: `make pages` writes docs/findings."""

from __future__ import annotations

import sys
from pathlib import Path

from kamp_lib.datasets.findings import SEVERITY, catalogue
from kamp_lib.datasets.fixes import fixes


def page(code: str) -> str:
    """The documentation page of one code, in Markdown."""
    entry = catalogue()[code]
    said = SEVERITY[entry.severity]
    lines = [
        f"# {entry.title_ko} · {entry.title_en}",
        "",
        f"`{code}` · {said.ko} ({said.en})",
        "",
        "<!-- Written by `python -m kamp_lib.datasets.findings.pages docs/findings`. -->",
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
        if code in fixes():
            by_command = "명령으로" if korean else "By command"
            did = fixes()[code].said
            told = did.ko if korean else did.en
            lines += [f"**{by_command}.** `kamp ingest … --fix {code}`: {told}", ""]
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
