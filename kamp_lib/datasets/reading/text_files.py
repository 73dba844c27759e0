"""Delimited text -> raw cells: encoding, delimiter and header by evidence."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from kamp_lib.datasets.raw import (
    FILE,
    ROW,
    Raw,
    Rejected,
    Source,
    sha256_of,
    unique_names,
)
from kamp_lib.errors import KampError

SAMPLE = 1 << 16
DELIMITERS = ",;\t|"
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)*|[.,]\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out; `skip` lines (titles and header) come before the data."""

    encoding: str
    delimiter: str
    names: list[str]
    skip: int


def read_text(path: Path, data: bytes, name: str) -> Raw:
    """Read one CSV-like file.

    Parameters
    ----------
    path : Path
        Where it is; read again only when rows have to be quoted verbatim.
    data : bytes
        Its content.
    name : str
        What the person calls it.

    Raises
    ------
    KampError
        When it is no text, no table, or has no header.
    """
    text, encoding = as_utf8(data, name)
    layout = _layout(text, encoding, name)
    table, rejected = _cells(text, layout, name)
    if table.num_rows == 0 or len(rejected) > table.num_rows:
        raise KampError(
            f"'{name}'에서 표를 찾지 못했습니다. 머리글과 데이터가 있는 표만 남겨 다시 내보내세요.",
            f"no table was found in {name!r}; export just a header and its rows.",
        )
    source = Source(
        name,
        path,
        sha256_of(data),
        len(data),
        table.num_rows + len(rejected),
        details={"encoding": layout.encoding, "delimiter": layout.delimiter},
    )

    def verbatim(rows: Sequence[int]) -> list[str]:
        return _lines(as_utf8(path.read_bytes(), name)[0], rows)

    return Raw(table, [source], rejected, verbatim={name: verbatim})


def as_utf8(data: bytes, name: str) -> tuple[bytes, str]:
    """The text in UTF-8 without BOM, and the encoding it came in.

    Korean files that are not UTF-8 are nearly always CP949; a guesser calls them Big5
    when Korean appears late in the file, so it is asked last.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _checked(data.decode("utf-16", errors="replace"), name), "utf-16"
    if b"\x00" in data:
        raise _no_text(name)
    data_, encoding = (
        (data[3:], "utf-8-sig") if data.startswith(b"\xef\xbb\xbf") else (data, "utf-8")
    )
    if data_.isascii():
        return _no_controls(data_, name), encoding
    try:
        data_.decode("utf-8")
        return _no_controls(data_, name), encoding
    except UnicodeDecodeError:
        pass
    try:
        return _checked(data.decode("cp949"), name), "cp949"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    best = from_bytes(data[: 8 * SAMPLE]).best()
    try:
        if best is not None:
            return _checked(data.decode(best.encoding), name), best.encoding
    except UnicodeDecodeError:
        pass
    raise _no_text(name)


def _checked(text: str, name: str) -> bytes:
    return _no_controls(text.removeprefix("\ufeff").encode("utf-8"), name)


def _no_controls(text: bytes, name: str) -> bytes:
    """Text holds hardly any control characters; junk does."""
    sample = np.frombuffer(text[:SAMPLE], dtype=np.uint8)
    controls = int(((sample < 32) & ~np.isin(sample, (9, 10, 13))).sum())
    if controls > len(sample) * 0.002:
        raise _no_text(name)
    if text.count(b"\r") > text.count(b"\r\n"):  # line ends of old Macs
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text


def _no_text(name: str) -> KampError:
    return KampError(
        f"'{name}'을(를) 글자로 읽을 수 없습니다. CSV(UTF-8 또는 CP949)나 엑셀(.xlsx)로 다시 저장하세요.",
        f"{name!r} cannot be read as text; save it as CSV (UTF-8 or CP949) or Excel (.xlsx).",
    )


def _layout(text: bytes, encoding: str, name: str) -> Layout:
    head = text[:SAMPLE]
    if len(text) > SAMPLE:
        head = head[: head.rfind(b"\n") + 1] or head
    lines = head.decode("utf-8", errors="ignore").splitlines(keepends=True)
    if not any(line.strip(" \t\r\n,;|") for line in lines):
        raise KampError(
            f"'{name}'에 데이터가 없습니다. 내용이 있는 파일을 선택하세요.",
            f"{name!r} holds no data; choose a file that does.",
        )
    delimiter = max(DELIMITERS, key=lambda d: _evidence(lines, d))
    records, ends = _records(lines, delimiter)
    width = _usual_width(records)
    filled = [sum(bool(cell.strip()) for cell in record) for record in records]
    at = next((i for i, n in enumerate(filled) if n >= max(1, 0.6 * width)), 0)
    header = [cell.strip() for cell in records[at]]
    while len(header) > width and not header[-1]:
        header.pop()
    words = [word for cell in header for word in cell.split()]
    if sum(bool(NUMBER.fullmatch(word)) for word in words) * 2 > len(words):
        raise KampError(
            f"'{name}'의 첫 줄에 열 이름이 없습니다. 첫 줄에 열 이름을 넣어 다시 저장하세요.",
            f"{name!r} has no header; put the column names in its first line and save it again.",
        )
    header += [""] * (width - len(header))
    return Layout(encoding, delimiter, unique_names(header), ends[at])


def _records(lines: list[str], delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The first records of the file, and the line each ends on."""
    reader = csv.reader(lines, delimiter=delimiter)
    records, ends = [], []
    try:
        for record in reader:
            records.append(record)
            ends.append(reader.line_num)
            if len(records) == 200:
                break
    except csv.Error:  # an unclosed quote at the end of the sample
        pass
    return records, ends


