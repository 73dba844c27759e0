"""What changes part-way through a column without the machine changing: unit, resolution."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from kamp_lib.datasets.checks.context import Context, number_text
from kamp_lib.datasets.checks.stretches import apart, sampled
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text

FEWEST_ROWS = 100
FEWEST_SIDE = 0.02  # of the rows, for a second unit
MOST_SWITCHES = 4
EMPTY = 0.4  # of the range, at least, between the values in one unit and in another
FEWEST_BLOCKS = 3  # on either side of a change of resolution
FINEST = 7  # decimal places
MOVING = 0.3  # of the steps of a block, for its digits to show


@dataclass(frozen=True)
class Conversion:
    """high = factor x low + offset, and the two units that it is known from."""

    factor: float
    offset: float
    known: Text


def _times(factor: float, known: str = "") -> Conversion:
    return Conversion(factor, 0.0, Text(known, known))


_POINT = Text(
    "소수점 자리나 10·100·1000배 단위",
    "the decimal point, or a unit of 10, 100 or 1000",
)
DECIMAL = [Conversion(f, 0.0, _POINT) for f in (10.0, 100.0, 1000.0)]
PRESSURE = [
    _times(10.0, "bar ↔ MPa"),
    _times(6.895, "kPa ↔ psi"),
    _times(14.504, "psi ↔ bar"),
    _times(100.0, "kPa ↔ bar"),
    _times(145.04, "psi ↔ MPa"),
    _times(1000.0, "kPa ↔ MPa"),
]
PRESSURE_NAME = re.compile("압력|pressure", re.IGNORECASE)
CONVERSIONS = {
    "Cel": [
        Conversion(1.8, 32.0, Text("°F ↔ °C", "°F ↔ °C")),
        Conversion(1.0, 273.15, Text("K ↔ °C", "K ↔ °C")),
        *DECIMAL,
    ],
    "MPa": PRESSURE,
    "bar": PRESSURE,
    "kPa": PRESSURE,
    "mm": [_times(25.4, "mm ↔ inch"), *DECIMAL],
    "s": [_times(60.0, "s ↔ min"), _times(1000.0, "ms ↔ s"), *DECIMAL],
    "kN": [_times(9.807, "kN ↔ tf"), *DECIMAL],
    "/min": [_times(60.0, "/min ↔ /s"), *DECIMAL],
}


def unit_changes(context: Context) -> list[Finding]:
    """A column of which one part is written in another unit than the rest."""
    if len(context.frame) < FEWEST_ROWS:
        return []
    parts = {}
    for column in context.sensors:
        part = other_unit(context, column)
        if part is not None:
            parts[column] = part
    findings = []
    for column, (conversion, limit) in parts.items():
        if _machine_changed(context, column, limit, set(parts)):
            continue
        said = _unit_finding(context, column, conversion, limit)
        if said is not None:
            findings.append(said)
            context.explained.add(column)
    return findings


def other_unit(context: Context, column: str) -> tuple[Conversion, float] | None:
    """The conversion between a column's lower and upper values, and what parts them."""
    values = sampled(context.ordered(column)).values.ravel()
    values = np.sort(values[np.isfinite(values) & (values != 0)])
    few = max(5, int(FEWEST_SIDE * len(values)))
    if len(values) < FEWEST_ROWS or np.sign(values[0]) != np.sign(values[-1]):
        return None
    inner = values[few - 1 : len(values) - few + 1]
    gaps = np.diff(inner)
    at = int(np.argmax(gaps))
    if not gaps[at] > EMPTY * (inner[-1] - inner[0]):
        return None
    limit = float((inner[at] + inner[at + 1]) / 2)
    low, high = values[values < limit], values[values > limit]
    if values[-1] < 0:
        low, high = -high[::-1], -low[::-1]
    for conversion in _conversions(context, column):
        if _agree(low, high, conversion):
            return conversion, limit
    return None


def _conversions(context: Context, column: str) -> list[Conversion]:
    known, quantity = context.standard.get(column), context.quantity(column)
    unit = known.unit if known else quantity.unit if quantity else None
    if unit is None and PRESSURE_NAME.search(column):
        return PRESSURE  # "압력" alone: in whatever unit
    return CONVERSIONS.get(unit or "", DECIMAL)


def _agree(low: np.ndarray, high: np.ndarray, conversion: Conversion) -> bool:
    """Whether the upper values are the lower ones converted: same level, same spread."""
    shares = [0.1, 0.25, 0.5, 0.75, 0.9]
    converted = conversion.factor * np.quantile(low, shares) + conversion.offset
    seen = np.quantile(high, shares)
    spread, spread_seen = converted[-1] - converted[0], seen[-1] - seen[0]
    middle = abs(seen[2])
    slack = min(max(spread, spread_seen), 0.1 * middle)
    off = np.abs(seen - converted).max()
    # between the two there has to be an empty band, wider than either of them
    band = high[0] - low[-1] > 1.5 * max(spread_seen, low[-1] - low[0])
    alike = 0.25 * spread <= spread_seen <= 4 * spread
    return bool(band and alike and off <= max(slack, 0.02 * middle))


