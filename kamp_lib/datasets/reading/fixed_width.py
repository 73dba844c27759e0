"""Text in columns of fixed width: cells stand below each other, blanks hold them apart.

Programs print tables so (SQL tools, `.prn` of a spreadsheet). Unlike runs of spaces,
the places tell which cell of a row is empty.
"""

from __future__ import annotations

import re
from itertools import pairwise
from unicodedata import east_asian_width

PREFIX = "fixed:"  # of the delimiter that stands for places, as in fixed:0,12,36
WIDE = "wide:"  # Korean letters take two places, as on a screen
_RULE = re.compile(r"\s*[-=]{2,}(\s+[-=]{2,})+\s*")
_REMARK = re.compile(r"\(.*\)\s*")  # (12 rows affected)
_FILLER = "\x00"
MANY = 5  # lines are needed to see where columns stand


def find_places(lines: list[str]) -> str | None:
    """Where the columns begin, as a delimiter; None when the lines have no columns.

    >>> find_places(["no  temp grade"] + ["1   20.5 A", "2        B"] * 3)
    'fixed:0,4,9'
    """
    lines = [line.rstrip() for line in lines if line.strip() and "\t" not in line]
    if len(lines) < MANY:
        return None
    rule = next((line for line in lines if _RULE.fullmatch(line)), None)
    found = []
    for wide in (False, True):
        if wide and all(line.isascii() for line in lines):
            break
        laid = [_laid_out(line, wide) for line in lines]
        starts = _below_rule(rule) if rule else _between_gaps(laid)
        if len(starts) > 1:
            apart = [_parted(line, starts) is not None for line in laid]
            if sum(apart) >= 0.9 * len(apart):
                places = ",".join(map(str, starts))
                found.append((len(starts), f"{PREFIX}{WIDE * wide}{places}"))
    return max(found, key=lambda f: f[0])[1] if found else None


def at_places(text: bytes, delimiter: str) -> bytes:
    """Fixed columns as tabs; a line whose cells overrun their columns stays whole."""
    said = delimiter.removeprefix(PREFIX)
    wide = said.startswith(WIDE)
    starts = [int(place) for place in said.removeprefix(WIDE).split(",")]
    made = []
    for line in text.decode("utf-8").split("\n"):
        cells = _parted(_laid_out(line.rstrip(), wide), starts)
        made.append(line.rstrip() if cells is None else "\t".join(map(_quoted, cells)))
    return "\n".join(made).replace(_FILLER, "").encode("utf-8")


def _quoted(cell: str) -> str:
    """A quote in a column of fixed width is a letter like others."""
    return '"' + cell.replace('"', '""') + '"' if '"' in cell else cell


def _laid_out(line: str, wide: bool) -> str:
    """The line with one character for each place it takes."""
    if not wide or line.isascii():
        return line
    return "".join(
        c + _FILLER if east_asian_width(c) in ("W", "F") else c for c in line
    )


def _below_rule(rule: str) -> list[int]:
    return [run.start() for run in re.finditer(r"[-=]+", rule)]


def _between_gaps(lines: list[str]) -> list[int]:
    """The places where columns begin that hardly a line writes across.

    A gap below which the first line has no name only parts a date from its time.
    """
    width = max(map(len, lines))
    head = lines[0].ljust(width)
    often = [
        sum(map(bool, map(str.strip, place)))
        for place in zip(*[line.ljust(width) for line in lines], strict=True)
    ]
    few = 0.05 * len(lines)
    filled = [n > few or bool(c.strip()) for n, c in zip(often, head, strict=True)]
    starts = [
        place
        for place, now in enumerate(filled)
        if now and (place == 0 or not filled[place - 1])
    ]
    ends = [*starts[1:], width]
    named = [bool(head[a:b].strip()) for a, b in zip(starts, ends, strict=True)]
    return [s for s, name in zip(starts, named, strict=True) if name] or starts


def _parted(line: str, starts: list[int]) -> list[str] | None:
    """The cells of a line; None when one runs into the place before the next."""
    overrun = any(line[start - 1 : start].strip() for start in starts if start)
    if overrun or _REMARK.fullmatch(line):
        return None
    cells = [line[a:b].strip() for a, b in pairwise([*starts, len(line)])]
    return cells if line.strip() else [""]
