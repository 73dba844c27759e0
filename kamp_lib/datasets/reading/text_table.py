"""The cells of a whole text file: its slices are cut into cells two at a time.

A column of decimal numbers becomes numbers at once, slice by slice, since no evidence
from elsewhere in the file could make it anything else; all others stay text until the
whole column is parsed. When a later slice holds something else in such a column, the
file is read once more with that column as text. So the result is the same however the
file is sliced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.options import Options
from kamp_lib.datasets.parsing.decimals import may_be_thousands
from kamp_lib.datasets.parsing.numbers import are_sound
from kamp_lib.datasets.parsing.typed import plain_decimals
from kamp_lib.datasets.raw import PROVENANCE, ROW, Rejected
from kamp_lib.datasets.reading.slices import OpenQuote, Slices
from kamp_lib.datasets.reading.text_cells import cells_of
from kamp_lib.datasets.spool import Spool
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets.reading.text_files import TextForm

WORKERS = 2
LARGE = 1 << 30  # bytes of a file whose table is kept in a mapped file
TOLD = 1 << 26  # bytes of a file of which it is told how far it is read
SPARE = 1.02  # times as many rows as the first ones let expect
READING = Text("파일 읽는 중", "reading files")


@dataclass
class Cells:
    """What was read of a file, or of a slice of it."""

    table: pa.Table
    rejected: list[Rejected] = field(default_factory=list)
    padded: int = 0  # rows that lacked empty cells at their end


class _NoDecimals(Exception):
    """Columns that were taken for decimal numbers and are something else."""

    def __init__(self, columns: set[str]) -> None:
        self.columns = columns


def read_cells(
    path: Path, form: TextForm, name: str, options: Options
) -> tuple[TextForm, Slices, Cells]:
    """All rows of a file.

    Returns
    -------
    form : TextForm
        As given, or without quotes where these turned out to mean nothing.
    slices : Slices
        With what is known of the file after it was read.
    cells : Cells
        Text, except for columns of decimal numbers; in a mapped file when large.
    """
    texts: set[str] = set()
    while True:
        slices = Slices(path, name, quotes=form.quotes)
        try:
            return form, slices, _gathered(slices, form, texts, options)
        except OpenQuote:
            form = replace(form, quotes=False)
        except _NoDecimals as error:
            texts |= error.columns


def _gathered(
    slices: Slices, form: TextForm, texts: set[str], options: Options
) -> Cells:
    size = slices.path.stat().st_size
    rejected: list[Rejected] = []
    padded = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal padded
        for cells in _parallel(slices, form, texts):
            if size >= min(TOLD, LARGE):
                options.progress(READING, done=slices.bytes, total=size)
            rejected.extend(cells.rejected)
            padded += cells.padded
            yield cells.table

    parts = tables()
    first = next(parts)
    whole = chain([first], parts)
    if size < LARGE:
        likely = first.num_rows * size / max(1, slices.bytes)
        return Cells(_in_one_piece(whole, int(SPARE * likely)), rejected, padded)
    table = Spool(options.scratch).table(first.schema, whole)
    return Cells(table, rejected, padded)


def _in_one_piece(parts: Iterable[pa.Table], likely: int) -> pa.Table:
    """One table of many, with its numbers in one piece each: pandas takes them so.

    They are laid there as they come, and are never in memory twice. `likely` is how
    many rows there will be, as far as one can tell.
    """
    numbers: dict[str, np.ndarray] = {}
    others, names, rows = [], [], 0
    for part in parts:
        names = part.column_names
        floats = [f.name for f in part.schema if pa.types.is_floating(f.type)]
        for name in floats:
            held = numbers.get(name, np.empty(0))
            numbers[name] = _laid_out(part[name], held, rows, likely)
        others.append(part.drop_columns(floats))
        rows += part.num_rows
    table = pa.concat_tables(others)
    return pa.table(
        {
            name: pa.array(numbers[name][:rows], from_pandas=True)
            if name in numbers
            else table[name]
            for name in names
        }
    )


def _laid_out(
    column: pa.ChunkedArray, held: np.ndarray, at: int, likely: int
) -> np.ndarray:
    """The numbers held with those of a column from `at` on, gaps as nan."""
    if at + len(column) > len(held):  # what is not written to takes no memory
        more = np.empty(max(likely, at + len(column), len(held) * 3 // 2))
        more[:at] = held[:at]
        held = more
    for chunk in column.chunks:
        held[at : at + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        at += len(chunk)
    return held


def _parallel(slices: Slices, form: TextForm, texts: set[str]) -> Iterator[Cells]:
    """The cells of each slice, in order; the first tells which columns are decimals."""
    slices_left = iter(slices)
    text = b""
    while text.count(b"\n") <= form.skip:  # titles and header, and a row at least
        more = next(slices_left, None)
        if more is None:
            break
        text += more[0]
    first = _cut(text, 0, form, slices.name)
    decimals = _decimals(first.table) - texts
    yield _with_decimals(first, decimals)
    form = replace(form, skip=0)
    ahead: deque[Future[Cells]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for text, lines in slices_left:
            ahead.append(pool.submit(_typed, text, lines, form, slices.name, decimals))
            if len(ahead) > WORKERS:
                yield ahead.popleft().result()
        for waiting in ahead:
            yield waiting.result()


def _typed(
    text: bytes, lines: int, form: TextForm, name: str, decimals: set[str]
) -> Cells:
    return _with_decimals(_cut(text, lines, form, name), decimals)


def _cut(text: bytes, lines: int, form: TextForm, name: str) -> Cells:
    """The cells of one slice, under the line numbers of the file."""
    table, rejected, padded = cells_of(text, form, name)
    if lines:
        place = table.schema.get_field_index(ROW)
        table = table.set_column(place, ROW, pc.add(table[ROW], lines))
        rejected = [replace(r, row=r.row + lines) for r in rejected]
    return Cells(table, rejected, padded)


def _decimals(table: pa.Table) -> set[str]:
    names = [n for n in table.column_names if n not in PROVENANCE]
    return {
        name
        for name in names
        if plain_decimals(table[name]) is not None and not may_be_thousands(table[name])
    }


def _with_decimals(cells: Cells, decimals: set[str]) -> Cells:
    columns, wrong = [], set()
    for name in cells.table.column_names:
        column = cells.table[name]
        if name in decimals:
            numbers = _numbers(column)
            if numbers is None:
                wrong.add(name)
            else:
                column = numbers
        columns.append(column)
    if wrong:
        raise _NoDecimals(wrong)
    return replace(cells, table=pa.table(columns, names=cells.table.column_names))


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Decimal numbers and empty cells as numbers; None when anything else is there."""
    empty = pc.equal(column, "")
    if pc.any(empty).as_py():
        column = pc.if_else(empty, pa.scalar(None, column.type), column)
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return numbers if are_sound(numbers) else None  # the words nan and inf, 1e999
