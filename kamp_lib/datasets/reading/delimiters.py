"""Which sign parts the cells of a text file: the one that cuts its lines evenly."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from kamp_lib.datasets.parsing.cells import kind_of
from kamp_lib.datasets.reading.fixed_width import PREFIX, at_places, find_places

DELIMITERS = (",", ";", "\t", "|", "^")
SPACES = " "  # runs of spaces and tabs
GAPS = "  "  # runs of two or more: the cells hold single spaces themselves
RECORDS = 200  # are looked at
CELLS = 20_000  # are looked at for what they hold
TITLES = 6  # lines that may stand above columns of fixed width
GOOD = {SPACES: 0.87, GAPS: 0.7}  # evidence that blanks need to be more than prose
_RUNS = {SPACES: r"[ \t]+", GAPS: r"(?: {2,}|\t)[ \t]*"}
_RULE = re.compile(r"[-=_+| \t]{3,}")
_SAID = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)

Records = tuple[list[list[str]], list[int]]

# One cell may be longer than csv's own 128 KiB: a stray quote swallows whole pages.
csv.field_size_limit(1 << 30)


def find_delimiter(head: str) -> str:
    """The delimiter of a text by its first lines; a comma when there is none.

    >>> find_delimiter("a;b\\n1,5;2\\n2,5;3\\n"), find_delimiter("1 2.5 3 \\n4 5.5 6 \\n")
    (';', ' ')
    """
    said = said_delimiter(head)
    if said is not None:
        return said
    scores = {d: _evidence(head, d) for d in DELIMITERS}
    best = max(scores, key=lambda d: scores[d])
    for runs in (GAPS, SPACES):
        score = _evidence(head, runs)
        if score[0] >= GOOD[runs] and score[0] * 0.95 > scores[best][0]:
            best = runs
            break
    if best in _RUNS:
        return best if _is_even(head, best) else _places(head) or best
    if scores[best][0] < GOOD[GAPS]:
        places = _places(head)
        if places and _evidence(head, places)[0] >= GOOD[SPACES]:
            return places
    return best


def said_delimiter(head: str) -> str | None:
    """What a first line `sep=;` says, which is written for Excel."""
    said = _SAID.match(head.split("\n", 1)[0])
    return said[1] if said else None


def records(head: str, delimiter: str, escape: str | None = None) -> Records:
    """The first records of a text, and the line each ends on (from 1).

    Lines that only draw a rule between header and rows count as empty.
    """
    if is_layout(delimiter):
        lines = head.split("\n")[:RECORDS]
        rows = [_parted(line, delimiter) for line in lines]
        return [[] if _is_rule(row) else row for row in rows], list(
            range(1, len(rows) + 1)
        )
    reader = csv.reader(
        io.StringIO(head, newline=""), delimiter=delimiter, escapechar=escape
    )
    rows, ends = [], []
    try:
        for row in reader:
            rows.append([] if _is_rule(row) else row)
            ends.append(reader.line_num)
            if len(rows) == RECORDS:
                break
    except csv.Error:  # one endless cell, or a quote left open
        pass
    return rows, ends


def is_layout(delimiter: str) -> bool:
    """Whether blanks part the cells, which `with_tabs` turns into tabs."""
    return delimiter in _RUNS or delimiter.startswith(PREFIX)


def with_tabs(text: bytes, delimiter: str) -> bytes:
    """Runs of spaces as tabs, lines kept; text with another delimiter as it is."""
    if not is_layout(delimiter):
        return text
    if delimiter.startswith(PREFIX):
        return at_places(text, delimiter)
    text = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", text)
    runs = _RUNS[delimiter].encode()
    if b'"' not in text:
        return re.sub(runs, b"\t", text)
    quoted = rb'"[^"\n]*"|' + runs
    return re.sub(quoted, lambda m: m[0] if m[0][:1] == b'"' else b"\t", text)


def usual_width(rows: list[list[str]]) -> int:
    """How many cells most rows have that are cut at all."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return max(widths, key=lambda w: (widths[w], w), default=1)


def _parted(line: str, delimiter: str) -> list[str]:
    line = with_tabs(line.encode(), delimiter).decode()
    return next(csv.reader([line], delimiter="\t"), [])


def _is_even(head: str, delimiter: str) -> bool:
    """Whether all later lines are cut into as many cells as the first full one."""
    rows = [row for row in records(head, delimiter)[0] if any(map(str.strip, row))]
    width = usual_width(rows)
    first = next((len(row) for row in rows if len(row) * 2 >= width), width)
    return first == width and all(len(r) == width for r in rows[len(rows) // 2 :])


def _places(head: str) -> str | None:
    """Columns of fixed width, below a few lines of titles."""
    lines = [line for line in head.split("\n")[:RECORDS] if line.strip()]
    tries = (find_places(lines[above:]) for above in range(TITLES))
    return next((places for places in tries if places), None)


def _is_rule(row: list[str]) -> bool:
    line = "".join(row)
    return _RULE.fullmatch(line) is not None and any(3 * c in line for c in "-=_")


def _evidence(head: str, delimiter: str) -> tuple[float, int]:
    """How evenly a delimiter cuts the later lines, and into what: (score, width).

    Numbers and times speak for a cut, words less, words with another delimiter
    inside not at all.
    """
    rows = [row for row in records(head, delimiter)[0] if any(map(str.strip, row))]
    rows = rows[len(rows) // 2 :]  # titles stand above
    width = usual_width(rows)
    even = [row for row in rows if len(row) == width]
    if width < 2 or (is_layout(delimiter) and width == 2 and _is_clock(even)):
        return (0.0, width)
    others = "".join(d for d in DELIMITERS if d != delimiter)
    seen = even[: max(2, CELLS // width)]
    marks = [_mark(cell.strip(), others) for row in seen for cell in row]
    good = 0.5 + 0.5 * sum(marks) / len(marks)
    return (round(len(even) / len(rows) * good, 2), width)


def _mark(cell: str, others: str) -> float:
    if kind_of(cell) in ("number", "time"):
        return 1.0
    return 0.0 if any(other in cell for other in others) else 0.5


def _is_clock(rows: list[list[str]]) -> bool:
    """Whether a cut parts nothing but the date from the time of day."""
    return all(kind_of(cell) == "time" for row in rows for cell in row)
