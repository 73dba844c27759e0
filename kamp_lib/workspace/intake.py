"""What a look at uploaded files found, made ready for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kamp_lib.catalog import Column, equipment_type, said, units
from kamp_lib.datasets.findings import catalogue
from kamp_lib.datasets.types import ColumnMatch, Finding, IngestResult
from kamp_lib.text import Text

SHOWN_VALUES = 3
SHOWN_COLUMNS = 60  # further columns are folded away
GRAVITY = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Row:
    """One column of the file in the mapping table."""

    number: int
    match: ColumnMatch
    values: tuple[str, ...]
    standard: Text | None  # what the chosen standard column is called
    maybe: Text | None

    @property
    def unit(self) -> str:
        return said(self.match.unit)

    @property
    def kept(self) -> bool:
        """Whether it is stored under its own name."""
        return self.standard is None


@dataclass(frozen=True)
class Said:
    """One finding, with its fix when there is one."""

    finding: Finding
    title: Text
    fix: Text | None
    mended: int | None = None  # places that were mended


@dataclass(frozen=True)
class Look:
    """Everything about one look (or one ingest), in the order the page shows it."""

    result: IngestResult
    doubtful: list[Row]
    rows: list[Row]
    grave: list[Said]
    light: list[Said]
    standard: list[tuple[str, Text]]  # columns to choose from
    known: int

    @property
    def findings(self) -> int:
        return len(self.grave) + len(self.light)


def look(told: dict[str, Any]) -> Look:
    """The result of `tasks.look` or `tasks.ingest`, checked and sorted."""
    extra = ("locked", "fixable")
    result = IngestResult.model_validate(
        {key: value for key, value in told.items() if key not in extra}
    )
    machine = equipment_type(result.equipment)
    standard = {c.name: c for c in machine.columns_of(result.record_kind)}
    rows = _rows(result, standard)
    fixable = {code: Text(**fix) for code, fix in told.get("fixable", {}).items()}
    findings = sorted(_said(result, fixable), key=lambda s: GRAVITY[s.finding.severity])
    grave = [s for s in findings if s.finding.severity != "info" or s.mended]
    return Look(
        result=result,
        doubtful=[row for row in rows if row.match.maybe],
        rows=[row for row in rows if not row.match.maybe],
        grave=grave,
        light=[s for s in findings if s not in grave],
        standard=[(name, column.label) for name, column in standard.items()],
        known=sum(not row.kept for row in rows),
    )


def _rows(result: IngestResult, standard: dict[str, Column]) -> list[Row]:
    seen = result.first_rows
    places = {name: i for i, name in enumerate(seen.columns)} if seen else {}
    names = result.mapping.names()

    def label(name: str | None) -> Text | None:
        column = standard.get(name or "")
        return column.label if column else None

    def values(source: str) -> tuple[str, ...]:
        place = places.get(names[source])
        if seen is None or place is None:
            return ()
        filled = (row[place] for row in seen.rows if row[place])
        return tuple(dict.fromkeys(filled))[:SHOWN_VALUES]

    return [
        Row(number, m, values(m.source), label(m.canonical), label(m.maybe))
        for number, m in enumerate(result.mapping.columns)
    ]


def _said(result: IngestResult, fixable: dict[str, Text]) -> list[Said]:
    """All findings; one that a fix took away is still said, as mended."""
    done = {fix.code: fix for fix in result.fixes}
    found = [
        Said(
            finding=f,
            title=_title(f.code),
            fix=fixable.get(f.code),
            mended=done[f.code].count if f.code in done else None,
        )
        for f in result.findings
    ]
    left = {f.code for f in result.findings}
    gone = [
        Said(
            finding=Finding(
                code=fix.code,
                severity="info",
                columns=fix.columns,
                count=fix.count,
                message_ko=fix.said_ko,
                message_en=fix.said_en,
            ),
            title=_title(fix.code),
            fix=fix.said,
            mended=fix.count,
        )
        for fix in result.fixes
        if fix.code not in left
    ]
    return gone + found


def _title(code: str) -> Text:
    known = catalogue().get(code)
    return known.title if known else Text(code, code)


def unit_choices() -> list[str]:
    """Units as people write them, to choose from."""
    return sorted({unit.said for unit in units().values() if unit.said})
