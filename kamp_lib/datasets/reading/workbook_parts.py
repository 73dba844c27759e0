"""The parts of an .xlsx file, looked through before a parser touches them.

A workbook is a zip of XML: it can be a bomb, declare entities, or put one cell into the
farthest corner so that the sheet between them fills all memory. On the way we learn
what the parser does not tell: hidden rows, errors, and formulas that hold no value.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.reading.archives import check_size
from kamp_lib.datasets.reading.grids import letters
from kamp_lib.datasets.reading.refusals import plainly
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError
from kamp_lib.text import Text

MOST_CELLS = 50_000_000  # between the first and the last cell of a sheet
MOST_INFLATED = 2 << 30
MOST_TEXT = 1 << 30  # of all cells together, each with its own copy of its text
PIECE = 8 << 20
LONGEST_ROW = 256 << 20
LEAST_CELL = 20  # bytes of XML
HEAD = 1 << 16
SHOWN = 5
STRINGS = "xl/sharedStrings.xml"

_P = rb"(?:\w+:)?"  # some programs write x:row for row
_ROW = re.compile(rb"<" + _P + rb"row\b[^>]*>")
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
# A cell that holds something; one that is only formatted ends at once.
_CELL = re.compile(
    rb"<" + _P + rb"c\b[^>]*?\br=\"([A-Z]{1,3})(\d{1,7})\"(?:[^>]*[^/>])?>"
)
_HIDDEN_COLUMNS = re.compile(rb"<" + _P + rb"col\b[^>]*\bhidden=\"(?:1|true)\"[^>]*>")
_ERROR = re.compile(rb"<" + _P + rb"c\b[^>]*\bt=\"e\"[^>]*>")
_NO_VALUE = re.compile(
    rb"(?:</%(p)sf>|<%(p)sf\b[^>]*/>)\s*(?:<%(p)sv\s*/>|<%(p)sv>\s*</%(p)sv>)?\s*</%(p)sc>"
    % {b"p": _P}
)
_SHARED = re.compile(rb"<" + _P + rb"si\b.*?</" + _P + rb"si>", re.DOTALL)
_SHARED_CELL = re.compile(rb"\bt=\"s\"[^>]*>\s*<" + _P + rb"v>(\d{1,9})<")
_PLACE = re.compile(rb"\br=\"([A-Z]{1,3}\d+)\"")


@dataclass
class SheetFacts:
    """What the XML of one sheet tells beside its values."""

    hidden_rows: int = 0
    hidden_columns: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    error_cells: int = 0
    no_value: list[str] = field(default_factory=list)
    no_value_cells: int = 0

    def findings(self, sheet: str) -> list[Finding]:
        found = []
        if self.hidden_rows or self.hidden_columns:
            count = self.hidden_rows + len(self.hidden_columns)
            where = ", ".join(self.hidden_columns[:SHOWN])
            found.append(
                finding(
                    "hidden-cells",
                    count=count,
                    sheet=sheet,
                    hidden=Text(
                        f"행 {self.hidden_rows:,}개" + f", 열 {where}" * bool(where),
                        f"{self.hidden_rows:,} row(s)"
                        + f", columns {where}" * bool(where),
                    ),
                )
            )
        for code, cells, count in (
            ("error-cells", self.errors, self.error_cells),
            ("formula-without-value", self.no_value, self.no_value_cells),
        ):
            if count:
                found.append(finding(code, count=count, examples=cells, sheet=sheet))
        return found


def inspected(data: bytes, name: str) -> dict[str, SheetFacts]:
    """Look through an .xlsx file.

    Returns
    -------
    dict of str to SheetFacts
        By the sheet's name; empty for other kinds of workbooks.

    Raises
    ------
    KampError
        When it is a bomb, declares entities or is no zip file.
    """
    with plainly(name, "Excel"), zipfile.ZipFile(io.BytesIO(data)) as book:
        inflated = sum(info.file_size for info in book.infolist())
        check_size(inflated, len(data), name)
        if inflated > MOST_INFLATED:
            raise too_large(name)
        for info in book.infolist():
            if info.filename.endswith((".xml", ".rels")):
                _check_entities(book, info, name)
        parts = dict(_sheets(book))
        _check_text(book, [*parts.values()], name)
        return {sheet: _facts(book, part, name) for sheet, part in parts.items()}


def _check_entities(book: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
    with book.open(info) as part:
        head = part.read(HEAD).replace(b"\0", b"").upper()
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise KampError(
            f"'{name}' 안에 엑셀이 쓰지 않는 XML 선언(DTD)이 있어 열지 않았습니다."
            " 엑셀에서 열어 다시 저장하세요.",
            f"{name!r} holds XML declarations (a DTD) that Excel never writes and was"
            " left closed; open it in Excel and save it again.",
        )


def _check_text(book: zipfile.ZipFile, parts: list[str], name: str) -> None:
    """Refuse cells without number that all show one endless shared text."""
    if STRINGS not in book.namelist():
        return
    lengths = [len(text) for text in _SHARED.findall(book.read(STRINGS))]
    most_cells = sum(book.getinfo(part).file_size for part in parts) // LEAST_CELL
    if most_cells * max(lengths, default=0) <= MOST_TEXT:
        return
    total = 0
    for piece in (piece for part in parts for piece in _pieces(book, part, name)):
        shown = (int(number) for number in _SHARED_CELL.findall(piece))
        total += sum(lengths[number] for number in shown if number < len(lengths))
        if total > MOST_TEXT:
            raise too_large(name)


def too_large(name: str) -> KampError:
    return KampError(
        f"'{name}'의 시트가 너무 큽니다. CSV로 저장하거나 나누어 가져오세요.",
        f"a sheet of {name!r} is too large; save it as CSV or ingest it in parts.",
    )


def _sheets(book: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The worksheets of an .xlsx file: name, and part of the zip."""
    names = set(book.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return
    relations = book.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    targets = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", relations):
        said = dict(re.findall(r'\b(Id|Target)="([^"]*)"', tag))
        if {"Id", "Target"} <= said.keys():
            place = posixpath.normpath(posixpath.join("/xl", said["Target"]))
            targets[said["Id"]] = place.lstrip("/")
    book_xml = book.read("xl/workbook.xml").decode("utf-8", "replace")
    for tag in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", book_xml):
        sheet = re.search(r'\bname="([^"]*)"', tag)
        relation = re.search(r'\b\w+:id="([^"]*)"', tag)
        part = targets.get(relation[1]) if relation else None
        if sheet and part in names and part.startswith("xl/worksheets/"):
            yield unescape(sheet[1]), part


def _facts(book: zipfile.ZipFile, part: str, name: str) -> SheetFacts:
    facts = SheetFacts()
    columns: set[int] = set()
    last_row = 0
    for piece in _pieces(book, part, name):
        cells = _CELL.findall(piece)
        columns.update(_number(c) for c in {column for column, _ in cells})
        last_row = max([last_row, *map(int, {row for _, row in cells})])
        rows = (match[0] for match in _ROW.finditer(piece))
        facts.hidden_rows += sum(_HIDDEN.search(row) is not None for row in rows)
        for match in _HIDDEN_COLUMNS.finditer(piece):
            facts.hidden_columns += _columns_of(match[0])
        errors = [match[0] for match in _ERROR.finditer(piece)]
        facts.error_cells += len(errors)
        facts.errors += _names(errors[: SHOWN - len(facts.errors)])
        empty = [_cell_before(piece, m.start()) for m in _NO_VALUE.finditer(piece)]
        facts.no_value_cells += len(empty)
        facts.no_value += _names(empty[: SHOWN - len(facts.no_value)])
        if columns and last_row * (max(columns) - min(columns) + 1) > MOST_CELLS:
            raise too_large(name)
    return facts


def _pieces(book: zipfile.ZipFile, part: str, name: str) -> Iterator[bytes]:
    """The XML of a sheet, some rows at a time."""
    rest = b""
    with book.open(part) as sheet:
        while more := sheet.read(PIECE):
            rest += more
            cut = rest.rfind(b"row>")
            if cut >= 0:
                yield rest[: cut + 4]
                rest = rest[cut + 4 :]
            if len(rest) > LONGEST_ROW:
                raise too_large(name)
    yield rest


def _cell_before(piece: bytes, at: int) -> bytes:
    """The start of the cell that ends here."""
    start = max(piece.rfind(b"<c ", 0, at), piece.rfind(b":c ", 0, at), 0)
    return piece[start : piece.find(b">", start)]


def _names(tags: list[bytes]) -> list[str]:
    found = (_PLACE.search(tag) for tag in tags)
    return [match[1].decode() for match in found if match]


def _columns_of(tag: bytes) -> list[str]:
    """The columns that a <col> element speaks of; to the end of the sheet: one."""
    said = dict(re.findall(rb'\b(min|max)="(\d{1,5})"', tag))
    first, last = int(said.get(b"min", 0)), int(said.get(b"max", 0))
    if last - first > 200:
        return [f"{letters(first - 1)}…"]
    return [letters(place - 1) for place in range(first, last + 1)]


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - ord("A") + 1
    return number