def _usual_width(records: list[list[str]]) -> int:
    widths = Counter(len(r) for r in records if any(cell.strip() for cell in r))
    return max(widths, key=lambda w: (widths[w], w)) if widths else 1


def _evidence(lines: list[str], delimiter: str) -> tuple[float, float]:
    """How evenly a delimiter cuts the lines: (share of lines of the usual width, width)."""
    records = [r for r in _records(lines, delimiter)[0] if any(c.strip() for c in r)]
    width = _usual_width(records)
    if width < 2:
        return (0.0, 0.0)
    share = sum(len(r) == width for r in records) / len(records)
    return (round(share, 1), width)


def _cells(text: bytes, layout: Layout, name: str) -> tuple[pa.Table, list[Rejected]]:
    """All cells as text; rows of another width are rejected with their line."""
    bad: list[pacsv.InvalidRow] = []

    def reject(row: pacsv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    def attempt(quote: str | Literal[False], *, careful: bool) -> pa.Table:
        bad.clear()
        return pacsv.read_csv(
            pa.BufferReader(text),
            read_options=pacsv.ReadOptions(
                column_names=layout.names,
                skip_rows=layout.skip,
                use_threads=not careful,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=quote,
                newlines_in_values=b'"' in text,
                ignore_empty_lines=False,
                invalid_row_handler=reject if careful else None,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={n: pa.string() for n in layout.names}
            ),
        )

    def either(quote: str | Literal[False]) -> pa.Table:
        try:
            return attempt(quote, careful=False)
        except pa.ArrowInvalid:  # row numbers are known to a single thread only
            return attempt(quote, careful=True)

    try:
        table = either('"')
        if _has_open_quote(text) and _ends_in_a_break(table):
            table = either(False)  # a quote that is never closed swallowed rows
    except pa.ArrowInvalid as error:
        raise KampError(
            f"'{name}'에서 표를 찾지 못했습니다. 머리글과 데이터가 있는 표만 남겨 다시 내보내세요.",
            f"no table was found in {name!r}; export just a header and its rows.",
        ) from error
    return _numbered(table, bad, layout, name)


def _has_open_quote(text: bytes) -> bool:
    return text.count(b'"') % 2 == 1


def _ends_in_a_break(table: pa.Table) -> bool:
    """Whether a cell of the last row holds a line break."""
    last = table.slice(max(0, table.num_rows - 1))
    return any(
        "\n" in (cell or "") for row in last.to_pylist() for cell in row.values()
    )


def _numbered(
    table: pa.Table, bad: list[pacsv.InvalidRow], layout: Layout, name: str
) -> tuple[pa.Table, list[Rejected]]:
    """Give every row its line number; drop empty lines and empty trailing columns."""
    total = table.num_rows + len(bad)
    first = layout.skip + 1
    lines = np.arange(first, first + total)
    spare = np.zeros(total, dtype=np.int64)  # further lines of a record (quoted breaks)
    is_bad = np.zeros(total, dtype=bool)
    for row in bad:
        is_bad[row.number - first] = True
        spare[row.number - first] = row.text.count("\n")
    empty = np.ones(table.num_rows, dtype=bool)
    breaks = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        empty &= pc.equal(pc.utf8_trim_whitespace(column), "").to_numpy()
        breaks += pc.count_substring(column, "\n").to_numpy()
    spare[~is_bad] = breaks
    lines = lines + np.concatenate([[0], np.cumsum(spare)[:-1]]) if total else lines
    rejected = [
        Rejected.because(
            "wrong-field-count",
            name,
            int(lines[row.number - first]),
            original=row.text,
            expected=row.expected_columns,
            actual=row.actual_columns,
        )
        for row in bad
        if row.text.strip(layout.delimiter + " \t\r\n")
    ]
    names = list(table.column_names)
    table = table.append_column(FILE, pa.array([name] * table.num_rows, pa.string()))
    table = table.append_column(ROW, pa.array(lines[~is_bad], pa.int64()))
    if empty.any():
        table = table.filter(pa.array(~empty))
    last = names[-1]
    if last == f"column_{len(names)}" and len(names) > 1:
        filled = pc.any(pc.not_equal(pc.utf8_trim_whitespace(table[last]), ""))
        if not filled.as_py():  # every line ends with a delimiter
            table = table.drop_columns([last])
    return table, rejected


def _lines(text: bytes, rows: Sequence[int]) -> list[str]:
    """Records by the number of their first line, exactly as written."""
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 10)
    result = []
    pairs = not _has_open_quote(text)
    for row in rows:
        start = int(ends[row - 2]) + 1 if row > 1 else 0
        last = row - 1
        while True:
            end = int(ends[last]) if last < len(ends) else len(text)
            record = text[start:end]
            if not pairs or record.count(b'"') % 2 == 0 or end == len(text):
                break
            last += 1  # a quoted line break: the record goes on
        result.append(record.decode("utf-8").rstrip("\r"))
    return result
