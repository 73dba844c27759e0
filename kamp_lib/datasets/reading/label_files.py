"""A file of labels among files of data: found by what its columns name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from shlex import quote

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, Raw
from kamp_lib.datasets.reading.alike import FEW_ROWS, Together, name_of, same_name
from kamp_lib.datasets.reading.keys import (
    MOST_KEYS,
    distinct_keys,
    file_keys,
    file_meant,
    key_of,
)
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError
from kamp_lib.text import Text

SURE = 0.8  # of the files or rows that a label file must name to be joined unasked
LIKELY = 0.3  # from here on it is proposed
FEW_COLUMNS = 40  # so many are compared by what they hold


@dataclass(frozen=True)
class Match:
    """A column of a label file that names files or rows of the data."""

    labels: Raw
    on: str
    by: str  # FILE, or the column of the data
    share: float  # of the data's files or keys that are named
    named: bool = True  # by a name both tables use, where it is a column


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
    if len(sure) == 1 and sure[0].named and len(found.strangers) == 1:
        return Together(found.alike), sure[0]
    raise uncertain(best)


def uncertain(match: Match) -> KampError:
    """A table may hold labels: how to say that it does."""
    name, path = name_of(match.labels), match.labels.sources[0].path
    ko, en = _said(match)
    packed = path.name != PurePosixPath(name).name
    where = _typed(PurePosixPath(name).name if packed else str(path))
    on = _typed(match.on)
    first = Text("압축을 풀고 ", "unpack it and ") if packed else Text("", "")
    return KampError(
        f"'{name}'은(는) 판정 파일로 보입니다('{match.on}' 열이 {ko}). 맞으면 {first.ko}"
        f"--labels {where} --on {on} 을(를) 붙여 다시 실행하고, 아니면 빼고 가져오세요.",
        f"{name!r} looks like a file of labels (its column {match.on!r} names {en})."
        f" If it is, {first.en}add --labels {where} --on {on}; if not, leave it out.",
    )


def _typed(word: str) -> str:
    """A word as it is typed into a shell; Korean needs no quotes there."""
    return word if all(c.isalnum() or c in "._-/\\:" for c in word) else quote(word)


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
        named = {name for key in keys if (name := file_meant(key, meant)) is not None}
        if len(named) >= LIKELY * len(names):
            found.append(Match(labels, column, FILE, len(named) / len(names)))
    return found


def _row_matches(data: Sequence[Raw], labels: Raw) -> list[Match]:
    """Columns that name rows: under the same name, or else by what they hold."""
    shared = {same_name(c): c for c in data[0].columns}
    known = sum(same_name(c) in shared for c in labels.columns)
    small = len(labels.columns) >= 2 and labels.table.num_rows <= MOST_KEYS
    if not small or known * 2 > len(labels.columns) + 1:
        return []  # the same table once more, rather than its labels
    pairs = [
        (column, shared[same_name(column)])
        for column in labels.columns
        if same_name(column) in shared
    ]
    if not pairs and len(data) == 1 and len(data[0].columns) <= FEW_COLUMNS:
        pairs = [
            (c, by) for c in labels.columns[:FEW_COLUMNS] for by in data[0].columns
        ]
    found = [_row_match(data, labels, column, by) for column, by in pairs]
    return [match for match in found if match.share >= SURE]


def _row_match(data: Sequence[Raw], labels: Raw, column: str, by: str) -> Match:
    keys = _own_keys(labels, column)
    rows = {k for raw in data for k in distinct_keys(raw, by)} - {""} if keys else set()
    named = same_name(column) == same_name(by)
    enough = bool(rows) and (named or len(rows) >= FEW_ROWS)
    share = len(rows & keys) / len(rows) if enough else 0.0
    return Match(labels, column, by, share, named)


def _own_keys(labels: Raw, column: str) -> set[str]:
    """The keys of a column that tells the rows of its table apart; else nothing."""
    keys = [key_of(v) for v in labels.table[column].to_pylist()]
    distinct = set(keys) - {""}
    return distinct if len(distinct) >= 0.9 * len(keys) else set()


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
