"""Columns that are computed from one, two or three others.

Tried are: y = a x + b, exact to the last written digit; y = a x with a plain factor, or
with any factor when y is written far more coarsely than x; y = x1 + x2, x1 - x2, their
mean or x1 + x2 + x3, as exact as the rounding of all parts allows (three sensors logged as
whole numbers no longer add up to the digit).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding

MOST_COLUMNS = 60
LARGEST = 1e100  # squares of larger numbers overflow
SAMPLE = 200
FEWEST_ROWS = 30
MOST_ROWS = 100_000
PLAIN = np.array([0.001, 0.01, 0.1, 0.5, 2.0, 10.0, 60.0, 100.0, 1000.0, 3600.0])
PAIRS = ((1.0, 1.0), (1.0, -1.0), (0.5, 0.5))
HOLDS = 0.98  # of the rows: rounding twice may miss by more now and then
UNEXPLAINED = 0.15  # of the variance, at most: coarse steps agree by chance
COARSER = 10.0  # times the steps of x, for y to be a rounded multiple of it
MOST_IN_THREES = 40  # columns among which sums of three are looked for


@dataclass(frozen=True)
class Formula:
    """y as a sum of terms; `share` of the rows agree to rounding."""

    terms: dict[int, float]
    constant: float
    share: float


def derived_columns(context: Context) -> list[Finding]:
    """Columns that others give exactly, or as exactly as their rounding allows."""
    columns = [
        c
        for c in context.measured
        if context.distinct[c] >= 4 and np.nanmax(np.abs(context.numbers[c])) < LARGEST
    ][:MOST_COLUMNS]
    if len(columns) < 2:
        return []
    rows = _complete_rows([context.numbers[c] for c in columns])
    if len(rows) < FEWEST_ROWS:
        return []
    table = np.column_stack([context.numbers[c][rows] for c in columns])
    findings = []
    for y, formula in find_formulas(table).items():
        said = _say([context.shown(c) for c in columns], y, formula)
        parts = [columns[x] for x in formula.terms]
        findings.append(
            finding(
                "derived-column",
                columns=context.names(columns[y], *parts),
                count=round(formula.share * len(context.frame)),
                examples=[said],
                column=context.shown(columns[y]),
                formula=said,
            )
        )
    return findings


def _complete_rows(columns: list[np.ndarray]) -> np.ndarray:
    """Rows without a gap; of very many, 100,000 spread evenly.

    A formula is said with the share of rows for which it holds, and so many rows give
    that share to a fraction of a per mille.
    """
    known = np.ones(len(columns[0]), dtype=bool)
    for column in columns:
        known &= np.isfinite(column)
    rows = np.flatnonzero(known)
    return rows[:: max(1, len(rows) // MOST_ROWS)]


def find_formulas(table: np.ndarray) -> dict[int, Formula]:
    """The derived columns of a table without gaps: column -> formula."""
    step = np.array([_digit(v) for v in table[:: max(1, len(table) // SAMPLE)].T])
    rows = np.unique(np.linspace(0, len(table) - 1, SAMPLE).astype(int))
    # rows at the ends of every column show a relation that the middle hides
    ends = np.concatenate([table.argmin(axis=0), table.argmax(axis=0)])
    sample = table[np.unique(np.concatenate([rows, ends]))]
    found: dict[int, Formula] = {}
    n = table.shape[1]
    for y, x in ((y, x) for y in range(n) for x in range(n) if x != y):
        if y in found or x in found:
            continue
        formula = _multiple(table, sample, step, y, x)
        if formula is not None:
            found[y] = formula
    rest = [k for k in range(n) if k not in found]
    found |= _sums(table, sample, step, rest)
    rest = [k for k in rest if k not in found]
    return found | _sums_of_three(table, sample, step, rest)


def _multiple(
    table: np.ndarray, sample: np.ndarray, step: np.ndarray, y: int, x: int
) -> Formula | None:
    xs, ys = sample[:, x], sample[:, y]
    spread = xs - xs.mean()
    total = float(spread @ spread)
    if total == 0:
        return None
    a = float(spread @ (ys - ys.mean())) / total
    # a line through every row; of two columns the larger multiple is the derived one,
    # the later when they are equal
    if abs(a) > 1 + 1e-6 or (abs(abs(a) - 1) <= 1e-6 and y > x):
        b = float(np.median(ys - a * xs))
        b = 0.0 if abs(b) < 1e-6 * (1 + np.abs(ys).max()) else b
        slack = max(0.51 * step[y], 1e-9 * np.abs(ys).max())
        if np.ptp(ys) >= 20 * slack and np.abs(ys - a * xs - b).max() <= slack:
            error = np.abs(table[:, y] - a * table[:, x] - b)
            if error.max() <= slack:
                return Formula({x: a}, b, 1.0)
    middle = float(np.median(xs))
    ratio = float(np.median(ys)) / middle if middle else 0.0
    near = PLAIN[np.argmin(np.abs(np.log(PLAIN / abs(ratio))))] if ratio else 0.0
    if near > 1 and abs(abs(ratio) / near - 1) <= 0.01:
        plain = {x: float(np.sign(ratio) * near)}
        return _to_rounding(table, sample, step, y, plain)
    return _rounded_multiple(table, sample, step, y, x)


def _rounded_multiple(
    table: np.ndarray, sample: np.ndarray, step: np.ndarray, y: int, x: int
) -> Formula | None:
    """y = a x rounded to the few digits of y: the same reading in another unit."""
    xs, ys = sample[:, x], sample[:, y]
    square = float(xs @ xs)
    factor = float(xs @ ys) / square if square else 0.0
    if not factor or abs(factor) * step[x] * COARSER > step[y]:
        return None
    # rounding fills its interval evenly, and leaves out no level on the way
    error = ys - factor * xs
    even = 0.2 * step[y] <= float(error.std()) <= 0.37 * step[y]
    levels = len(np.unique(ys))
    if not even or levels < max(5, 0.7 * (np.ptp(ys) / step[y] + 1)):
        return None
    xs = table[:, x]  # a few rows tell the factor not well enough for all
    factor = float(xs @ table[:, y]) / float(xs @ xs)
    return _to_rounding(table, sample, step, y, {x: factor})


def _sums(
    table: np.ndarray, sample: np.ndarray, step: np.ndarray, rest: list[int]
) -> dict[int, Formula]:
    """Sums, differences and means of two columns among the rest."""
    few = sample[np.linspace(0, len(sample) - 1, 12).astype(int)][:, rest]
    steps = step[rest]
    found: dict[int, Formula] = {}
    told: set[frozenset[int]] = set()
    # sums before differences: of a + b = c only the sum is said
    for a, b in PAIRS:
        both = a * few[:, :, None] + b * few[:, None, :]
        slack = 0.5 * (abs(a) * steps[:, None] + abs(b) * steps[None, :])
        for k, y in enumerate(rest):
            error = np.abs(few[:, k][:, None, None] - both)
            limit = 1.01 * (slack + 0.5 * steps[k])
            likely = (error <= limit).mean(axis=0) >= 0.9
            for i, j in np.argwhere(likely):
                x1, x2 = rest[i], rest[j]
                trio = frozenset((y, x1, x2))
                if len(trio) < 3 or trio in told or y in found or (a == b and i > j):
                    continue
                if x1 in found or x2 in found:
                    continue
                formula = _to_rounding(table, sample, step, y, {x1: a, x2: b})
                if formula is not None:
                    found[y] = formula
                    told.add(trio)
    return found


def _sums_of_three(
    table: np.ndarray, sample: np.ndarray, step: np.ndarray, rest: list[int]
) -> dict[int, Formula]:
    """Columns that are the sum of three others."""
    if not 4 <= len(rest) <= MOST_IN_THREES:
        return {}
    few = sample[np.linspace(0, len(sample) - 1, 6).astype(int)][:, rest]
    slack = 0.51 * step[rest]
    found: dict[int, Formula] = {}
    for k, y in enumerate(rest):
        # y - x1 against x2 + x3, for all threes at once
        error = np.abs(
            (few[:, k][:, None] - few)[:, :, None, None]
            - few[:, None, :, None]
            - few[:, None, None, :]
        )
        limit = slack[k] + slack[:, None, None] + slack[:, None] + slack
        for trio in np.argwhere((error <= limit).all(axis=0)):
            i, j, m = (int(v) for v in trio)
            if not i < j < m or k in (i, j, m) or {rest[v] for v in trio} & set(found):
                continue
            terms = {rest[v]: 1.0 for v in (i, j, m)}
            formula = _to_rounding(table, sample, step, y, terms)
            if formula is not None:
                found[y] = formula
                break
    return found


def _to_rounding(
    table: np.ndarray,
    sample: np.ndarray,
    step: np.ndarray,
    y: int,
    terms: dict[int, float],
) -> Formula | None:
    """The formula, when it holds within the rounding of its parts and explains y."""
    slack = 0.5 * step[y] + sum(0.5 * abs(a) * step[x] for x, a in terms.items())
    slack = max(1.01 * slack, 1e-9 * np.abs(sample[:, y]).max())
    share = 0.0
    for rows in (sample, table):
        error = rows[:, y] - sum(a * rows[:, x] for x, a in terms.items())
        share = float((np.abs(error) <= slack).mean())
        if share < (0.9 if rows is sample else HOLDS):
            return None
    noise = float(np.mean(error**2))
    if noise > UNEXPLAINED * float(table[:, y].var()):
        return None
    # every part has to be needed, or a near-constant one comes along by chance
    for used in permutations(terms, len(terms) - 1):
        alone = table[:, y] - sum(terms[x] * table[:, x] for x in used)
        if noise > 0.5 * float(alone.var()):
            return None
    return Formula(terms, 0.0, share)


def _digit(values: np.ndarray) -> float:
    """The last written digit of a column: 0.1 for 12.3, 1 for whole numbers."""
    for places in range(7):
        if np.all(np.abs(values - np.round(values, places)) < 10.0 ** -(places + 4)):
            return float(10.0**-places)
    return 1e-7


def _say(names: list[str], y: int, formula: Formula) -> str:
    said = f"{names[y]} ="
    for x, a in formula.terms.items():
        first = said.endswith("=")
        sign = " -" if a < 0 else "" if first else " +"
        factor = "" if abs(abs(a) - 1) < 1e-9 else f"{abs(a):.6g} × "
        said += f"{sign} {factor}{names[x]}"
    if formula.constant:
        said += f" {'-' if formula.constant < 0 else '+'} {abs(formula.constant):.6g}"
    return said if formula.share == 1 else f"{said} ({min(formula.share, 0.999):.1%})"
