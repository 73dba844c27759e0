"""The first rows of a grid of cells, and what kind of thing each column holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kamp_lib.datasets.parsing.cells import NO_VALUE, Kind, kind_of, unit_cell

LOOKED_AT = 200  # rows
CELLS_LOOKED_AT = 100_000  # of a very wide table only the first rows
COMMENTS = ("#", "//", ";", "!", "%")
UNIT_LABELS = frozenset({"단위", "unit", "units", "[unit]", "(단위)"})
NO_UNIT = frozenset({"", "-", "--", "none", "n/a", "text", "[-]", "(-)"})
_TYPES = """
bool boolean bit byte word dword lword int sint dint lint uint usint udint ulint real
lreal float double single decimal numeric number integer long short string char varchar
nvarchar text wstring date time datetime timestamp date_and_time tod dt 8bit 16bit 32bit
64bit int16 int32 int64 uint16 uint32 float32 float64 숫자 문자 날짜 실수 정수 문자열
"""
TYPES = frozenset(_TYPES.split())


class FirstRows:
    """The first rows, and what kind of thing each column holds further down."""

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        widest = max((len(row) for row in rows), default=1)
        looked_at = max(12, min(LOOKED_AT, CELLS_LOOKED_AT // max(1, widest)))
        cells = [[cell.strip() for cell in row] for row in rows[:looked_at]]
        self.comments = {i for i, row in enumerate(cells) if _is_comment(row)}
        lengths = Counter(
            len(row)
            for i, row in enumerate(cells)
            if any(row) and (i not in self.comments or len(self.comments) == len(cells))
        )
        self.width = max(lengths, key=lambda w: (lengths[w], w), default=1)
        self.rows = [
            _without_mark(row, self.width) if i in self.comments else row
            for i, row in enumerate(cells)
        ]
        self.filled = [sum(map(bool, row)) for row in self.rows]
        self.kinds: list[list[Kind]] = [
            ["" if c.lower() in NO_VALUE else kind_of(c) for c in row]
            for row in self.rows
        ]
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
        return row in self.comments

    def is_unit_line(self, row: int) -> bool:
        cells = [c for c in self.rows[row] if c.lower() not in NO_UNIT | UNIT_LABELS]
        units = [unit_cell(cell) is not None for cell in cells]
        return any(units) and sum(units) >= 0.6 * len(units)

    def is_type_line(self, row: int) -> bool:
        """Whether a row says how a controller stores its values: REAL, INT, BOOL."""
        cells = [cell.lower() for cell in self.rows[row] if cell]
        return len(cells) > 0 and all(cell in TYPES for cell in cells)

    def names(self, row: int) -> list[str]:
        """A row of the header, as wide as the table or as it is filled."""
        cells = list(self.rows[row])
        while len(cells) > self.width and not cells[-1]:
            cells.pop()
        return cells + [""] * (self.width - len(cells))


def _is_comment(row: list[str]) -> bool:
    return any(row) and row[0].startswith(COMMENTS)


def _without_mark(row: list[str], width: int) -> list[str]:
    first = row[0].lstrip("".join(COMMENTS)).strip()
    return row[1:] if not first and len(row) == width + 1 else [first, *row[1:]]
