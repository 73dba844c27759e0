"""Many files -> one table, after asking whether they belong together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, PROVENANCE, RUN, Raw
from kamp_lib.datasets.reading.alike import FEW_ROWS, name_of, same_name
from kamp_lib.datasets.reading.folders import (
    folder_words,
    is_dated,
    run_names,
    without_copy_mark,
)
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

FOLDER, SPLIT = "folder", "split"
STAMP = re.compile(r"\d{4}[-./년]\s?\d{1,2}[-./월]\s?\d{1,2}|\d{1,2}:\d{2}")


def join(raws: list[Raw], *, runs: bool) -> Raw:
    """One table of all files, every column under one spelling.

    Raises
    ------
    KampError
        When a column is measured in different units.
    """
    findings: list[Finding] = []
    if runs:
        raws, findings = _as_runs(raws)
    if len(raws) == 1:
        return replace(raws[0], findings=[*raws[0].findings, *findings])
    raws, spelt = _spelt_alike(raws)
    units = _shared_units(raws)
    joined = Raw(
        pa.concat_tables(_typed_alike(raws), promote_options="default"),
        [s for raw in raws for s in raw.sources],
        [r for raw in raws for r in raw.rejected],
        _once([f for raw in raws for f in raw.findings]),
        {name: say for raw in raws for name, say in raw.verbatim.items()},
        units=units,
    )
    joined.findings += [*findings, *spelt, *_differing(raws)]
    joined.table = _provenance_last(joined.table)
    return joined


def _once(findings: list[Finding]) -> list[Finding]:
    """What many files say alike is said once, and of how many more it holds."""
    told: dict[tuple[str, ...], list[Finding]] = {}
    for found in findings:
        told.setdefault((found.code, *found.columns), []).append(found)
    return [_of_all(alike) for alike in told.values()]


def _of_all(alike: list[Finding]) -> Finding:
    first, more = alike[0], len(alike) - 1
    if not more:
        return first
    return first.model_copy(
        update={
            "count": sum(f.count for f in alike),
            "message_ko": f"{first.message_ko} (다른 파일 {more}개도 같습니다.)",
            "message_en": f"{first.message_en} ({more} more file(s) alike.)",
        }
    )


def _as_runs(raws: list[Raw]) -> tuple[list[Raw], list[Finding]]:
    """Every file with its run, and with what its folders say.

    Files named by dates whose rows carry times are parts of one stream, and no runs.
    """
    names = [name_of(raw) for raw in raws]
    stream = all(is_dated(n) for n in names) and all(_has_times(r) for r in raws)
    runs = {} if stream else dict(zip(names, run_names(names), strict=True))
    copies, findings = _repeated(raws, stream=stream)
    words = folder_words(names)
    kinds = {kind for kind, _ in words.values()}
    splits = any(split for _, split in words.values())
    told = []
    for raw in raws:
        name = name_of(raw)
        kind, split = words[name]
        # a copy has its original's run: it is the same file, and counts as a duplicate
        facts = {
            **({} if stream else {RUN: runs[copies.get(name, name)]}),
            **({FOLDER: kind} if len(kinds) > 1 else {}),
            **({SPLIT: split} if splits else {}),
        }
        told.append(_with_facts(raw, facts))
    if len(kinds) > 1:
        shown = sorted(str(k) for k in kinds if k)
        findings.append(
            finding(
                "folders-as-column",
                columns=[FOLDER],
                count=len(shown),
                examples=shown,
            )
        )
    return told, findings


def _has_times(raw: Raw) -> bool:
    """Whether the first row holds a date or a time of day."""
    first = raw.table.slice(0, 1).select(raw.columns)
    if any(pa.types.is_temporal(column.type) for column in first.schema):
        return True
    cells = [str(column[0].as_py() or "") for column in first.columns if len(column)]
    return any(STAMP.search(cell) for cell in cells)


def _with_facts(raw: Raw, facts: Mapping[str, str | None]) -> Raw:
    """The same value in every row of a file, in front; columns of the file win."""
    table = raw.table
    for place, (name, value) in enumerate(facts.items()):
        if name not in table.column_names:
            column = pa.repeat(pa.scalar(value, pa.string()), table.num_rows)
            table = table.add_column(place, name, column)
    source = replace(raw.sources[0], run=facts.get(RUN))
    return replace(raw, table=table, sources=[source, *raw.sources[1:]])


def _repeated(raws: list[Raw], *, stream: bool) -> tuple[dict[str, str], list[Finding]]:
    """Files that are the same to the byte: a mere copy -> its original."""
    first: dict[str, str] = {}
    copies: dict[str, str] = {}
    others: list[str] = []
    for raw in sorted(raws, key=lambda r: len(name_of(r))):  # a copy's name is longer
        name, source = name_of(raw), raw.sources[0]
        original = first.setdefault(source.content or source.sha256, name)
        if original == name:
            continue
        if stream or without_copy_mark(name) == original:
            copies[name] = original
        elif source.rows >= FEW_ROWS:
            others.append(f"{original} = {name}")
    pairs = [f"{one} = {other}" for other, one in copies.items()]
    said = (("same-file-twice", pairs, None), ("same-file-twice", others, "kept"))
    return copies, [
        finding(code, columns=[FILE], count=len(names), examples=names, variant=variant)
        for code, names, variant in said
        if names
    ]


def _spelt_alike(raws: list[Raw]) -> tuple[list[Raw], list[Finding]]:
    """One spelling per column: the one most files use."""
    often: dict[str, Counter[str]] = {}
    for raw in raws:
        for column in raw.columns:
            often.setdefault(same_name(column), Counter())[column] += 1
    usual = {key: seen.most_common(1)[0][0] for key, seen in often.items()}
    changed: dict[str, str] = {}
    result = []
    for raw in raws:
        keys = Counter(same_name(c) for c in raw.columns)
        new = {
            c: usual[same_name(c)]
            for c in raw.columns
            if keys[same_name(c)] == 1 and usual[same_name(c)] != c
        }
        changed |= new
        names = [new.get(c, c) for c in raw.table.column_names]
        units = {new.get(c, c): unit for c, unit in raw.units.items()}
        result.append(replace(raw, table=raw.table.rename_columns(names), units=units))
    if not changed:
        return result, []
    shown = [f"{old} → {kept}" for old, kept in changed.items()]
    return result, [
        finding(
            "column-spelling",
            columns=[*changed, *changed.values()],
            count=len(changed),
            examples=shown,
        )
    ]


def _shared_units(raws: list[Raw]) -> dict[str, str]:
    units: dict[str, str] = {}
    where: dict[str, str] = {}
    for raw in raws:
        for column, unit in raw.units.items():
            if units.setdefault(column, unit) != unit:
                one, other = where[column], name_of(raw)
                raise KampError(
                    f"'{column}' 열의 단위가 파일마다 다릅니다({one}: {units[column]},"
                    f" {other}: {unit}). 단위가 같은 파일끼리 가져오세요.",
                    f"the unit of column {column!r} differs between files ({one}:"
                    f" {units[column]}, {other}: {unit}); ingest files of one unit together.",
                )
            where.setdefault(column, name_of(raw))
    return units


def _typed_alike(raws: list[Raw]) -> list[pa.Table]:
    """Columns whose native types differ between files become text."""
    types: dict[str, set[pa.DataType]] = {}
    for raw in raws:
        for column in raw.table.schema:
            types.setdefault(column.name, set()).add(column.type)
    tables = []
    for raw in raws:
        table = raw.table
        for place, column in enumerate(table.schema):
            if len(types[column.name]) > 1:
                text = table[place].cast(pa.string())
                table = table.set_column(place, column.name, text)
        tables.append(table)
    return tables


def _differing(raws: list[Raw]) -> list[Finding]:
    """Columns that only some of the files have, and which files these are."""
    usual = Counter(tuple(sorted(raw.columns)) for raw in raws).most_common(1)[0][0]
    lacking: dict[str, list[str]] = {}
    for raw in raws:
        for column in set(raw.columns) ^ set(usual):
            lacking.setdefault(column, []).append(name_of(raw))
    if not lacking:
        return []
    files = list(dict.fromkeys(f for names in lacking.values() for f in names))
    return [
        finding("differing-columns", columns=lacking, count=len(files), examples=files)
    ]


def _provenance_last(table: pa.Table) -> pa.Table:
    own = [c for c in table.column_names if c not in PROVENANCE]
    return table.select([*own, *PROVENANCE])
