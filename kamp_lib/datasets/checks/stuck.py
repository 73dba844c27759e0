"""Sensors that stand still while the machine moves, or stop at the end of their scale."""

from __future__ import annotations

from math import ceil, log

import numpy as np

from kamp_lib.datasets.checks.context import Context, number_text
from kamp_lib.datasets.checks.stretches import extent, sampled
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding

SHORTEST = 30  # rows
BEYOND_CHANCE = 8.0  # times the longest stretch that its habit lets expect
MOST_STRETCHES = 5  # a column that stands still more often does so by nature
MOST_CANDIDATES = 64
FEWEST_LEVELS = 10
MOVING = 0.5  # of the usual rate of change, for another column to count as moving

PILE = 0.005  # of the rows at the extreme, and at least 20
HIGHER = 4.0  # times as often as any value near by: tails only grow thinner
NATURAL_ENDS = (0.0, 1.0, -1.0)
FULL_SCALE = 100.0  # the natural end of a percentage


def frozen_sensors(context: Context) -> list[Finding]:
    """A sensor that repeats one value far longer than it usually does."""
    return [
        _frozen(context, column, context.ordered(column), stretches)
        for column, stretches in frozen_stretches(context).items()
    ]


def frozen_stretches(context: Context) -> dict[str, list[tuple[int, int]]]:
    """Column -> where it stood still: first position and the one after, in order."""
    columns = [c for c in context.sensors if context.distinct[c] >= FEWEST_LEVELS]
    values = {c: context.ordered(c) for c in columns}
    rates = {c: _rate(v) for c, v in values.items()}
    found = {}
    for column in columns:
        stretches = [
            (first, stop)
            for first, stop in _long_stretches(context, values[column], rates[column])
            if _others_move(values, rates, column, first, stop)
        ]
        if stretches:
            found[column] = stretches
    return found


def _frozen(
    context: Context,
    column: str,
    values: np.ndarray,
    stretches: list[tuple[int, int]],
) -> Finding:
    first, stop = max(stretches, key=lambda s: s[1] - s[0])
    value = number_text(values[first])
    return finding(
        "frozen-sensor",
        columns=context.names(column),
        count=sum(stop - first for first, stop in stretches),
        examples=[number_text(values[first]) for first, _ in stretches],
        column=context.shown(column),
        value=value,
        rows=stop - first,
        first=context.place(first),
        last=context.place(stop - 1),
    )


def _rate(values: np.ndarray) -> float:
    """Share of steps at which a column changes.

    Taken over 64 blocks: the rate only scales the limit, and its error is a few per cent.
    """
    block = sampled(values).values
    steps = block[:, 1:] != block[:, :-1]
    return float(steps.mean()) if steps.size else 0.0


def _long_stretches(
    context: Context, values: np.ndarray, rate: float
) -> list[tuple[int, int]]:
    """Stretches longer than the column's own habit explains."""
    if rate <= 0 or len(values) < 2 * SHORTEST:
        return []
    limit = max(SHORTEST, ceil(BEYOND_CHANCE * log(len(values)) / rate))
    if limit > len(values):
        return []
    found = {
        _within(context.starts, at, *extent(values, at))
        for at in _candidates(values, limit)
    }
    long = sorted(s for s in found if s[1] - s[0] >= limit)
    if len(long) > MOST_STRETCHES:
        return []
    return [s for s in long if not _is_habit(values, s)]


def _candidates(values: np.ndarray, limit: int) -> np.ndarray:
    """Rows in stretches of at least `limit` equal values.

    Such a stretch holds two neighbours of every `limit // 2`-th row, so only these are
    compared; values that agree there by chance are weeded out by looking in between.
    """
    step = limit // 2
    few = values[::step]
    rows = np.flatnonzero(few[1:] == few[:-1]) * step
    for between in np.unique(np.linspace(1, step, 8).astype(int)):
        rows = rows[values[rows + between] == values[rows]]
    first = np.diff(rows, prepend=-2 * step) > step  # one row of each stretch
    return rows[first] if first.sum() <= MOST_CANDIDATES else rows[:0]


