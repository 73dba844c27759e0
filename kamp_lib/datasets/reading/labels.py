"""Labels that stand in another file, joined to the rows they speak of.

A label file names files (a run, a picture) or rows (a serial number) in one of its
columns. Keys are compared as people read them: `01` is 1, and `.CSV` is `.csv`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, PROVENANCE, RUN, Raw, unique_names
from kamp_lib.datasets.reading.alike import name_of, same_name
from kamp_lib.datasets.reading.keys import (
    distinct_keys,
    file_keys,
    file_meant,
    key_of,
)
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

SURE = 0.8  # of the keys of a column must be named for the labels to be of that column


def join_labels(raw: Raw, labels: Raw, on: str, *, by: str | None = None) -> Raw:
    """Join the columns of a label file to the rows they speak of.

    Parameters
    ----------
    raw, labels : Raw
    on : str
        Column of the labels that names a file, or a row by a column of the data.
    by : str, optional
        That column of the data, or FILE; None finds it.

    Raises
    ------
    KampError
        When the column is not there, names nothing, or names most things twice.
    """
    name = name_of(labels)
    on = _column(labels, on)
    place_of, findings = _one_row_each(labels, on)
    by = by or _by(raw, on, place_of)
    found = _places(raw, by, place_of)
    unmatched = [str(v) for v, place in found.items() if place is None]
    if len(unmatched) == len(found):
        key, value = next(iter(place_of), ""), next(iter(found), "")
        raise KampError(
            f"'{name}'의 '{on}' 값이 파일 이름이나 데이터의 값과 하나도 맞지 않습니다"
            f"(예: {key}, {value}). --on 에 맞는 열 이름을 적으세요.",
            f"no value of {on!r} in {name!r} fits the files or the data ({key!r}, {value!r});"
            " name the right column with --on.",
        )
    places = pa.array(list(found.values()), pa.int64())
    order = places.take(pc.index_in(raw.table[by], _values(raw, by)))
    own = [c for c in labels.columns if c != on]
    taken = unique_names([*raw.columns, *own])[len(raw.columns) :]
    table = raw.table
    for new, column in zip(taken, own, strict=True):
        values = labels.table[column].combine_chunks()
        table = table.append_column(new, pc.take(values, order))
    kept = [c for c in table.column_names if c not in PROVENANCE]
    used = {place for place in found.values() if place is not None}
    findings += _told(on, unmatched, len(place_of) - len(used), rows=by != FILE)
    return replace(
        raw,
        table=table.select([*kept, *PROVENANCE]),
        findings=[*raw.findings, *findings],
        labels=labels.sources[0],
        units={**{c: u for c, u in labels.units.items() if c in own}, **raw.units},
    )


def _column(labels: Raw, on: str) -> str:
    alike = [c for c in labels.columns if same_name(c) == same_name(on)]
    if on not in labels.columns and len(alike) != 1:
        name, has = name_of(labels), ", ".join(labels.columns)
        raise KampError(
            f"'{name}'에 '{on}' 열이 없습니다. 있는 열: {has}",
            f"{name!r} has no column {on!r}; it has {has}.",
        )
    return on if on in labels.columns else alike[0]


def _one_row_each(labels: Raw, on: str) -> tuple[dict[str, int], list[Finding]]:
    """The row of every key; repeated rows count once, contradicting ones not at all."""
    keys = [key_of(v) for v in labels.table[on].to_pylist()]
    often = Counter(k for k in keys if k)
    place_of = {key: place for place, key in reversed(list(enumerate(keys))) if key}
    twice = {k for k, n in often.items() if n > 1}
    if not twice:
        return place_of, []
    said: dict[str, set[tuple[object, ...]]] = {}
    rows = labels.table.select([c for c in labels.columns if c != on]).to_pylist()
    for key, row in zip(keys, rows, strict=True):
        if key in twice:
            said.setdefault(key, set()).add(tuple(row.values()))
    against = [k for k, rows_ in said.items() if len(rows_) > 1]
    if len(against) * 2 > len(place_of):
        raise KampError(
            f"'{name_of(labels)}'의 '{on}' 열에는 같은 값이 여러 번 나오고 판정이 서로 다릅니다"
            f"({', '.join(against[:5])}). --on 에 기록을 하나씩 가리키는 열을 적으세요.",
            f"column {on!r} of {name_of(labels)!r} names most things more than once, with"
            f" different labels ({', '.join(against[:5])}); name another column with --on.",
        )
    alike = [k for k in said if k not in against]
    pairs = (("repeated-label-rows", alike), ("contradicting-labels", against))
    findings = [
        finding(code, columns=[on], count=len(found), examples=found)
        for code, found in pairs
        if found
    ]
    return {k: p for k, p in place_of.items() if k not in against}, findings


def _by(raw: Raw, on: str, place_of: dict[str, int]) -> str:
    """What of the data the labels name: the column of that name, files, or by values."""
    alike = [c for c in raw.columns if same_name(c) == same_name(on)]
    if alike and any(v is not None for v in _places(raw, alike[0], place_of).values()):
        return alike[0]
    if any(v is not None for v in _places(raw, FILE, place_of).values()):
        return FILE
    for column in raw.columns:
        keys = distinct_keys(raw, column) - {""}
        if len(keys) > 1 and len(keys & place_of.keys()) >= SURE * len(keys):
            return column
    return FILE


def _places(raw: Raw, by: str, place_of: dict[str, int]) -> dict[object, int | None]:
    """The label row of every file, or of every value of a column."""
    values = _values(raw, by).to_pylist()
    if by != FILE:
        return {value: place_of.get(key_of(value)) for value in values}
    found: dict[object, int | None] = dict.fromkeys(values)
    meant = {**_runs_of(raw), **file_keys([str(v) for v in values])}
    for key, place in place_of.items():
        name = file_meant(key, meant)
        if name is not None and name in found:
            found[name] = place
    return found


def _values(raw: Raw, by: str) -> pa.Array:
    return pc.unique(raw.table[by])


def _runs_of(raw: Raw) -> dict[str, str]:
    """A run's own id -> the file that holds it."""
    runs = {key_of(s.run): s.name for s in raw.sources if s.run}
    return runs if len(runs) == len(raw.sources) and RUN in raw.columns else {}


def _told(on: str, unmatched: list[str], spare: int, *, rows: bool) -> list[Finding]:
    found = []
    if unmatched:
        found.append(
            finding(
                "unlabelled-runs",
                columns=[on],
                count=len(unmatched),
                examples=unmatched,
                variant="rows" if rows else None,
            )
        )
    if spare > 0:
        found.append(finding("unused-labels", columns=[on], count=spare))
    return found
