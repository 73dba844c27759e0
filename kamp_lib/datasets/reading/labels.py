"""Labels that stand in another file: found among the data, and joined to the rows.

A label file names files (a run, a picture) or rows (a serial number) in one of its
columns. Keys are compared as people read them: `01` is 1, and `.CSV` is `.csv`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from unicodedata import normalize

import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, PROVENANCE, RUN, Raw, unique_names
from kamp_lib.datasets.reading.folders import run_names
from kamp_lib.datasets.reading.joining import Together, name_of, same_name
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

SURE = 0.8  # of the files or rows that a label file must name to be joined unasked
LIKELY = 0.3  # from here on it is proposed
MOST_KEYS = 200_000  # distinct keys of rows that are looked at to find a label file


@dataclass(frozen=True)
class Match:
    """A column of a label file that names files or rows of the data."""

    labels: Raw
    on: str
    by: str  # FILE, or the column of the data
    share: float  # of the data's files or keys that are named


def key_of(value: object) -> str:
    """What a key is compared by.

    >>> key_of("01"), key_of(1.0), key_of(" Part_7.CSV ")
    ('1', '1', 'part_7.csv')
    """
    text = "" if value is None else normalize("NFC", str(value)).strip().casefold()
    whole = re.fullmatch(r"(\d+)(\.0+)?", text)
    return str(int(whole[1])) if whole and len(text) < 300 else text.replace("\\", "/")


def find_labels(found: Together) -> tuple[Together, Match | None]:
    """A label file among files of data, when it can be no other.

    Raises
    ------
    KampError
        When one looks like it but is not certain: with the options that settle it.
    """
    if len(found.alike) == 1 and len(found.strangers) == 1:
        found = _larger_first(found)
    matches = [m for raw in found.strangers for m in _matches(found.alike, raw)]
    if not matches:
        return found, None
    best = max(matches, key=lambda m: (m.by == FILE, m.share))
    sure = [
        m for m in matches if m.share >= SURE and (m.by == FILE) == (best.by == FILE)
    ]
    if len(sure) == 1 and len(found.strangers) == 1:
        return Together(found.alike), sure[0]
    raise uncertain(best)


def uncertain(match: Match) -> KampError:
    """A table may hold labels: how to say that it does."""
    name, path = name_of(match.labels), match.labels.sources[0].path
    ko, en = _said(match)
    return KampError(
        f"'{name}'은(는) 판정 파일로 보입니다('{match.on}' 열이 {ko}). 맞으면"
        f" --labels {path} --on {match.on} 을(를) 붙여 다시 실행하고, 아니면 빼고 가져오세요.",
        f"{name!r} looks like a file of labels (its column {match.on!r} names {en})."
        f" If it is, add --labels {path} --on {match.on}; if not, leave it out.",
    )


def _said(match: Match) -> tuple[str, str]:
    if match.by == FILE:
        share = f"{match.share:.0%}"
        return f"파일의 {share}를 가리킵니다", f"{share} of the files"
    return f"데이터의 '{match.by}' 열과 맞습니다", f"rows by {match.by!r}"


def _larger_first(found: Together) -> Together:
    """Of two tables the one with fewer rows may hold the labels."""
    pair = sorted([*found.alike, *found.strangers], key=lambda r: -r.table.num_rows)
    return Together(pair[:1], pair[1:])


def _matches(data: Sequence[Raw], labels: Raw) -> list[Match]:
    """Columns that name files; where there are none, columns that name rows."""
    names = [name_of(raw) for raw in data]
    found = file_matches(names, labels) if len(data) > 1 else []
    return found or _row_matches(data, labels)


def file_matches(names: Sequence[str], labels: Raw) -> list[Match]:
    """Columns of a table that name at least some of the files."""
    meant = file_keys(names)
    found: list[Match] = []
    if labels.table.num_rows > 10 * len(names):
        return found
    for column in labels.columns:
        keys = _own_keys(labels, column)
        named = {name for key in keys if (name := _meant(key, meant)) is not None}
        if len(named) >= LIKELY * len(names):
            found.append(Match(labels, column, FILE, len(named) / len(names)))
    return found


def _row_matches(data: Sequence[Raw], labels: Raw) -> list[Match]:
    """Columns of a table under whose name the data hold the same keys."""
    found: list[Match] = []
    shared = {same_name(c): c for c in data[0].columns}
    known = sum(same_name(c) in shared for c in labels.columns)
    if known * 2 > len(labels.columns) + 1:
        return found  # the same table once more, rather than its labels
    for column in labels.columns:
        by = shared.get(same_name(column))
        if by is None or len(labels.columns) < 2:
            continue
        keys = _own_keys(labels, column)
        rows = {k for raw in data for k in _distinct(raw, by)} - {""}
        if rows and len(rows & keys) >= SURE * len(rows):
            found.append(Match(labels, column, by, len(rows & keys) / len(rows)))
    return found


def _meant(key: str, meant: dict[str, str]) -> str | None:
    """The file that a key of a label file means; a path counts by its end, too."""
    base = PurePosixPath(key)
    for spelling in (key, base.name, base.stem, key_of(base.stem)):
        if spelling in meant:
            return meant[spelling]
    return None


def _own_keys(labels: Raw, column: str) -> set[str]:
    """The keys of a column that tells the rows of its table apart; else nothing."""
    keys = [key_of(v) for v in labels.table[column].to_pylist()]
    distinct = set(keys) - {""}
    return distinct if len(distinct) >= 0.9 * len(keys) else set()


def _distinct(raw: Raw, column: str) -> set[str]:
    if column not in raw.table.column_names:
        return set()
    values = pc.unique(raw.table[column])
    return {key_of(v) for v in values.slice(0, MOST_KEYS).to_pylist()}


def file_keys(names: Sequence[str]) -> dict[str, str]:
    """Every key that means one file and no other -> that file's name.

    >>> file_keys(["a/run_01.csv", "a/run_02.csv"])["1"]
    'a/run_01.csv'
    """
    runs = run_names(names)
    keys: dict[str, set[str]] = {}
    for name, run in zip(names, runs, strict=True):
        path = PurePosixPath(name)
        number = re.search(r"(\d+)\D*$", path.stem)
        spellings = {name, path.with_suffix("").as_posix(), path.name, path.stem, run}
        spellings |= {number[1]} if number else set()
        for spelling in spellings:
            keys.setdefault(key_of(spelling), set()).add(name)
    return {key: next(iter(of)) for key, of in keys.items() if len(of) == 1}


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
    order = pa.array([found[v] for v in raw.table[by].to_pylist()], pa.int64())
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


def joined_unasked(match: Match) -> Finding:
    """What is said when a label file was found and joined without being named."""
    return finding(
        "labels-joined",
        columns=[match.on, *(c for c in match.labels.columns if c != match.on)],
        count=match.labels.table.num_rows,
        examples=[name_of(match.labels)],
        labels=name_of(match.labels),
        key=match.on,
        variant=None if match.by == FILE else "rows",
        added=", ".join(c for c in match.labels.columns if c != match.on),
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
        keys = _distinct(raw, column) - {""}
        if len(keys) > 1 and len(keys & place_of.keys()) >= SURE * len(keys):
            return column
    return FILE


def _places(raw: Raw, by: str, place_of: dict[str, int]) -> dict[object, int | None]:
    """The label row of every file, or of every value of a column."""
    values = pc.unique(raw.table[by]).to_pylist()
    if by != FILE:
        return {value: place_of.get(key_of(value)) for value in values}
    found: dict[object, int | None] = dict.fromkeys(values)
    meant = {**_runs_of(raw), **file_keys([str(v) for v in values])}
    for key, place in place_of.items():
        name = _meant(key, meant)
        if name is not None and name in found:
            found[name] = place
    return found


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
