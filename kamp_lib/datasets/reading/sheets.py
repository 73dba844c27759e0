"""Excel and OpenDocument workbooks -> raw cells of one sheet."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.grid_cells import raw_of_grid
from kamp_lib.datasets.reading.grids import RANGE, Area, Grid
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
EVERY = "*"


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
    table are stored alike. `--sheet 'Sheet1!A30:F60'` names a part of a sheet, and
    `--sheet '*'` takes all sheets with the columns of the fullest one.

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
    raw = _read(chosen, path, name, where)
    taken = [chosen]
    if options.sheet in (None, EVERY):
        others = [s for s in sheets if s is not chosen and s.fullness]
        alike = [s for s in others if not s.hidden and _columns(s, path) == raw.columns]
        if options.sheet == EVERY:
            taken = [s for s in sheets if s is chosen or s in alike]
            raw = _joined([_read(s, path, f"{name}!{s.name}", None) for s in taken])
        raw.findings += _sheet_chosen(taken, others, alike)
    for sheet in taken:
        raw.findings += facts.get(sheet.name, SheetFacts()).findings(sheet.name)
    return raw


def _read(sheet: _Sheet, path: Path, name: str, where: str | None) -> Raw:
    details = {"sheet": sheet.name}
    return raw_of_grid(_grid(sheet), path, name, details=details, where=where)


def _columns(sheet: _Sheet, path: Path) -> list[str]:
    """The columns of a sheet, as far as its first rows tell."""
    try:
        start = _grid(sheet, SAMPLE_ROWS)
        return raw_of_grid(start, path, sheet.name, details={}, where=None).columns
    except KampError:  # a cover sheet holds no table
        return []


def _joined(raws: list[Raw]) -> Raw:
    """One table of sheets with the same columns, each with its own name in `_file`."""
    said = {f.message_ko: f for raw in raws for f in raw.findings}
    return Raw(
        pa.concat_tables([raw.table for raw in raws]),
        [source for raw in raws for source in raw.sources],
        [row for raw in raws for row in raw.rejected],
        [*said.values()],
        units=raws[0].units,
    )


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
    if options.sheet is not None and options.sheet != EVERY:
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
    if own.strip("'") in by_name and RANGE.fullmatch(part.strip()):
        return by_name[own.strip("'")], part
    known = ", ".join(by_name)
    raise UsageError(
        f"'{name}'에 시트 '{wanted}'이(가) 없습니다. 있는 시트: {known}",
        f"{name!r} has no sheet {wanted!r}; it has {known}.",
    )


def _sheet_chosen(
    taken: list[_Sheet], others: list[_Sheet], alike: list[_Sheet]
) -> list[Finding]:
    """Say which sheets were read, where others have something in them too."""
    read = [sheet.name for sheet in taken]
    found = []
    if len(taken) > 1:
        found.append(finding("sheets-joined", count=len(read), examples=read))
    left = [sheet.name for sheet in others if sheet not in taken]
    if left:
        waiting = [sheet.name for sheet in alike if sheet not in taken]
        variant = "alike" if waiting else "every" if len(taken) > 1 else None
        found.append(
            finding(
                "sheet-chosen",
                count=len(left),
                examples=left,
                chosen=", ".join(read[:5]),
                alike=len(waiting),
                variant=variant,
            )
        )
    return found


def _grid(sheet: _Sheet, most_rows: int | None = None) -> Grid:
    start = sheet.cells.start or (0, 0)
    cells = islice(sheet.cells.iter_rows(), most_rows)
    rows = ([_as_text(cell) for cell in row] for row in cells)
    merged = [
        Area(first[0], first[1], last[0] + 1, last[1] + 1)
        for first, last in sheet.cells.merged_cell_ranges or ()
        if most_rows is None or last[0] < most_rows
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
