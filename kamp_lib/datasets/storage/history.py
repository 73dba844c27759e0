"""What made each version of a data set, and what differs between two."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from kamp_lib.datasets.raw import FILE, INGEST_COLUMN, PROVENANCE
from kamp_lib.datasets.storage.dataset import Dataset
from kamp_lib.datasets.storage.store import State
from kamp_lib.datasets.types import Finding

MOVED = 0.01  # of the range, by which an end or the middle counts as moved


class VersionMade(BaseModel):
    """One version: when, by whom, by what, and what it holds."""

    version: int
    time: datetime
    what: str  # append, replace, undo, restore, repair, fix, retain
    to: int | None  # undo, restore: whose state came back
    who: str
    files: list[str]
    added: dict[str, int]  # by this change: read, stored, quarantined, duplicate
    rows: int | None  # in all; None: no longer kept
    quality: float | None
    readable: bool


class FileRows(BaseModel):
    """Rows of one file in two versions."""

    file: str
    before: int
    after: int


class ColumnChange(BaseModel):
    """A column that came, went or changed its type; None where there is none."""

    column: str
    before: str | None
    after: str | None


class RangeChange(BaseModel):
    """Lowest, middle and highest value of a number column in two versions."""

    column: str
    before: tuple[float, float, float]
    after: tuple[float, float, float]


class Difference(BaseModel):
    """What changed from one version to another."""

    before: int
    after: int
    files: list[FileRows]
    columns: list[ColumnChange]
    ranges: list[RangeChange]
    findings_new: list[Finding]
    findings_gone: list[Finding]


def history(state: State) -> list[VersionMade]:
    """All versions, oldest first."""
    return [_made(state, version) for version in range(1, len(state.log.commits) + 1)]


def _made(state: State, version: int) -> VersionMade:
    commit = state.log.commits[version - 1]
    made = state.store.manifest(commit.ingest) if commit.ingest else None
    readable = state.readable(version)
    then = State(state.store, version, log=state.log) if readable else None
    data = Dataset(then) if then is not None and then.ingests else None
    return VersionMade(
        version=version,
        time=datetime.fromtimestamp(commit.time_ms / 1000, UTC),
        what=commit.op,
        to=commit.to,
        who=commit.who,
        files=[f["name"] for f in made.files] if made else [],
        added=made.rows if made else {},
        rows=data.rows if data else (0 if readable else None),
        quality=data.quality.score if data else None,
        readable=readable,
    )


def difference(before: Dataset, after: Dataset) -> Difference:
    """What changed from one version of a data set to another.

    Parameters
    ----------
    before, after : Dataset
        Two versions, in any order.
    """
    return Difference(
        before=before.version,
        after=after.version,
        files=_files(before, after),
        columns=_columns(before, after),
        ranges=_ranges(before, after),
        findings_new=_only(after, before),
        findings_gone=_only(before, after),
    )


def _files(before: Dataset, after: Dataset) -> list[FileRows]:
    was, now = _rows_of_files(before), _rows_of_files(after)
    return [
        FileRows(file=name, before=was[key], after=now[key])
        for key in sorted({*was, *now})
        if was[key] != now[key]
        for name in [key[1]]
    ]


def _rows_of_files(data: Dataset) -> Counter[tuple[str, str]]:
    places = data.arrow([INGEST_COLUMN, FILE])
    counted = places.group_by([INGEST_COLUMN, FILE]).aggregate([([], "count_all")])
    return Counter(
        {(r[INGEST_COLUMN], r[FILE]): r["count_all"] for r in counted.to_pylist()}
    )


def _columns(before: Dataset, after: Dataset) -> list[ColumnChange]:
    was, now = (_types(data) for data in (before, after))
    return [
        ColumnChange(column=name, before=was.get(name), after=now.get(name))
        for name in {**was, **now}
        if was.get(name) != now.get(name)
    ]


def _types(data: Dataset) -> dict[str, str]:
    units = {column.name: column.unit for column in data.columns}
    return {
        field.name: f"{field.type} {units.get(field.name) or ''}".strip()
        for field in data.schema
        if field.name not in (*PROVENANCE, INGEST_COLUMN)
    }


def _ranges(before: Dataset, after: Dataset) -> list[RangeChange]:
    found = []
    for name in before.schema.names:
        if name in (*PROVENANCE, INGEST_COLUMN) or name not in after.schema.names:
            continue
        was, now = _range(before, name), _range(after, name)
        if was and now and _moved(was, now):
            found.append(RangeChange(column=name, before=was, after=now))
    return found


def _range(data: Dataset, name: str) -> tuple[float, float, float] | None:
    kind = data.schema.field(name).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    values = data.arrow([name])[name].cast(pa.float64(), safe=False)
    if values.null_count == len(values):
        return None
    ends = pc.min_max(values).as_py()
    middle = pc.approximate_median(values).as_py()
    return (ends["min"], middle, ends["max"])


def _moved(was: tuple[float, ...], now: tuple[float, ...]) -> bool:
    width = max(was[2], now[2]) - min(was[0], now[0])
    return any(abs(a - b) > MOVED * width for a, b in zip(was, now, strict=True))


def _only(here: Dataset, there: Dataset) -> list[Finding]:
    known = {(f.code, *f.columns) for f in there.findings}
    return [f for f in here.findings if (f.code, *f.columns) not in known]
