"""What reading hands on: raw cells, where each came from, and rows that were no rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pyarrow as pa

from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

FILE = "_file"  # provenance: the file's name as the person gave it
ROW = "_row"  # provenance: 1-based line in the file, as an editor or a sheet shows it
RUN = "run_id"  # the run a file of a folder holds
PROVENANCE = (FILE, ROW)
# Details of a source that tell what of a file was read: the same file may come again.
PLACES = ("class", "split", "sheet", "table", "range", "variables")
LONGEST_NAME = 200  # of a column; what is longer is a lost line, not a name
INGEST_COLUMN = "_ingest"  # which ingest brought a row; stored, not shown

REASONS = {
    "wrong-field-count": Text(
        "칸 수가 머리글과 다릅니다 ({expected}칸이어야 하는데 {actual}칸)",
        "the number of fields differs from the header ({actual} instead of {expected})",
    ),
    "not-a-number": Text(
        "숫자 열 '{column}'에 숫자가 아닌 값 '{text}'이(가) 있습니다",
        "the number column {column!r} holds {text!r}",
    ),
    "not-a-time": Text(
        "시각 열 '{column}'에 시각이 아닌 값 '{text}'이(가) 있습니다",
        "the time column {column!r} holds {text!r}",
    ),
    "repeated-header": Text("머리글이 되풀이된 행입니다", "the header is repeated"),
    "totals-row": Text(
        "합계·평균 같은 집계 행입니다", "a total or average, not a record"
    ),
    "unreadable-line": Text("읽을 수 없는 줄입니다", "the line cannot be read"),
    "unreadable-image": Text(
        "이미지로 읽을 수 없는 파일입니다", "the file cannot be read as an image"
    ),
    "cut-image": Text(
        "이미지가 끝까지 저장되지 않았거나 망가졌습니다",
        "the image is truncated or damaged",
    ),
    "empty-image": Text("빈 파일(0바이트)입니다", "the file is empty (0 bytes)"),
    "image-too-large": Text(
        "이미지가 너무 큽니다(1억 화소 또는 512MB 초과)",
        "the image is too large (over 100 million pixels or 512 MB)",
    ),
    "mask-without-image": Text(
        "마스크인데 짝이 되는 이미지가 없습니다", "a mask whose picture is not there"
    ),
}


@dataclass(frozen=True)
class Rejected:
    """One row that is not stored: where it stood, why, and its text."""

    file: str
    row: int
    code: str
    reason: Text
    original: str | None = None  # None: looked up later, through `Raw.verbatim`
    columns: tuple[str, ...] = ()

    @classmethod
    def because(
        cls,
        code: str,
        file: str,
        row: int,
        *,
        original: str | None = None,
        columns: tuple[str, ...] = (),
        **values: Any,
    ) -> Rejected:
        return cls(file, row, code, REASONS[code].format(**values), original, columns)


@dataclass(frozen=True)
class Source:
    """One file that was read: its content's hash is its identity."""

    name: str
    path: Path
    sha256: str
    bytes: int
    rows: int  # data rows, stored or not
    run: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    content: str | None = None  # hash of the file inside, where the path is an archive

    @property
    def key(self) -> str:
        """What must not be ingested twice: this content, in this place."""
        places = (self.run, *(self.details.get(kind) for kind in PLACES))
        place = "".join(f":{value}" for value in places if value)
        return (self.content or self.sha256) + place


# Gives the text of rows (by row number) exactly as it stands in the file.
Verbatim = Callable[[Sequence[int]], list[str]]


@dataclass
class Raw:
    """Raw cells of one or more files, each row with `_file` and `_row`.

    `table` holds text for text files and sheets, native types for Parquet. Rows that
    could not even be split into cells are in `rejected`. `units` holds the unit of a
    column as the file writes it, where a line of units or the format itself tells.
    `keep_originals` says whether the files as they came may be stored beside the rows.
    """

    table: pa.Table
    sources: list[Source]
    rejected: list[Rejected] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    verbatim: dict[str, Verbatim] = field(default_factory=dict)
    images: bool = False
    labels: Source | None = None
    units: dict[str, str] = field(default_factory=dict)
    keep_originals: bool = True
    unpacked: object = None  # holds files taken from archives while they are needed

    @property
    def columns(self) -> list[str]:
        """The source columns, without provenance."""
        return [c for c in self.table.column_names if c not in PROVENANCE]

    @property
    def rows_read(self) -> int:
        return sum(source.rows for source in self.sources)

    def release(self) -> None:
        """Let go of the cells, when all that is needed of them has been taken."""
        self.table = self.table.slice(0, 0)

    def originals(self, file: str, positions: Sequence[int]) -> list[str]:
        """Rows (by position in `table`) as they stand in their file."""
        taken = self.table.take(list(positions))
        if file in self.verbatim:
            return self.verbatim[file](taken[ROW].to_pylist())
        cells = taken.drop_columns(list(PROVENANCE)).to_pylist()
        return [json.dumps(row, ensure_ascii=False, default=str) for row in cells]


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names as they stand, but none empty, none twice and nothing unseen in them.

    Korean that a Mac wrote in single letters is put together.

    >>> unique_names(["a", "", "a"])
    ['a', 'column_2', 'a_2']
    """
    result: list[str] = []
    taken = {*PROVENANCE, INGEST_COLUMN}
    for place, name in enumerate(names, start=1):
        seen = "".join(c if c.isprintable() else " " * c.isspace() for c in name)
        name = " ".join(normalize("NFC", seen).split())[:LONGEST_NAME].rstrip()
        name = name or f"column_{place}"
        wanted, number = name, 1
        # Delta Lake knows no upper and lower case in names.
        while name.lower() in taken:
            number += 1
            name = f"{wanted}_{number}"
        result.append(name)
        taken.add(name.lower())
    return result