def _machine_changed(
    context: Context, column: str, limit: float, converted: set[str]
) -> bool:
    """Whether other columns tell the two parts apart as well: another product, say."""
    rows = sampled(context.ordered(column)).rows
    high = context.ordered(column)[rows] > limit
    for other in context.measured:
        if other in converted:
            continue
        values = context.ordered(other)[rows]
        if apart(values[high], values[~high]):
            return True
    return False


def _unit_finding(
    context: Context, column: str, conversion: Conversion, limit: float
) -> Finding | None:
    number = context.ordered(column)
    known = np.isfinite(number) & (number != 0)
    rows = np.flatnonzero(known)
    high = number[rows] > limit
    switches = 1 + np.flatnonzero(high[1:] != high[:-1])
    few = len(switches) <= MOST_SWITCHES
    odd = high if high.sum() <= len(high) / 2 else ~high
    # a unit changes for good, or for a while; a lost decimal point comes and goes
    if not few and conversion.known is not _POINT:
        return None
    first = rows[switches[0]] if few else rows[np.flatnonzero(odd)[0]]
    low_level = float(np.median(number[rows[~high]]))
    high_level = float(np.median(number[rows[high]]))
    levels = (low_level, high_level) if not high[0] else (high_level, low_level)
    return finding(
        "unit-change",
        columns=context.names(column),
        count=int(odd.sum()),
        examples=[number_text(level) for level in levels],
        variant=None if few else "scattered",
        column=context.shown(column),
        place=context.place(int(first)),
        before=number_text(levels[0]),
        after=number_text(levels[1]),
        factor=_factor(conversion, up=levels[1] > levels[0]),
        known=conversion.known,
    )


def _factor(conversion: Conversion, *, up: bool) -> str:
    """What is done to the values where the unit changes."""
    factor, offset = f"{conversion.factor:g}", f"{conversion.offset:g}"
    if conversion.factor == 1:
        return f"+{offset}" if up else f"−{offset}"
    if not conversion.offset:
        return f"×{factor}" if up else f"÷{factor}"
    return f"×{factor} +{offset}" if up else f"−{offset} ÷{factor}"


def quantisation_changes(context: Context) -> list[Finding]:
    """A column that is written with fewer digits from some row on, or with more."""
    findings = []
    for column in context.sensors:
        number = context.ordered(column)
        if len(number) < FEWEST_ROWS or context.distinct[column] < 20:
            continue
        block = sampled(number)
        ends, _ = _places(block.values[[0, -1]])
        if ends[0] == ends[1] >= 0:
            continue  # what changes for good differs from the first block to the last
        places, levels = _places(block.values)
        at = _split(places, levels)
        if at is None:
            continue
        fine, coarse = places[places >= 0][[0, -1]]
        first = _first_changed(
            number, int(block.rows[at - 1, 0]), int(block.rows[at, -1]), fine, coarse
        )
        findings.append(
            finding(
                "quantisation-change",
                columns=context.names(column),
                count=len(number) - first,
                examples=[_digit(fine), _digit(coarse)],
                column=context.shown(column),
                place=context.place(first),
                before=_digit(fine),
                after=_digit(coarse),
            )
        )
    return findings


def _places(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decimal places of each block's values and how large they are; -1: cannot tell."""
    places = np.full(len(blocks), FINEST)
    size = np.nan_to_num(np.nanmax(np.abs(blocks), axis=1, initial=0.0))
    for digits in range(FINEST - 1, -1, -1):
        error = np.abs(blocks - np.round(blocks, digits))
        exact = ~(error > 1e-4 * 10.0**-digits).any(axis=1)
        places = np.where(exact, digits, places)
    # a block that rests on one value does not show its digits
    moving = (np.diff(blocks, axis=1) != 0).mean(axis=1) >= MOVING
    return np.where(moving & (size > 0), places, -1), size


def _split(places: np.ndarray, sizes: np.ndarray) -> int | None:
    """The block from which on all values have fewer, or more, digits than all before."""
    judged = np.flatnonzero(places >= 0)
    held, size = places[judged], sizes[judged]
    for at in range(FEWEST_BLOCKS, len(judged) - FEWEST_BLOCKS + 1):
        before, after = held[:at], held[at:]
        fewer = before.min() > after.max()
        if not fewer and not before.max() < after.min():
            continue
        # a logger that writes six digits of every number writes fewer places of large ones
        digits = held + np.floor(np.log10(size))
        change = np.median(digits[:at]) - np.median(digits[at:])
        if abs(change) >= 1 and (change > 0) == fewer:
            return int(judged[at])
    return None


def _first_changed(
    number: np.ndarray, start: int, stop: int, before: int, after: int
) -> int:
    """The row at which the digits change, between two blocks."""
    part = number[start : stop + 1]
    places = min(before, after)
    fine = np.abs(part - np.round(part, places)) > 1e-4 * 10.0**-places
    rows = np.flatnonzero(fine)
    if not len(rows):
        return stop
    return start + int(rows[-1]) + 1 if before > after else start + int(rows[0])


def _digit(places: int) -> str:
    return f"{10.0**-places:.{places}f}"
