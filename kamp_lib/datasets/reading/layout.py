"""Where the table is among the first rows of any grid of cells.

Titles and comments may stand above the header, the header may have several rows, a line
of units may follow it, or there is no header at all. What the columns hold further down
is the evidence: a header is where numbers and times begin below words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.cells import Kind, kind_of, unit_cell, unit_in_brackets
from kamp_lib.datasets.raw import unique_names
from kamp_lib.datasets.reading.first_rows import NO_UNIT, UNIT_LABELS, FirstRows
from kamp_lib.datasets.types import Finding

HEADER_ROWS = 3
FURTHER_DOWN = 30  # a second beginning below this row is a matter of the data


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
    grid = FirstRows(rows)
    if not any(grid.filled):
        return TableLayout([], 0)
    first = _first_row(grid)
    header, unit_row = _header_rows(grid, first)
    if first < len(grid.rows):
        if header and _counts_in_groups(grid, first, header):
            header, first = [*header, first], first + 1
        elif not header and _counts_up(grid, first):
            header, first = _named_from(grid, first), first + 1
    parts = [grid.names(row) for row in header]
    if not filled_in:
        parts = _spread(parts, grid.columns)
    joined = _joined(parts, grid.width)
    names = unique_names(joined)
    units = {
        name: unit
        for place, name in enumerate(names)
        if (unit := _unit(grid, unit_row, place) or unit_in_brackets(joined[place]))
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
    if not layout.header and layout.first < len(rows):
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


def _first_row(grid: FirstRows) -> int:
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
        new = tuple(grid.rows[row]) not in heads and _names_anew(grid, row)
        if apart and new and sum(fits[row:]) >= 3 * sum(fits[:row]):
            return row + 1  # what stood above were settings, not data
        heads.add(tuple(grid.rows[row]))
    while first > 1 and (
        _is_row_without_values(grid, first - 1)
        or _is_sparse_row(grid, first - 1)
        or _is_odd_row(grid, first - 1)
        or _names_too_little(grid, first - 1)
    ):
        first -= 1
    return first


def _names_anew(grid: FirstRows, row: int) -> bool:
    """Whether each column of values gets a name, and no two the same one."""
    cells = [cell for cell in grid.rows[row] if cell]
    words = all(kind_of(cell) == "word" for cell in cells)
    full = len(cells) >= grid.typical and all(
        place < len(grid.rows[row]) and grid.rows[row][place] for place in grid.strong
    )
    return words and full and len(set(cells)) == len(cells)


def _is_sparse_row(grid: FirstRows, row: int) -> bool:
    """A record with few values (sales of a new part) is a record below a header, too."""
    kinds = [(grid.kind(row, p), grid.columns[p]) for p in grid.strong]
    filled = [mine == usual for mine, usual in kinds if mine]
    heads = (r for r in range(row) if grid.filled[r] * 2 >= grid.typical)
    wordless = "word" not in grid.kinds[row] and 2 * sum(filled) >= len(filled)
    values = len(filled) > 1 and (all(filled) or wordless)
    return values and any(not grid.fits(r) for r in heads)


def _is_odd_row(grid: FirstRows, row: int) -> bool:
    """A row with values below a full row of names is a record, however odd."""
    values = any(kind not in ("", "word") for kind in grid.kinds[row])
    unlike = grid.is_comment(row) or grid.is_unit_line(row) or grid.is_type_line(row)
    if not values or unlike or grid.filled[row] * 2 < grid.typical:
        return False
    return any(_names_anew(grid, above) for above in range(row))


def _names_too_little(grid: FirstRows, row: int) -> bool:
    """A word or two below a full row of names are a record of little else."""
    unlike = grid.is_comment(row) or grid.is_unit_line(row) or grid.is_type_line(row)
    if not grid.filled[row] or unlike:
        return False
    full = (above for above in range(row) if _names_anew(grid, above))
    return any(2 * grid.filled[row] < grid.filled[above] for above in full)


def _is_row_without_values(grid: FirstRows, row: int) -> bool:
    """A record whose sensors are all blank stands below the header as well."""
    values = [grid.kind(row, p) for p in grid.strong]
    return (
        grid.filled[row] > 0
        and not any(values)
        and not grid.is_comment(row)
        and not grid.is_unit_line(row)
        and any(grid.is_wordy(above) for above in range(row))
    )


def _after_first_full_row(grid: FirstRows) -> int:
    """Where words alone are written, the first full row is the header."""
    rows = range(len(grid.rows))
    full = (r for r in rows if grid.filled[r] >= max(1, 0.6 * grid.typical))
    first = next((r for r in full if not grid.is_comment(r)), 0) + 1
    while first < len(grid.rows) and not grid.filled[first]:
        first += 1
    if first + 1 < len(grid.rows) and grid.is_unit_line(first):
        first += 1
    return first


def _header_rows(grid: FirstRows, first: int) -> tuple[list[int], int | None]:
    """The rows that name the columns, and the line of units below them."""
    row = _filled_above(grid, first)
    unit_row = None
    while row > 0 and grid.filled[row - 1] and _named_from(grid, row - 1):
        if unit_row is None and grid.is_unit_line(row):
            unit_row = row
        elif not grid.is_type_line(row):
            break
        row -= 1
    return _named_from(grid, row), unit_row


def _named_from(grid: FirstRows, row: int) -> list[int]:
    """The rows of a header that ends with this one; none when they name too little."""
    header: list[int] = []
    while row >= 0 and len(header) < HEADER_ROWS:
        if not (_is_group(grid, row, header[0]) if header else _names(grid, row)):
            break
        header.insert(0, row)
        row -= 1
    named = {p for r in header for p, cell in enumerate(grid.rows[r]) if cell}
    return header if len(named) * 2 >= min(grid.typical, grid.width) else []


def _filled_above(grid: FirstRows, row: int) -> int:
    """The next row above that is not empty; -1 when there is none."""
    row -= 1
    while row >= 0 and not grid.filled[row]:
        row -= 1
    return row


def _names(grid: FirstRows, row: int) -> bool:
    """Whether a row can be the last one of a header."""
    enough = grid.filled[row] * 2 >= min(grid.typical, grid.width)
    if grid.is_comment(row):
        return enough and len(grid.rows[row]) == grid.width
    return enough or any(grid.kind(row, p) == "word" for p in grid.strong)


def _is_group(grid: FirstRows, upper: int, lower: int) -> bool:
    """Whether a row above names groups of the columns below, and is no title."""
    cells = grid.names(upper)
    at = [place for place, cell in enumerate(cells) if cell]
    if not at or grid.is_comment(upper):
        return False
    if any(kind not in ("", "word") for kind in grid.kinds[upper]):
        return False
    if any(len(cells[p]) > 40 or cells[p].endswith((":", "：")) for p in at):
        return False
    below = grid.names(lower)
    if len(at) == 1:
        return at[0] > 0
    from_the_left = at == list(range(len(at)))
    full = all(below) and len(set(below)) == len(below)
    return not (from_the_left and full and len(at) < len(below))


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


def _unit(grid: FirstRows, row: int | None, place: int) -> str | None:
    if row is None or place >= len(grid.rows[row]):
        return None
    cell = grid.rows[row][place]
    return None if cell.lower() in NO_UNIT | UNIT_LABELS else unit_cell(cell)


def _counts_in_groups(grid: FirstRows, row: int, header: list[int]) -> bool:
    """Whether a row of numbers counts below the names of groups: cavity 1, 2, 3."""
    above = grid.names(header[-1])
    kinds = grid.kinds[row][: len(above)]
    places = [place for place, kind in enumerate(kinds) if kind == "number"]
    numbers = [grid.rows[row][place] for place in places]
    if len(numbers) < 2 or not all(n.isascii() and n.isdigit() for n in numbers):
        return False
    steps = pairwise(map(int, numbers))
    return (
        numbers[0] in ("0", "1")
        and all(b == a + 1 or b == int(numbers[0]) for a, b in steps)
        and all(kind in ("", "word", "number") for kind in kinds)
        and sum(not above[place] for place in places) * 2 >= len(places)
    )


def _counts_up(grid: FirstRows, row: int) -> bool:
    """Whether a first row of numbers only counts columns: names all the same.

    1998, 1999, 2000 beside a word or a blank, or 0, 1, 2, 3, 4 above fractions.
    """
    cells, kinds = grid.rows[row], grid.kinds[row]
    digits = [cell for cell in cells if cell.isascii() and cell.isdigit()]
    numbers = [int(cell) for cell in digits if len(cell) < 10]
    if len(numbers) < 3 or any(b - a != 1 for a, b in pairwise(numbers)):
        return False
    rest = kinds[: -len(numbers)]
    if rest:
        return len(rest) + kinds.count("number") == len(kinds) and "number" not in rest
    below = [cell for cells in grid.rows[row + 1 : row + 20] for cell in cells]
    fractions = sum("." in cell for cell in below)
    return len(numbers) > 4 and numbers[0] == 0 and fractions * 2 > len(below)
