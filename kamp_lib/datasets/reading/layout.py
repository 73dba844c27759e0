"""Where the table is among the first rows of any grid of cells.

Titles and comments may stand above the header, the header may have several rows, a line
of units may follow it, or there is no header at all. What the columns hold further down
is the evidence: a header is where numbers and times begin below words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.cells import Kind, kind_of, unit_cell, unit_in_brackets
from kamp_lib.datasets.raw import unique_names
from kamp_lib.datasets.types import Finding

LOOKED_AT = 200  # rows
CELLS_LOOKED_AT = 200_000  # of a very wide table only the first rows
HEADER_ROWS = 3
FURTHER_DOWN = 30  # a second beginning below this row is a matter of the data
COMMENTS = ("#", "//", ";", "!", "%")
UNIT_LABELS = frozenset({"단위", "unit", "units", "[unit]", "(단위)"})
NO_UNIT = frozenset({"", "-", "--", "none", "n/a", "text", "[-]", "(-)"})


@dataclass(frozen=True)
class TableLayout:
    """What the first rows of a grid are, all by their position in it.

    `names` are the column names, none twice and none empty; `header` the rows they were
    made of (none: the columns are called column_1, column_2 …); `first` the first row
    of data. `units` holds the units as they are written, by name.
    """

    names: list[str]
    first: int
    header: list[int] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    unit_row: int | None = None
    titles: list[int] = field(default_factory=list)


def table_layout(
    rows: Sequence[Sequence[str]], *, filled_in: bool = False
) -> TableLayout:
    """Find the header, the units and the first row of data.

    Parameters
    ----------
    rows : sequence of rows of text
        The first rows of one table, 200 are enough; they may differ in length. A
        number or date of a sheet is given as the text a CSV file would hold.
    filled_in : bool, default False
        The cells of merged headers are filled in already; else a blank in an upper
        row of the header is filled from its left.
    """
    grid = _Grid(rows)
    if not any(grid.filled):
        return TableLayout([], 0)
    first = _first_row(grid)
    header, unit_row = _header_rows(grid, first)
    if not header and _counts_up(grid, first):
        header, first = [first], first + 1
    parts = [_cells(grid, row) for row in header]
    if not filled_in:
        parts = _spread(parts, grid.columns)
    names = unique_names(_joined(parts, grid.width))
    units = {
        name: unit
        for place, name in enumerate(names)
        if (unit := _unit(grid, unit_row, place) or unit_in_brackets(name))
    }
    above = header[0] if header else first
    titles = [row for row in range(above) if grid.filled[row]]
    return TableLayout(names, first, header, units, unit_row, titles)


def layout_findings(
    layout: TableLayout, rows: Sequence[Sequence[str]]
) -> list[Finding]:
    """What a person should know of how the table was found; empty for a plain one.

    The words name no file, so that those of many files alike can be said once.
    """
    found = []
    if not layout.header:
        found.append(
            finding("no-header", columns=layout.names, examples=rows[layout.first][:5])
        )
    if layout.titles:
        lines = [" ".join(filter(None, rows[row])) for row in layout.titles]
        found.append(finding("title-lines", count=len(lines), examples=lines))
    if len(layout.header) > 1:
        count = len(layout.header)
        found.append(finding("joined-header", columns=layout.names, count=count))
    if layout.unit_row is not None:
        said = [f"{name}: {unit}" for name, unit in layout.units.items()]
        found.append(finding("unit-line", columns=layout.units, count=1, examples=said))
    return found


class _Grid:
    """The first rows, and what kind of thing each column holds further down."""

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        widest = max((len(row) for row in rows), default=1)
        looked_at = max(20, min(LOOKED_AT, CELLS_LOOKED_AT // max(1, widest)))
        self.rows = [[cell.strip() for cell in row] for row in rows[:looked_at]]
        self.filled = [sum(map(bool, row)) for row in self.rows]
        self.kinds: list[list[Kind]] = [[kind_of(c) for c in row] for row in self.rows]
        lengths = Counter(
            len(r) for r, n in zip(self.rows, self.filled, strict=True) if n
        )
        self.width = max(lengths, key=lambda w: (lengths[w], w), default=1)
        body = [i for i, n in enumerate(self.filled) if n]
        body = body[len(body) // 2 :]
        usual = sorted(self.filled[i] for i in body)
        self.typical = usual[len(usual) // 2] if usual else 1
        body = [i for i in body if self.filled[i] * 2 >= self.typical]
        self.columns = [self._column(place, body) for place in range(self.width)]
        self.strong = [p for p, kind in enumerate(self.columns) if kind != "word"]

    def _column(self, place: int, body: list[int]) -> Kind:
        """The kind of most filled cells; a column of words says little about its head."""
        kinds = Counter(self.kind(row, place) for row in body)
        del kinds[""]
        if not kinds:
            return "word"
        kind, often = kinds.most_common(1)[0]
        return kind if often >= 0.6 * kinds.total() else "word"

    def kind(self, row: int, place: int) -> Kind:
        kinds = self.kinds[row]
        return kinds[place] if place < len(kinds) else ""

    def fits(self, row: int) -> bool:
        """Whether a row holds what its columns hold."""
        if self.filled[row] * 2 < self.typical or self.is_comment(row):
            return False
        kinds = [(self.kind(row, p), self.columns[p]) for p in self.strong]
        same = sum(mine == usual for mine, usual in kinds)
        return same * 2 > sum(mine != "" for mine, _ in kinds)

    def is_wordy(self, row: int) -> bool:
        """Whether a row has words where its columns have numbers or times."""
        if self.filled[row] * 2 < self.typical:
            return False
        kinds = [self.kind(row, p) for p in self.strong]
        return "word" in kinds and all(kind in ("", "word") for kind in kinds)

    def is_comment(self, row: int) -> bool:
        return self.filled[row] > 0 and self.rows[row][0].startswith(COMMENTS)

    def is_unit_line(self, row: int) -> bool:
        cells = [c for c in self.rows[row] if c.lower() not in NO_UNIT | UNIT_LABELS]
        units = [unit_cell(cell) is not None for cell in cells]
        return any(units) and sum(units) >= 0.6 * len(units)


def _first_row(grid: _Grid) -> int:
    """The first row of data."""
    fits = [grid.fits(row) for row in range(len(grid.rows))]
    if True not in fits:
        return _after_first_full_row(grid)
    first = fits.index(True)
    heads = {tuple(grid.rows[row]) for row in range(first)}
    for row in range(first + 1, min(FURTHER_DOWN, len(fits) - 1)):
        if not (grid.is_wordy(row) and fits[row + 1]):
            continue
        apart = not grid.filled[row - 1] or len(grid.strong) > 1
        new = tuple(grid.rows[row]) not in heads
        if apart and new and sum(fits[row:]) >= 3 * sum(fits[:row]):
            return row + 1  # what stood above were settings, not data
        heads.add(tuple(grid.rows[row]))
    while first > 1 and (
        _is_row_without_values(grid, first - 1) or _is_sparse_row(grid, first - 1)
    ):
        first -= 1
    return first


def _is_sparse_row(grid: _Grid, row: int) -> bool:
    """A record with few values (sales of a new part) is a record below a header, too."""
    kinds = [(grid.kind(row, p), grid.columns[p]) for p in grid.strong]
    filled = [mine == usual for mine, usual in kinds if mine]
    heads = (r for r in range(row) if grid.filled[r] * 2 >= grid.typical)
    return len(filled) > 1 and all(filled) and any(not grid.fits(r) for r in heads)


def _is_row_without_values(grid: _Grid, row: int) -> bool:
    """A record whose sensors are all blank stands below the header as well."""
    values = [grid.kind(row, p) for p in grid.strong]
    return (
        grid.filled[row] > 0
        and not any(values)
        and not grid.is_comment(row)
        and not grid.is_unit_line(row)
        and any(grid.is_wordy(above) for above in range(row))
    )


def _after_first_full_row(grid: _Grid) -> int:
    """Where words alone are written, the first full row is the header."""
    rows = range(len(grid.rows))
    full = (r for r in rows if grid.filled[r] >= max(1, 0.6 * grid.typical))
    first = next((r for r in full if not grid.is_comment(r)), 0) + 1
    while first < len(grid.rows) and not grid.filled[first]:
        first += 1
    if first + 1 < len(grid.rows) and grid.is_unit_line(first):
        first += 1
    return first


def _header_rows(grid: _Grid, first: int) -> tuple[list[int], int | None]:
    """The rows that name the columns, and the line of units below them."""
    row = _filled_above(grid, first)
    if row > 0 and grid.filled[row - 1] and grid.is_unit_line(row):
        header = _named_from(grid, row - 1)
        if header:
            return header, row
    return _named_from(grid, row), None


def _named_from(grid: _Grid, row: int) -> list[int]:
    """The rows of a header that ends with this one; none when they name too little."""
    header: list[int] = []
    while row >= 0 and len(header) < HEADER_ROWS:
        if not (_is_group(grid, row, header[0]) if header else _names(grid, row)):
            break
        header.insert(0, row)
        row -= 1
    named = {p for r in header for p, cell in enumerate(grid.rows[r]) if cell}
    return header if len(named) * 2 >= min(grid.typical, grid.width) else []


def _filled_above(grid: _Grid, row: int) -> int:
    """The next row above that is not empty; -1 when there is none."""
    row -= 1
    while row >= 0 and not grid.filled[row]:
        row -= 1
    return row


def _names(grid: _Grid, row: int) -> bool:
    """Whether a row can be the last one of a header."""
    enough = grid.filled[row] * 2 >= min(grid.typical, grid.width)
    if grid.is_comment(row):
        return enough and len(grid.rows[row]) == grid.width
    return enough or any(grid.kind(row, p) == "word" for p in grid.strong)


def _is_group(grid: _Grid, upper: int, lower: int) -> bool:
    """Whether a row above names groups of the columns below, and is no title."""
    cells = _cells(grid, upper)
    at = [place for place, cell in enumerate(cells) if cell]
    if not at or grid.is_comment(upper):
        return False
    if any(kind not in ("", "word") for kind in grid.kinds[upper]):
        return False
    if any(len(cells[p]) > 40 or cells[p].endswith((":", "：")) for p in at):
        return False
    below = _cells(grid, lower)
    if len(at) == 1:
        return at[0] > 0
    from_the_left = at == list(range(len(at)))
    full = all(below) and len(set(below)) == len(below)
    return not (from_the_left and full and len(at) < len(below))


def _cells(grid: _Grid, row: int) -> list[str]:
    """The cells of a header row; what marks it as a comment is taken off."""
    cells = list(grid.rows[row])
    if grid.is_comment(row):
        cells[0] = cells[0].lstrip("".join(COMMENTS)).strip()
    while len(cells) > grid.width and not cells[-1]:
        cells.pop()
    return cells + [""] * (grid.width - len(cells))


def _spread(parts: list[list[str]], columns: list[Kind]) -> list[list[str]]:
    """Blanks of the upper rows filled from the left, as far as the group can reach.

    A group reaches over columns of one kind that have names of their own below.
    """
    for upper, lower in reversed(list(pairwise(parts))):
        of = None
        for place in range(len(columns)):
            if upper[place]:
                of = place if lower[place] else None
            elif of is not None and lower[place] and columns[place] == columns[of]:
                upper[place] = upper[of]
            else:
                of = None
    return parts


def _joined(parts: list[list[str]], width: int) -> list[str]:
    """One name for each column from the rows of the header."""
    if not parts:
        return [""] * width
    width = max(len(row) for row in parts)
    padded = [row + [""] * (width - len(row)) for row in parts]
    return [
        " ".join(filter(None, dict.fromkeys(names)))
        for names in zip(*padded, strict=True)
    ]


def _unit(grid: _Grid, row: int | None, place: int) -> str | None:
    if row is None or place >= len(grid.rows[row]):
        return None
    cell = grid.rows[row][place]
    return None if cell.lower() in NO_UNIT | UNIT_LABELS else unit_cell(cell)


def _counts_up(grid: _Grid, row: int) -> bool:
    """Whether a first row of numbers only counts columns: names all the same.

    1998, 1999, 2000 beside a word or a blank, or 0, 1, 2, 3, 4 above fractions.
    """
    cells = grid.rows[row]
    numbers = [int(cell) for cell in cells if cell.isascii() and cell.isdigit()]
    if len(numbers) < 3 or any(b - a != 1 for a, b in pairwise(numbers)):
        return False
    rest = [kind for kind in grid.kinds[row] if kind != "number"]
    if rest:
        return rest == grid.kinds[row][: len(rest)] and "number" not in rest
    below = [cell for cells in grid.rows[row + 1 : row + 20] for cell in cells]
    return (
        len(numbers) > 4
        and numbers[0] == 0
        and sum("." in c for c in below) * 2 > len(below)
    )
