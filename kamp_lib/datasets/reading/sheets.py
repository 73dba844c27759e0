"""Excel and OpenDocument workbooks -> raw cells of one sheet."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.grids import Area, Grid, raw_of_grid
from kamp_lib.datasets.reading.locked import unlocked_workbook
from kamp_lib.datasets.reading.refusals import no_data
from kamp_lib.datasets.reading.trial import cells_when_tried
from kamp_lib.datasets.reading.workbook_parts import (
    MOST_CELLS,
    SheetFacts,
    inspected,
    too_large,
)
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError, UsageError

SAMPLE_ROWS = 2_000  # tell how full a sheet is


@dataclass
class _Sheet:
    """One sheet, before its cells are taken."""

    name: str
    cells: Any  # python_calamine.CalamineSheet
    hidden: bool
    fullness: int  # about how many cells are filled


def read_workbook(path: Path, name: str, options: Options) -> Raw:
    """Read one sheet of a workbook: the fullest one, unless `--sheet` names another.

    Cells become text in one canonical form, so that a sheet and the CSV of the same
    table are stored alike. `--sheet 'Sheet1!A30:F60'` names a part of a sheet.

    Raises
    ------
    KampError
        When the workbook is locked, damaged or empty.
    """
    import python_calamine

    data, facts = _opened(path, name, options)
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    is_sheet = python_calamine.SheetTypeEnum.WorkSheet
    sheets = [_sheet(book, s) for s in book.sheets_metadata if s.typ == is_sheet]
    chosen, where = _choose(sheets, name, options)
    details = {"sheet": chosen.name}
    raw = raw_of_grid(_grid(chosen), path, name, details=details, where=where)
    raw.findings += _sheet_chosen(sheets, chosen, options)
    raw.findings += facts.get(chosen.name, SheetFacts()).findings(chosen.name)
    return raw


def _opened(
    path: Path, name: str, options: Options
) -> tuple[bytes, dict[str, SheetFacts]]:
    """The workbook's bytes without a lock, and what its parts say of each sheet."""
    data = unlocked_workbook(path.read_bytes(), name, options)
    facts = inspected(data, name) if data.startswith(b"PK") else {}
    _check(data, name)
    return data, facts


def _check(data: bytes, name: str) -> None:
    try:
        cells = cells_when_tried("workbook", data)
    except ValueError as error:
        raise _damaged(name) from error
    if cells > MOST_CELLS:
        raise too_large(name)


def _damaged(name: str) -> KampError:
    return KampError(
        f"'{name}'을(를) 엑셀 파일로 열 수 없습니다. 엑셀에서 열어 .xlsx로 다시 저장하세요.",
        f"{name!r} cannot be opened as Excel; open it in Excel and save it again as .xlsx.",
    )


def _sheet(book: Any, about: Any) -> _Sheet:
    cells = book.get_sheet_by_name(about.name)
    sample = list(islice(cells.iter_rows(), SAMPLE_ROWS))
    filled = sum(cell != "" for row in sample for cell in row)
    share = ((cells.end or (0,))[0] + 1) / max(1, len(sample))
    hidden = not str(about.visible).endswith(".Visible")
    return _Sheet(about.name, cells, hidden, round(filled * share))


def _choose(
    sheets: list[_Sheet], name: str, options: Options
) -> tuple[_Sheet, str | None]:
    """The sheet to read, and the part of it that was asked for."""
    if options.sheet is not None:
        return _named(sheets, options.sheet, name)
    full = [s for s in sheets if s.fullness]
    if not full:
        raise no_data(name)
    return max(full, key=lambda s: (not s.hidden, s.fullness)), None


def _named(sheets: list[_Sheet], wanted: str, name: str) -> tuple[_Sheet, str | None]:
    by_name = {sheet.name: sheet for sheet in sheets}
    if wanted in by_name:
        return by_name[wanted], None
    own, _, part = wanted.rpartition("!")
    if own.strip("'") in by_name:
        return by_name[own.strip("'")], part
    known = ", ".join(by_name)
    raise UsageError(
        f"'{name}'에 시트 '{wanted}'이(가) 없습니다. 있는 시트: {known}",
        f"{name!r} has no sheet {wanted!r}; it has {known}.",
    )


def _sheet_chosen(
    sheets: list[_Sheet], chosen: _Sheet, options: Options
) -> list[Finding]:
    """Say which sheet was read, where others have something in them too."""
    others = [s.name for s in sheets if s is not chosen and s.fullness]
    if options.sheet is not None or not others:
        return []
    return [
        finding("sheet-chosen", count=len(others), examples=others, chosen=chosen.name)
    ]


def _grid(sheet: _Sheet) -> Grid:
    start = sheet.cells.start or (0, 0)
    rows = ([_as_text(cell) for cell in row] for row in sheet.cells.iter_rows())
    merged = [
        Area(first[0], first[1], last[0] + 1, last[1] + 1)
        for first, last in sheet.cells.merged_cell_ranges or ()
    ]
    return Grid.of(rows, left=start[1], merged=merged)


def _as_text(cell: Any) -> str:
    """A cell as the CSV of the same table would write it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):  # hours may go beyond a day
        minutes, seconds = divmod(cell.total_seconds(), 60)
        hours, minutes = divmod(int(minutes), 60)
        return f"{hours}:{minutes:02}:{seconds:06.3f}".removesuffix(".000")
    return str(cell)
