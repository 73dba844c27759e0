"""Quarantined rows as a CSV file that a person mends in a spreadsheet and hands back.

A cell that a spreadsheet would run as a formula gets an apostrophe in front, which comes
off again when the file is read; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kamp_lib.datasets.raw import FILE, INGEST_COLUMN, ROW
from kamp_lib.datasets.storage.manifest import RowPlace
from kamp_lib.errors import KampError

FORMULA = re.compile(r"[\s]*[=+\-@＝＋－＠\t\r\n]")
NUMBER = re.compile(r"[+-]?[\d.,]+([eE][+-]?\d+)?\s?%?")
PLACE = (INGEST_COLUMN, FILE, ROW)
REASON, ORIGINAL = "_reason", "_original"
OURS = (*PLACE, REASON, ORIGINAL)
LARGEST = 512 * 2**20


@dataclass(frozen=True)
class Mended:
    """A quarantined row as it came back: where it belongs, and its cells."""

    place: RowPlace
    cells: dict[str, str]


@dataclass(frozen=True)
class Rejection:
    """A quarantined row as it is shown: why it is there, its text, and its cells."""

    place: RowPlace
    reason: str
    original: str
    cells: dict[str, str | None]


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless("-12.5"), harmless("-2+3"), harmless("'a")
    ("'=1+1", '-12.5', "'-2+3", "''a")
    """
    risky = cell.startswith("'") or FORMULA.match(cell)
    return f"'{cell}" if risky and not NUMBER.fullmatch(cell) else cell


def as_it_was(cell: str) -> str:
    """What `harmless` was given."""
    return cell.removeprefix("'")


def sheet_bytes(rows: Sequence[Rejection]) -> bytes:
    """Quarantined rows, one line each, as UTF-8 that spreadsheets recognise."""
    columns = list(dict.fromkeys(name for row in rows for name in row.cells))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in (*OURS, *columns)])
    for row in rows:
        place = row.place.ingest, row.place.file, str(row.place.row)
        cells = (row.cells.get(name) or "" for name in columns)
        line = (*place, row.reason, row.original, *cells)
        writer.writerow([harmless(cell) for cell in line])
    return text.getvalue().encode("utf-8-sig")


def read_sheet(path: Path) -> list[Mended]:
    """The rows of a mended file; lines without any cell filled are left out.

    Raises
    ------
    KampError
        When it is no such file.
    """
    lines = csv.reader(io.StringIO(_text(path), newline=""))
    try:
        head = [as_it_was(cell).strip() for cell in next(lines, [])]
        missing = [name for name in PLACE if name not in head]
        if missing or len(set(head)) < len(head):
            raise _not_ours(path, f"1행에 {', '.join(PLACE)}", "line 1")
        return [
            mended
            for number, line in enumerate(lines, 2)
            if (mended := _mended(path, number, head, line)) is not None
        ]
    except csv.Error as error:
        raise _not_ours(path, str(error), str(error)) from error


def _mended(path: Path, number: int, head: list[str], line: list[str]) -> Mended | None:
    cells = dict(zip(head, map(as_it_was, line), strict=False))
    values = {k: v for k, v in cells.items() if k not in OURS}
    if not any(v.strip() for v in values.values()):
        return None
    try:
        place = RowPlace(
            ingest=cells[INGEST_COLUMN], file=cells[FILE], row=int(cells[ROW])
        )
    except (KeyError, ValueError) as error:
        raise _not_ours(path, f"{number}행", f"line {number}") from error
    return Mended(place, values)


def _text(path: Path) -> str:
    """The file's text; Korean spreadsheets save CSV in CP949."""
    try:
        if path.stat().st_size > LARGEST:
            raise _not_ours(path, "너무 큽니다", "it is too large")
        data = path.read_bytes()
    except OSError as error:
        raise KampError(
            f"파일을 읽을 수 없습니다: {path}. 경로를 확인하세요.",
            f"cannot read {path}; check the path.",
        ) from error
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _not_ours(path, "글자를 읽을 수 없습니다", "its text cannot be decoded")


def _not_ours(path: Path, ko: str, en: str) -> KampError:
    return KampError(
        f"{path.name} 은(는) kamp datasets quarantine --to 로 내보낸 파일이 아니거나"
        f" {', '.join(PLACE)} 열이 바뀌었습니다({ko}). 다시 내보내서 값만 고치세요.",
        f"{path.name} was not made by `kamp datasets quarantine --to`, or its columns"
        f" {', '.join(PLACE)} were changed ({en}); export again and edit the values only.",
    )
