"""Excel sheets -> raw cells."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kamp_lib.datasets.raw import FILE, ROW, Raw, Source, sha256_of, unique_names
from kamp_lib.datasets.reading.text_files import NUMBER
from kamp_lib.errors import KampError


def read_excel(path: Path, data: bytes, name: str) -> Raw:
    """Read the sheet of an .xlsx workbook that holds the largest table.

    Cells become text in one canonical form, so that a sheet and the CSV of the same
    table are stored alike.
    """
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = {s: book.get_sheet_by_name(s) for s in book.sheet_names}
        rows_of = {
            s: sheet.to_python(skip_empty_area=False) for s, sheet in sheets.items()
        }
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise KampError(
            f"'{name}'을(를) 엑셀 파일로 열 수 없습니다. 암호를 풀거나 .xlsx로 다시 저장하세요.",
            f"{name!r} cannot be opened as Excel; remove its password or save it again as .xlsx.",
        ) from error
    sheet = max(rows_of, key=lambda s: len(rows_of[s]), default=None)
    rows = rows_of.get(sheet, []) if sheet is not None else []
    filled = [sum(cell != "" for cell in row) for row in rows]
    if not rows or max(filled, default=0) == 0:
        raise KampError(
            f"'{name}'에 데이터가 없습니다. 내용이 있는 파일을 선택하세요.",
            f"{name!r} holds no data; choose a file that does.",
        )
    usual = int(np.median([n for n in filled if n]))
    at = next(i for i, n in enumerate(filled) if n >= max(1, 0.6 * usual))
    header = [_as_text(cell).strip() for cell in rows[at]]
    while header and not header[-1]:
        header.pop()
    if sum(bool(NUMBER.fullmatch(c)) for c in header) * 2 > sum(map(bool, header)):
        raise KampError(
            f"'{name}'의 첫 줄에 열 이름이 없습니다. 첫 줄에 열 이름을 넣어 다시 저장하세요.",
            f"{name!r} has no header; put the column names in its first line and save it again.",
        )
    width = max(len(header), *(_width(row) for row in rows[at:]))
    names = unique_names(header + [""] * (width - len(header)))
    numbered = [(i + 1, row) for i, row in enumerate(rows) if i > at and filled[i]]
    columns = {
        column: pa.array([_as_text(row[place]) for _, row in numbered], pa.string())
        for place, column in enumerate(names)
    }
    table = pa.table(
        {
            **columns,
            FILE: pa.array([name] * len(numbered), pa.string()),
            ROW: pa.array([n for n, _ in numbered], pa.int64()),
        }
    )
    if table.num_rows == 0:
        raise KampError(
            f"'{name}'에 머리글만 있고 데이터가 없습니다. 내용이 있는 파일을 선택하세요.",
            f"{name!r} has a header but no rows; choose a file that has.",
        )
    source = Source(
        name,
        path,
        sha256_of(data),
        len(data),
        table.num_rows,
        details={"sheet": str(sheet)},
    )
    return Raw(table, [source])


def _width(row: list[Any]) -> int:
    """How far a row is filled."""
    return max((i + 1 for i, cell in enumerate(row) if cell != ""), default=0)


def _as_text(cell: Any) -> str:
    """A cell as the CSV of the same table would write it."""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    return str(cell)
