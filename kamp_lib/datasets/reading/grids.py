"""The cells of a sheet, and the tables on it: blank rows and columns part them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.parsing.cells import kind_of

CHUNK = 10_000
HEAD = 200  # rows that tell where the table is
HEADER_REACH = 20  # merged cells further down are no header
NOTE_ROWS = 5
RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7}):\$?([A-Za-z]{1,3})\$?(\d{1,7})")


@dataclass(frozen=True)
class Area:
    """A rectangle of cells, by position; the ends are not part of it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Grid:
    """All cells of a sheet as text; `left` blank columns come before the first one."""

    columns: list[pa.ChunkedArray]
    filled: np.ndarray  # rows × columns
    left: int = 0
    merged: list[Area] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        rows: Iterable[Sequence[str]],
        *,
        left: int = 0,
        merged: Iterable[Area] = (),
    ) -> Grid:
        """A grid of rows, taken a few thousand at a time; they may differ in length."""
        chunks: list[list[list[str]]] = [[]]
        parts: list[tuple[list[pa.Array], np.ndarray]] = []
        for row in rows:
            chunks[-1].append(list(row))
            if len(chunks[-1]) == CHUNK:
                parts.append(_chunk(chunks.pop()))
                chunks.append([])
        parts.append(_chunk(chunks.pop()))
        width = max(len(columns) for columns, _ in parts)
        for columns, filled in parts:
            blank = pa.array([""] * len(filled), pa.string())
            columns += [blank] * (width - len(columns))
        filled = np.vstack(
            [np.pad(f, ((0, 0), (0, width - f.shape[1]))) for _, f in parts]
        )
        joined = [pa.chunked_array([c[p] for c, _ in parts]) for p in range(width)]
        inside = [_shifted(a, left) for a in merged]
        return cls(joined, filled, left, [a for a in inside if a.left >= 0])

    def name(self, area: Area) -> str:
        """An area as a sheet names it: B3:F20."""
        first = f"{letters(area.left + self.left)}{area.top + 1}"
        return f"{first}:{letters(area.right - 1 + self.left)}{area.bottom}"

    def area(self, text: str) -> Area | None:
        """The area that a text such as B3:F20 names."""
        parts = RANGE.fullmatch(text.strip())
        if parts is None:
            return None
        height, width = self.filled.shape
        top, bottom = int(parts[2]) - 1, min(int(parts[4]), height)
        left = max(0, _place(parts[1]) - self.left)
        right = min(_place(parts[3]) + 1 - self.left, width)
        return Area(top, left, bottom, right) if top < bottom and left < right else None

    def text(self, area: Area, rows: int) -> list[list[str]]:
        """The first rows of an area."""
        count = min(rows, area.bottom - area.top)
        cells = [
            column.slice(area.top, count).to_pylist()
            for column in self.columns[area.left : area.right]
        ]
        return [list(row) for row in zip(*cells, strict=True)]


def letters(place: int) -> str:
    """A column as a sheet names it.

    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _place(name: str) -> int:
    place = 0
    for letter in name.upper():
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _shifted(area: Area, left: int) -> Area:
    return Area(area.top, area.left - left, area.bottom, area.right - left)


def _chunk(rows: list[list[str]]) -> tuple[list[pa.Array], np.ndarray]:
    """Some rows as columns of text, and where they are filled."""
    width = max((len(row) for row in rows), default=0)
    for row in rows:
        row += [""] * (width - len(row))
    columns = [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)]
    filled = np.zeros((len(rows), width), dtype=bool)
    for place, cells in enumerate(columns):
        trimmed = pc.utf8_trim_whitespace(cells)
        filled[:, place] = pc.not_equal(trimmed, "").to_numpy(zero_copy_only=False)
    return columns, filled


@dataclass
class Table:
    """One table on a sheet: where it is, and the rows of notes below it."""

    area: Area
    cells: int  # that are filled
    notes: list[int] = field(default_factory=list)


def tables(grid: Grid) -> list[Table]:
    """The tables of a sheet, the largest first."""
    found = [
        table
        for left, right in _column_groups(grid.filled)
        for table in _stacked(grid, left, right)
    ]
    return sorted(found, key=lambda table: -table.cells)


def _column_groups(filled: np.ndarray) -> list[tuple[int, int]]:
    """Blank columns part tables, unless the rows on both sides are the same ones."""
    groups = _runs(_any(filled, 0))
    joined = groups[:1]
    for left, right in groups[1:]:
        before = filled[:, joined[-1][0] : joined[-1][1]].any(axis=1)
        here = filled[:, left:right].any(axis=1)
        if (before & here).sum() >= 0.8 * (before | here).sum():
            joined[-1] = (joined[-1][0], right)
        else:
            joined.append((left, right))
    return joined


def _stacked(grid: Grid, left: int, right: int) -> list[Table]:
    """Tables one below the other, from the blocks of rows between blank rows."""
    filled = grid.filled[:, left:right]
    found: list[Table] = []
    waiting: tuple[int, int] | None = None  # a title or a note: of what, shows later
    for top, bottom in _runs(_any(filled, 1)):
        block = filled[top:bottom]
        last = found[-1] if found else None
        broadest = filled[last.area.top : last.area.bottom].sum(1).max() if last else 0
        is_note = len(block) <= NOTE_ROWS and block.sum(axis=1).max() * 2 <= max(
            broadest, (2 if right - left > 2 else 0)
        )
        if is_note:
            waiting = (waiting[0] if waiting else top, bottom)
            continue
        if last and not _starts_anew(grid, last.area, Area(top, left, bottom, right)):
            last.area = Area(last.area.top, left, bottom, right)
            last.cells += int(block.sum())
        else:
            start = waiting[0] if waiting else top
            found.append(Table(Area(start, left, bottom, right), int(block.sum())))
        waiting = None
    if waiting and found:
        found[-1].notes = [*range(*waiting)]
    return found


def _any(filled: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(filled.any(axis=axis))


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Where flags are set without a break: (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _starts_anew(grid: Grid, above: Area, block: Area) -> bool:
    """Whether a block of rows is another table, or goes on with the one above."""
    if not np.array_equal(_used(grid, above), _used(grid, block)):
        wider = _used(grid, block) & ~_used(grid, above)
        if wider.any():
            return True
    rows = grid.text(block, 3)
    before = grid.text(above, HEAD)
    if rows[0] in before[:HEADER_REACH] or any(holds_values(row) for row in rows[:1]):
        return False
    return any(holds_values(row) for row in before)


def _used(grid: Grid, area: Area) -> np.ndarray:
    return _any(grid.filled[area.top : area.bottom, area.left : area.right], 0)


def holds_values(row: Sequence[str]) -> bool:
    """Whether a row holds a number or a time."""
    return any(kind_of(cell.strip()) not in ("", "word") for cell in row)
