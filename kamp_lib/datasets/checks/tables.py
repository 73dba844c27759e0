"""What a table carries besides its records: row numbers, gaps, columns that hardly move."""

from __future__ import annotations

import numpy as np

from kamp_lib.datasets.checks.context import Context, number_text
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding

INDEX_NAMES = frozenset({"unnamed0", "index", "levelindex", "column1", ""})
NEARLY = 0.75  # of the rows on one value
TINY = 0.005  # of the level, for the spread of such a column
FEWEST_ROWS = 30
SAMPLE = 20_000
CYCLES = 3
SELDOM = 0.05  # of the steps, for a counter to fall back


def index_columns(context: Context) -> list[Finding]:
    """Row numbers that a program wrote beside the data: `Unnamed: 0`."""
    findings = []
    for column in context.columns[:2]:
        source = context.names(column)[0]
        plain = "".join(c for c in source.lower() if c.isalnum())
        number = context.numbers.get(column)
        if plain not in INDEX_NAMES or number is None or len(number) < 3:
            continue
        if np.all(number[1:] > number[:-1]) and np.all(number % 1 == 0):
            findings.append(
                finding(
                    "index-column",
                    columns=context.names(column),
                    count=len(number),
                    examples=[f"{v:g}" for v in number[:3]],
                    column=context.shown(column),
                )
            )
    return findings


def blank_cells(context: Context) -> list[Finding]:
    """Gaps among measured values, and gaps beside zeros, which mean something else."""
    blank: dict[str, int] = {}
    beside_zero: dict[str, int] = {}
    for column in _of_values(context):
        # placeholders that an earlier check took out are no blanks: look at the frame
        number = context.frame[column].to_numpy(dtype=float, na_value=np.nan)
        gaps = int(np.isnan(number).sum())
        if not gaps or gaps == len(number):
            continue
        blank[column] = gaps
        # zeros are a value of their own where they are many, as in sales and counts
        if (number == 0).sum() >= 0.05 * (len(number) - gaps):
            beside_zero[column] = gaps
    if not blank:
        return []
    zeros = len(beside_zero) >= len(blank) / 2
    told = beside_zero if zeros else blank
    most = sorted(told, key=lambda c: -told[c])
    return [
        finding(
            "blank-cells",
            columns=context.names(*told),
            shown=[context.shown(c) for c in most],
            count=sum(told.values()),
            examples=[f"{context.shown(c)}: {told[c]:,}" for c in most],
            variant="beside-zero" if zeros else None,
        )
    ]


def _of_values(context: Context) -> list[str]:
    """Number columns of measurements and settings, those that never move included."""
    judged = {label.name for label in context.labels}
    return [
        c
        for c in context.numbers
        if context.role(c) in ("sensor", "setpoint", "extra")
        and not context.names_records(c)
        and c not in judged
    ]


def near_constant_columns(context: Context) -> list[Finding]:
    """Columns that stand on one value nearly always and hardly move otherwise."""
    found = []
    for column in context.measured:
        number = context.numbers[column]
        if len(number) < FEWEST_ROWS or context.role(column) == "setpoint":
            continue
        # a value of most rows is the middle one, of every sample of them too
        middle = float(np.nanmedian(number[:: max(1, len(number) // SAMPLE)]))
        if (number == middle).mean() >= NEARLY and _spread(number) < TINY * abs(middle):
            found.append((column, middle))
    if not found:
        return []
    return [
        finding(
            "near-constant-column",
            columns=context.names(*(c for c, _ in found)),
            shown=[context.shown(c) for c, _ in found],
            count=len(found),
            examples=[f"{context.shown(c)} ≈ {number_text(v)}" for c, v in found],
        )
    ]


def _spread(number: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.nanstd(number))


def rows_in_time_order(context: Context) -> list[Finding]:
    """A table without time whose counter or wear climbs and falls back: a clock of rows."""
    if context.times or context.runs is not None or len(context.frame) < 100:
        return []
    for column in context.measured:
        cycles = _cycles(context.numbers[column])
        if cycles >= CYCLES:
            return [
                finding(
                    "rows-in-time-order",
                    columns=context.names(column),
                    count=cycles,
                    column=context.shown(column),
                )
            ]
    return []


def _cycles(number: np.ndarray) -> int:
    """How often a column climbs and falls back to its low end; 0 if it moves otherwise."""
    step = np.diff(number)
    if not len(step) or not np.isfinite(number).all():
        return 0
    falls = np.flatnonzero(step < 0)
    if len(falls) > SELDOM * len(step) or (step > 0).mean() < 0.5:
        return 0
    low = number.min() + 0.1 * np.ptp(number)
    return len(falls) if np.all(number[falls + 1] <= low) else 0
