"""Delimited text -> raw cells: the beginning of a file decides how all of it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.raw import Raw, Source
from kamp_lib.datasets.reading.delimiters import (
    find_delimiter,
    is_layout,
    records,
    said_delimiter,
    usual_width,
)
from kamp_lib.datasets.reading.encodings import HEAD, Decoder
from kamp_lib.datasets.reading.layout import (
    TableLayout,
    layout_findings,
    table_layout,
)
from kamp_lib.datasets.reading.slices import Slices
from kamp_lib.datasets.reading.text_cells import without_unnamed
from kamp_lib.datasets.reading.text_table import read_cells
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

LONGEST_HEAD = 16 * HEAD  # of a file whose lines are very long
ENOUGH_LINES = 20
MOST_COLUMNS = 2_000
SHORT_SHARE = 0.1  # of the rows: a habit of the program that wrote them, no accident
# A backslash before a quote inside a cell, as databases write it.
_ESCAPED = re.compile(r'\\"[^,;\t|\r\n]')


@dataclass(frozen=True)
class TextForm:
    """How a text file is written, as far as its beginning tells.

    `skip` lines come before the first row of data. Rows are cut into `width` cells;
    where the header names more columns, the last cells of these rows were left out.
    """

    delimiter: str
    escape: str | None
    layout: TableLayout
    skip: int
    width: int
    pads_rows: bool
    heads: list[list[str]]  # rows that are no data wherever they stand
    findings: list[Finding]
    quotes: bool = True

    @property
    def sign(self) -> str:
        """The one character between the cells, once runs of spaces are tabs."""
        return "\t" if is_layout(self.delimiter) else self.delimiter


def read_text(path: Path, name: str, options: Options = UNSAID) -> Raw:
    """Read one CSV-like file, slice by slice.

    Parameters
    ----------
    path : Path
        Where it is; read again only when rows have to be quoted verbatim.
    name : str
        What the person calls it.
    options : Options
        Where a table that is too large for memory is laid out.

    Raises
    ------
    KampError
        When it is no text or no table.
    """
    form = text_form(_beginning(path, name), name)
    if len(form.layout.names) > MOST_COLUMNS:
        count = len(form.layout.names)
        raise KampError(
            f"'{name}'의 열이 {count:,}개로 너무 많습니다(최대 {MOST_COLUMNS:,}개)."
            " 구분 기호가 맞는지, 행과 열이 뒤바뀌지 않았는지 확인하세요.",
            f"{name!r} has {count:,} columns, more than {MOST_COLUMNS:,};"
            " check its delimiter, and that rows and columns are not exchanged.",
        )
    form, slices, cells = read_cells(path, form, name, options)
    table, rejected = without_unnamed(cells.table), cells.rejected
    rows = table.num_rows + len(rejected)
    if len(rejected) > table.num_rows:
        raise KampError(
            f"'{name}'에서 표를 찾지 못했습니다. 머리글과 데이터가 있는 표만 남겨 다시 내보내세요.",
            f"no table was found in {name!r}; export just a header and its rows.",
        )
    if rows == 0:
        raise KampError(
            f"'{name}'에 머리글만 있고 데이터가 없습니다. 내용이 있는 파일을 선택하세요.",
            f"{name!r} has a header but no rows; choose a file that has.",
        )
    details = {"encoding": slices.decoder.encoding, "delimiter": form.delimiter}
    source = Source(name, path, slices.sha256, slices.bytes, rows, details=details)
    findings = [*slices.decoder.findings(), *form.findings]
    if cells.padded:
        findings.append(finding("short-rows", count=cells.padded))
    for code in ("repeated-header", "wrong-field-count"):
        places = [f"{name}:{r.row}" for r in rejected if r.code == code]
        if places:
            findings.append(finding(code, count=len(places), examples=places))

    def verbatim(rows: Sequence[int]) -> list[str]:
        return _lines(Slices(path, name, quotes=form.quotes), rows)

    units = {n: u for n, u in form.layout.units.items() if n in table.column_names}
    return Raw(table, [source], rejected, findings, {name: verbatim}, units=units)


def _beginning(path: Path, name: str) -> bytes:
    """As much text as it takes to tell how a file is written."""
    with open(path, "rb") as file:
        data = file.read(LONGEST_HEAD)
        more = file.read(1)
    decoder = Decoder(data[:HEAD], name)
    end = data.rfind(decoder.line_end) + len(decoder.line_end) if more else len(data)
    return decoder.utf8(data[:end] if end > 1 else data)


def text_form(text: bytes, name: str) -> TextForm:
    """How a file is written, from the beginning of its (UTF-8) text.

    Raises
    ------
    KampError
        When there is nothing in it.
    """
    head = _head(text)
    if not head.strip(" \t\r\n,;|"):
        raise KampError(
            f"'{name}'에 데이터가 없습니다. 내용이 있는 파일을 선택하세요.",
            f"{name!r} holds no data; choose a file that does.",
        )
    delimiter = find_delimiter(head)
    escape = "\\" if _ESCAPED.search(head) and '""' not in head else None
    rows, ends = records(head, delimiter, escape)
    before = 1 if said_delimiter(head) is not None else 0
    rows, ends = rows[before:], ends[before:]
    layout = table_layout(rows)
    lengths = [len(row) for row in rows[layout.first :] if any(map(str.strip, row))]
    width = min(usual_width(rows[layout.first :]), len(layout.names))
    short = sum(0 < n < len(layout.names) for n in lengths)
    return TextForm(
        delimiter,
        escape,
        layout,
        skip=ends[layout.first - 1] if layout.first else before,
        width=width,
        # among blanks nothing tells which cell is missing
        pads_rows=short > max(1, SHORT_SHARE * len(lengths))
        and not is_layout(delimiter),
        heads=_heads(layout, rows),
        findings=layout_findings(layout, rows),
    )


def _head(text: bytes) -> str:
    """The lines that decide; more bytes where the lines are long."""
    size = HEAD
    while size < min(len(text), LONGEST_HEAD) and (
        text.count(b"\n", 0, size) < ENOUGH_LINES
    ):
        size *= 2
    head = text[:size]
    if len(text) > size:
        head = head[: head.rfind(b"\n") + 1] or head
    return head.decode("utf-8", errors="ignore")


def _heads(layout: TableLayout, rows: list[list[str]]) -> list[list[str]]:
    """Titles, header and units, which come again where exports were pasted together.

    A single row of names is found by what is parsed, whatever the kind of file.
    """
    again = [*layout.titles]
    if len(layout.header) > 1 or layout.unit_row is not None:
        again += [r for r in (*layout.header, layout.unit_row) if r is not None]
    return [[cell.strip() for cell in rows[row]] for row in again]


def _lines(slices: Slices, rows: Sequence[int]) -> list[str]:
    """Records by the number of their first line, exactly as written."""
    result: dict[int, str] = {}
    wanted = sorted(set(rows), reverse=True)
    passed: tuple[bytes, int] = (b"", 0)
    for passed in slices:
        text, before = passed
        ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 10)
        while wanted and wanted[-1] <= before + len(ends):
            row = wanted.pop()
            result[row] = _record(text, ends, row - before)
        if not wanted:
            break
    text, before = passed
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 10)
    for row in wanted:  # the last line, without an end
        result[row] = _record(text, ends, row - before)
    return [result[row] for row in rows]


def _record(text: bytes, ends: np.ndarray, row: int) -> str:
    pairs = text.count(b'"') % 2 == 0
    start = int(ends[row - 2]) + 1 if row > 1 else 0
    last = row - 1
    while True:
        end = int(ends[last]) if last < len(ends) else len(text)
        record = text[start:end]
        if not pairs or record.count(b'"') % 2 == 0 or end == len(text):
            return record.decode("utf-8").rstrip("\r")
        last += 1  # a quoted line break: the record goes on
