"""The cells of a text whose form is known; every row is kept or rejected, none lost."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from kamp_lib.datasets.raw import FILE, ROW, Rejected
from kamp_lib.datasets.reading.counting import count
from kamp_lib.datasets.reading.delimiters import with_tabs
from kamp_lib.errors import KampError

if TYPE_CHECKING:
    from kamp_lib.datasets.reading.text_files import TextForm

LONGEST_LINE = 1 << 24  # bytes; what is longer is no row of a table
NOTHING = r"^\s*([-=_+ ]{3,})?\s*$"  # or a part of a rule below the header


def cells_of(
    text: bytes, form: TextForm, name: str
) -> tuple[pa.Table, list[Rejected], int]:
    """All cells as text with file and line; rejected rows; how many rows were padded.

    Rows of another width are rejected with their line, unless the file's habit is to
    leave out empty cells at the end, or to end lines with spare delimiters.
    """
    table, bad = _split(with_tabs(text, form.delimiter), form, name)
    good_lines, bad_lines = _line_numbers(table, bad, form.skip + 1, text)
    table = _with_all_columns(table, form.layout.names)
    table, good_lines = _without_empty_rows(table, good_lines)
    padded, kept, rejected = 0, [], []
    for row, line in zip(bad, bad_lines, strict=True):
        cells = _mended(row, form)
        if cells is not None:
            kept.append((cells, line))
            padded += row.actual_columns < len(form.layout.names)
        elif not _says_nothing(row, form):
            rejected.append(_rejected(row, line, form, name))
    if kept:
        table, good_lines = _merged(table, good_lines, kept)
    if form.width < len(form.layout.names):
        padded += table.num_rows - len(kept)
    table = _with_provenance(table, good_lines, name)
    table, repeats = _without_heads(table, form.heads, name)
    return table, sorted(rejected + repeats, key=_line), padded


def _line(rejected: Rejected) -> int:
    return rejected.row


def _split(
    text: bytes, form: TextForm, name: str
) -> tuple[pa.Table, list[pacsv.InvalidRow]]:
    bad: list[pacsv.InvalidRow] = []

    def reject(row: pacsv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    def attempt(quote: str | Literal[False]) -> pa.Table:
        bad.clear()
        names = form.layout.names[: form.width]
        return pacsv.read_csv(
            pa.BufferReader(text),
            read_options=pacsv.ReadOptions(
                column_names=names,
                skip_rows=form.skip,
                use_threads=False,  # else bad rows have no number
                block_size=_block_size(text),
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=form.sign,
                quote_char=quote,
                escape_char=form.escape or False,
                newlines_in_values=b'"' in text,
                ignore_empty_lines=False,
                invalid_row_handler=reject,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={n: pa.string() for n in names},
                check_utf8=False,  # a `Decoder` gives nothing else
            ),
        )

    try:
        table = attempt('"' if form.quotes else False)
        if form.quotes and _ends_in_a_break(table) and count(text, b'"') % 2 == 1:
            table = attempt(False)  # a quote that is never closed swallowed rows
    except pa.ArrowInvalid as error:
        raise KampError(
            f"'{name}'에서 표를 찾지 못했습니다. 머리글과 데이터가 있는 표만 남겨 다시 내보내세요.",
            f"no table was found in {name!r}; export just a header and its rows.",
        ) from error
    return table, bad


def _block_size(text: bytes) -> int:
    """A row has to fit into a block, and the first rows tell how long rows are."""
    longest = max(map(len, text[: 1 << 20].split(b"\n")))
    if longest >= 1 << 18:
        longest = max(map(len, text[:LONGEST_LINE].split(b"\n")))
    return max(1 << 20, 4 * longest)


def _ends_in_a_break(table: pa.Table) -> bool:
    """Whether a cell of the last row holds a line break."""
    last = table.slice(max(0, table.num_rows - 1))
    return any(
        "\n" in (cell or "") for row in last.to_pylist() for cell in row.values()
    )


def _line_numbers(
    table: pa.Table, bad: list[pacsv.InvalidRow], first: int, text: bytes
) -> tuple[np.ndarray, np.ndarray]:
    """The line each good and each bad row begins on; quoted breaks count."""
    total = table.num_rows + len(bad)
    spare = np.zeros(total, dtype=np.int64)  # further lines of a record
    places = np.array([row.number - first for row in bad], dtype=np.int64)
    is_bad = np.zeros(total, dtype=bool)
    is_bad[places] = True
    spare[places] = [row.text.count("\n") for row in bad]
    breaks = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns if b'"' in text else []:
        if _may_hold_breaks(column):
            breaks += pc.count_substring(column, "\n").to_numpy()
    spare[~is_bad] = breaks
    before = np.concatenate([[0], np.cumsum(spare)[:-1]]) if total else spare
    lines = np.arange(first, first + total) + before
    return lines[~is_bad], lines[places]


def _may_hold_breaks(column: pa.ChunkedArray) -> bool:
    """Whether there is a line break in the cells: all are looked at as one text."""
    texts = [chunk.buffers()[-1] for chunk in column.chunks]
    return any(count(memoryview(t), b"\n") for t in texts if t is not None)


def _with_all_columns(table: pa.Table, names: list[str]) -> pa.Table:
    missing = names[table.num_columns :]
    if not missing:
        return table
    empty = pa.array([""] * table.num_rows, pa.string())
    return pa.Table.from_arrays([*table.columns, *[empty] * len(missing)], names=names)


def _without_empty_rows(
    table: pa.Table, lines: np.ndarray
) -> tuple[pa.Table, np.ndarray]:
    """Rows without empty lines, and without lines that only draw a rule."""
    places = np.arange(table.num_rows)
    for column in table.columns:
        cells = column if len(places) == len(column) else column.take(places)
        nothing = pc.match_substring_regex(cells, NOTHING).to_numpy()
        places = places[nothing]
        if not len(places):
            return table, lines
    keep = np.ones(table.num_rows, dtype=bool)
    keep[places] = False
    return table.filter(pa.array(keep)), lines[keep]


def _mended(row: pacsv.InvalidRow, form: TextForm) -> list[str] | None:
    """The cells of a row that is only short of empty cells, or has spare ones."""
    reader = csv.reader([row.text], delimiter=form.sign, escapechar=form.escape)
    cells = next(reader, [])
    width = len(form.layout.names)
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) > width or not any(map(str.strip, cells)):
        return None
    if len(cells) < width and not (form.pads_rows and len(cells) > 1):
        return None
    return cells + [""] * (width - len(cells))


def _says_nothing(row: pacsv.InvalidRow, form: TextForm) -> bool:
    """Whether a row is empty, or a rule: a lone `-` is neither."""
    return all(re.match(NOTHING, cell) for cell in row.text.split(form.sign))


def _rejected(row: pacsv.InvalidRow, line: int, form: TextForm, name: str) -> Rejected:
    return Rejected.because(
        "wrong-field-count",
        name,
        int(line),
        original=row.text if form.sign == form.delimiter else None,
        expected=len(form.layout.names),
        actual=row.actual_columns,
    )


def _merged(
    table: pa.Table, lines: np.ndarray, mended: list[tuple[list[str], int]]
) -> tuple[pa.Table, np.ndarray]:
    """The mended rows back in their places."""
    columns = zip(*(cells for cells, _ in mended), strict=True)
    arrays = [pa.array(cells, pa.string()) for cells in columns]
    both = pa.concat_tables([table, pa.table(arrays, names=table.column_names)])
    lines = np.concatenate([lines, [line for _, line in mended]])
    order = np.argsort(lines, kind="stable")
    return both.take(pa.array(order)), lines[order]


def _with_provenance(table: pa.Table, lines: np.ndarray, name: str) -> pa.Table:
    table = table.append_column(FILE, pa.repeat(name, table.num_rows))
    return table.append_column(ROW, pa.array(lines, pa.int64()))


def _without_heads(
    table: pa.Table, heads: list[list[str]], name: str
) -> tuple[pa.Table, list[Rejected]]:
    """Rows without titles, header rows and units that come again further down."""
    width = table.num_columns - 2
    again = np.zeros(table.num_rows, dtype=bool)
    for head in heads:
        same = np.ones(table.num_rows, dtype=bool)
        for place, cell in enumerate((head + [""] * width)[:width]):
            if not same.any():
                break
            same &= pc.equal(pc.utf8_trim_whitespace(table[place]), cell).to_numpy()
        again |= same
    if not again.any():
        return table, []
    lines = table[ROW].to_numpy()[again]
    rejected = [Rejected.because("repeated-header", name, int(n)) for n in lines]
    return table.filter(pa.array(~again)), rejected


def without_unnamed(table: pa.Table) -> pa.Table:
    """The table without columns that have neither a name nor a single cell.

    They come of delimiters at the beginning or the end of every line.
    """
    spare = [
        name
        for place, name in enumerate(table.column_names, start=1)
        if name == f"column_{place}"
        and pa.types.is_string(table[name].type)
        and not pc.any(pc.not_equal(pc.utf8_trim_whitespace(table[name]), "")).as_py()
    ]
    return table.drop_columns(spare) if len(spare) < table.num_columns - 2 else table
