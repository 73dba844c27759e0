"""Rows that are no records: the header once more, and totals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, ROW, RUN, Raw
from kamp_lib.datasets.types import Finding

_TOTALS = r"합\s*계|총\s*계|소\s*계|누\s*계|평\s*균|총\s*합|(grand |sub)?total|sum|average|mean"
# Words that may as well be categories, where their column holds words.
_SUMMARIES = (
    r"(평균|최\s*[대소고저])\s*[값치]?|표준\s*편차|편차|범위|avg|max(imum)?|min(imum)?|range"
    r"|std(ev| dev)?|(관리\s*)?[상하]한\s*[값치선]?|규격|공차|기준[값치]?|spec(ification)?|nominal"
    r"|tolerance|[ul][sc]l|(upper|lower) limit"
)
TOTAL = rf"^\s*({_TOTALS})\s*[.:]?\s*$"
SUMMARY = rf"^\s*({_TOTALS}|{_SUMMARIES})\s*[.:]?\s*$"
VALUE = r"^\s*[+-]?\d"
MOST_TOTALS = 0.15  # of the rows; more, and "total" is one of the column's categories


def rows_aside(raw: Raw) -> dict[int, str]:
    """Position -> code of rows that repeat the header and of totals."""
    table = raw.table
    texts = [c for c in raw.columns if pa.types.is_string(table.schema.field(c).type)]
    if not texts:
        return {}
    same = np.zeros(table.num_rows, dtype=np.int32)
    for name in texts if len(texts) >= 0.8 * len(raw.columns) else ():
        equal = pc.equal(pc.utf8_trim_whitespace(table[name]), name)
        same += pc.fill_null(equal, False).to_numpy().astype(np.int32)
    aside = dict.fromkeys(
        np.flatnonzero(same >= max(1, 0.8 * len(raw.columns))).tolist(),
        "repeated-header",
    )
    # A total stands in the first filled cell of its row.
    before = np.ones(table.num_rows, dtype=bool)
    first = [c for c in raw.columns if c != RUN][:3]
    for name in first:
        if not before.any():
            break
        if name not in texts:
            before &= table[name].is_null().to_numpy()
            continue
        among_values = _holds_values(table[name])
        words = SUMMARY if among_values else TOTAL
        total = pc.match_substring_regex(table[name], words, ignore_case=True)
        hit = before & pc.fill_null(total, False).to_numpy().astype(bool)
        if among_values or hit.mean() <= MOST_TOTALS or hit.sum() == 1:
            aside |= dict.fromkeys(np.flatnonzero(hit).tolist(), "totals-row")
        filled = pc.fill_null(
            pc.not_equal(pc.utf8_trim_whitespace(table[name]), ""), False
        )
        before &= ~filled.to_numpy().astype(bool)
    return aside


def _holds_values(column: pa.ChunkedArray) -> bool:
    """Whether a column holds numbers or times, so that words in it are remarks."""
    cells = column.slice(0, 10_000).drop_null()
    cells = cells.filter(
        pc.invert(pc.match_substring_regex(cells, rf"^\s*$|{SUMMARY}"))
    )
    values = pc.sum(pc.match_substring_regex(cells, VALUE)).as_py() or 0
    return len(cells) > 0 and values >= 0.9 * len(cells)


def aside_findings(raw: Raw, aside: dict[int, str]) -> list[Finding]:
    """What is said of them."""
    found = []
    for code in ("repeated-header", "totals-row"):
        places = [place for place, why in aside.items() if why == code]
        if places:
            rows = raw.table.take(places)
            first = raw.columns[0]
            shown = [f"{f}:{r}" for f, r in zip(
                rows[FILE].to_pylist(), rows[ROW].to_pylist(), strict=True)]  # fmt: skip
            if code == "totals-row":
                shown = [str(cell) for cell in rows[first].to_pylist()]
            found.append(finding(code, count=len(places), examples=shown))
    return found
