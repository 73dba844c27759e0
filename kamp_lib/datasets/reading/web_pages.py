"""Web pages and Excel's XML of 2003 -> raw cells: what many an MES calls .xls."""

from __future__ import annotations

import html.parser
from pathlib import Path
from xml.parsers import expat

from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.encodings import HEAD, Decoder
from kamp_lib.datasets.reading.grid_cells import raw_of_grid
from kamp_lib.datasets.reading.grids import Area, Grid
from kamp_lib.errors import KampError

MOST_SPAN = 1_000
MOST_CELLS = 20_000_000


class _Cells:
    """Cells as they come, with those that reach over several rows and columns."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.merged: list[Area] = []
        self._taken: set[tuple[int, int]] = set()
        self._count = 0

    def new_row(self, number: int | None = None) -> None:
        """The next row, or that of a 1-based number with blank ones before it."""
        further = max(1, (number or 0) - len(self.rows))
        if further > MOST_CELLS:
            raise ValueError("too many rows")
        self.rows += [[] for _ in range(further)]

    def add(
        self, text: str, *, across: int, down: int, column: int | None = None
    ) -> None:
        if not self.rows:
            self.new_row()
        row, place = len(self.rows) - 1, len(self.rows[-1])
        while (row, place) in self._taken:
            place += 1
        place = max(place, (column or 1) - 1)
        across, down = (max(1, min(n, MOST_SPAN)) for n in (across, down))
        self._count += across * down
        if self._count > MOST_CELLS or place > MOST_SPAN * 20:
            raise ValueError("too many cells")
        self.rows[-1] += [""] * (place - len(self.rows[-1])) + [text]
        self.rows[-1] += [""] * (across - 1)
        if down > 1:
            self._taken.update(
                (row + r, place + c) for r in range(1, down) for c in range(across)
            )
        if across > 1 or down > 1:
            self.merged.append(Area(row, place, row + down, place + across))

    def grid(self) -> Grid:
        height = len(self.rows)
        inside = [area for area in self.merged if area.bottom <= height]
        return Grid.of(self.rows, merged=inside)


class _Page(html.parser.HTMLParser):
    """The cells of every outermost table of a page, one below the other."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.cells = _Cells()
        self._cell: tuple[int, int] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th"):
            self._close()
            said = {key: value or "" for key, value in attrs}
            self._cell = _span(said.get("colspan")), _span(said.get("rowspan"))
        elif tag in ("tr", "table"):
            self._close()
            if tag == "tr" or self.cells.rows:  # a blank row parts tables
                self.cells.new_row()
        elif tag == "br":
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._close()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._text.append(data)

    def _close(self) -> None:
        if self._cell is not None:
            across, down = self._cell
            text = " ".join("".join(self._text).split())
            self.cells.add(text, across=across, down=down)
        self._cell, self._text = None, []


def _span(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 1


def read_web_page(path: Path, name: str, options: Options) -> Raw:
    """Read the largest table of a web page."""
    data = path.read_bytes()
    page = _Page()
    try:
        page.feed(Decoder(data[:HEAD], name).utf8(data).decode("utf-8"))
        page.close()
    except ValueError as error:
        raise _no_table(name) from error
    if not any(any(row) for row in page.cells.rows):
        raise _no_table(name)
    return raw_of_grid(
        page.cells.grid(), path, name, details={"format": "html"}, where=options.sheet
    )


def read_excel_xml(path: Path, name: str, options: Options) -> Raw:
    """Read the first filled sheet of a workbook in Excel's XML of 2003."""
    try:
        sheets = _ExcelXml().read(path.read_bytes())
    except (expat.ExpatError, ValueError) as error:
        raise _no_table(name) from error
    wanted = options.sheet or max(
        sheets, key=lambda s: sum(map(len, sheets[s].rows)), default=""
    )
    if wanted not in sheets:
        raise _no_table(name)
    return raw_of_grid(
        sheets[wanted].grid(), path, name, details={"sheet": wanted}, where=None
    )


class _ExcelXml:
    """The sheets of a workbook written as XML; declarations of entities are refused."""

    def __init__(self) -> None:
        self.sheets: dict[str, _Cells] = {}
        self._cells = _Cells()
        self._place: dict[str, str] = {}
        self._text: list[str] | None = None
        self._written = True

    def read(self, data: bytes) -> dict[str, _Cells]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._declared
        parser.Parse(data, True)
        return self.sheets

    def _declared(self, *declaration: object) -> None:
        raise ValueError("a workbook declares no document type")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        said = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        match tag.rpartition(":")[2]:
            case "Worksheet":
                own = said.get("Name") or f"Sheet{len(self.sheets) + 1}"
                self._cells = self.sheets[own] = _Cells()
            case "Row":
                number = said.get("Index")
                self._cells.new_row(_span(number) if number else None)
            case "Cell":
                self._place, self._written = said, False
            case "Data":
                self._text = []

    def _data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        own = tag.rpartition(":")[2]
        if own == "Data":
            self._add("".join(self._text or []))
        elif own == "Cell" and not self._written:
            self._add("")

    def _add(self, text: str) -> None:
        column = self._place.get("Index")
        self._cells.add(
            text,
            across=_span(self._place.get("MergeAcross", "0")) + 1,
            down=_span(self._place.get("MergeDown", "0")) + 1,
            column=_span(column) if column else None,
        )
        self._text, self._written = None, True


def _no_table(name: str) -> KampError:
    return KampError(
        f"'{name}'은(는) 표가 없는 웹 페이지입니다(로그인이나 오류 화면일 수 있습니다)."
        " 파일을 열어 확인하고 다시 내보내세요.",
        f"{name!r} is a web page without a table, perhaps a sign-in or error page; open"
        " it to see, and export it again.",
    )