def _within(starts: np.ndarray, at: int, first: int, stop: int) -> tuple[int, int]:
    """A stretch cut to the run that it lies in."""
    run = int(np.searchsorted(starts, at, side="right")) - 1
    end = int(starts[run + 1]) if run + 1 < len(starts) else stop
    return max(first, int(starts[run])), min(stop, end)


def _is_habit(values: np.ndarray, stretch: tuple[int, int]) -> bool:
    """Whether the column rests at this value: at 0, or for long at other times too."""
    first, stop = stretch
    if values[first] == 0:
        return True
    rest = np.concatenate([values[:first], values[stop:]]) == values[first]
    quarter = max(3, (stop - first) // 4)
    if rest.sum() < quarter:
        return False
    ends = np.flatnonzero(np.diff(np.concatenate([[0], rest.view(np.int8), [0]])))
    return bool((ends[1::2] - ends[::2]).max() >= quarter)


def _others_move(
    values: dict[str, np.ndarray],
    rates: dict[str, float],
    column: str,
    first: int,
    stop: int,
) -> bool:
    """Whether most other sensors change as they usually do: the machine is at work."""
    moving = []
    for other, rate in rates.items():
        if other == column or rate < 0.2:
            continue
        inside = values[other][first:stop]
        moving.append((inside[1:] != inside[:-1]).mean() >= MOVING * rate)
    return bool(moving) and float(np.mean(moving)) >= 0.5


def saturation(context: Context) -> list[Finding]:
    """A sensor whose values pile up at its highest or lowest one: the end of its scale."""
    findings = []
    for column in context.sensors:
        if context.distinct[column] < 2 * FEWEST_LEVELS:
            continue
        number = context.numbers[column]
        for end, word in ((np.nanmax, "high"), (np.nanmin, "low")):
            level = float(end(number))
            count = int((number == level).sum())
            if _is_pile(context, column, number, level, count):
                findings.append(
                    finding(
                        "saturation",
                        columns=context.names(column),
                        count=count,
                        examples=[number_text(level)],
                        variant=None if word == "high" else "low",
                        column=context.shown(column),
                        value=number_text(level),
                        share=count / len(number),
                    )
                )
    return findings


def _is_pile(
    context: Context, column: str, number: np.ndarray, level: float, count: int
) -> bool:
    if count < max(20, PILE * len(number)) or not np.isfinite(level):
        return False
    if level in _natural_ends(context, column):
        return False
    # a sample tells how often other values occur; the pile itself was counted in full
    sample = number[:: max(1, len(number) // 20_000)]
    sample = sample[np.isfinite(sample)]
    scale = len(number) / len(sample)
    values, often = np.unique(sample[sample != level], return_counts=True)
    if len(values) < FEWEST_LEVELS or often.max() * scale > count / 3:
        return False  # a column that stands on several levels
    middle = float(np.median(sample))
    near = np.abs(values - level) <= 0.25 * abs(middle - level)
    # a scale that ends has values right up to its end; a resting level has a gap
    return bool(near.sum() >= 5 and count >= HIGHER * often[near].max() * scale)


def _natural_ends(context: Context, column: str) -> set[float]:
    """Values at which a column ends by its nature: rest, full scale of a percentage."""
    known, quantity = context.standard.get(column), context.quantity(column)
    ends = {*NATURAL_ENDS}
    unit = known.unit if known else quantity.unit if quantity else None
    if unit == "%" or "%" in column or "율" in column:
        ends |= {FULL_SCALE, -FULL_SCALE}
    for meant in (known, quantity):
        if meant is not None:
            ends |= {float(v) for v in (meant.min, meant.max) if v is not None}
    return ends
