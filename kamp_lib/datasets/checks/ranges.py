"""Values against what is physically plausible: swapped columns, implausible values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kamp_lib.catalog import Quantity
from kamp_lib.datasets.checks.context import Context, finite, number_text
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.mapping.evidence import profile
from kamp_lib.datasets.mapping.names import take_apart
from kamp_lib.datasets.types import Finding
from kamp_lib.datasets.units import compatible, convert, said
from kamp_lib.text import Text

MOST_POINTS = 100_000  # quantiles of longer columns come from an even sample


@dataclass(frozen=True)
class Expected:
    """Where values of a column have to lie, by its standard column or its quantity."""

    low: float
    high: float
    usual_low: float
    usual_high: float
    unit: str
    live_min: float = 0.0  # a live signal reaches at least this

    @property
    def narrow(self) -> bool:
        """Whether it is known where the values mostly run, not only where they can be."""
        return (self.usual_low, self.usual_high) != (self.low, self.high)

    def plausible(self, values: Values) -> bool:
        alive = abs(values.median) >= self.live_min or values.high >= self.live_min
        return alive and self.low <= values.median <= self.high

    def usual(self, values: Values) -> bool:
        inside = self.usual_low <= values.median <= self.usual_high
        return inside and self.plausible(values)


@dataclass(frozen=True)
class Values:
    low: float
    median: float
    high: float


def values_of(number: np.ndarray) -> Values | None:
    """Where a column's numbers lie, but for the outermost; None without any."""
    known = finite(number)
    known = known[:: max(1, len(known) // MOST_POINTS)]
    if not len(known):
        return None
    low, median, high = np.quantile(known, [0.02, 0.5, 0.98])
    return Values(float(low), float(median), float(high))


def expected(context: Context, column: str) -> Expected | None:
    """The expectation of one column; None when nothing is known about it."""
    known = context.standard.get(column)
    if known is not None:
        if known.kind != "number" or (known.min is None and known.max is None):
            return None
        low = -np.inf if known.min is None else known.min
        high = np.inf if known.max is None else known.max
        usual_low = low if known.usual_min is None else known.usual_min
        usual_high = high if known.usual_max is None else known.usual_max
        return Expected(low, high, usual_low, usual_high, known.display_unit)
    quantity = context.quantity(column)
    return None if quantity is None else _of_quantity(quantity, context.unit(column))


def _of_quantity(quantity: Quantity, unit: str | None) -> Expected:
    """The range of a quantity, in the column's own unit where that is told."""
    low, high = quantity.min, quantity.max
    usual_low = low if quantity.usual_min is None else quantity.usual_min
    usual_high = high if quantity.usual_max is None else quantity.usual_max
    ends = np.array([low, high, usual_low, usual_high])
    meant = quantity.unit
    if unit is not None and meant is not None and compatible(unit, meant):
        ends, meant = convert(ends, meant, unit), unit
    low, high, usual_low, usual_high = map(float, ends)
    return Expected(low, high, usual_low, usual_high, said(meant), quantity.live_min)


def swapped_columns(context: Context) -> list[Finding]:
    """Two columns of which neither fits its own name and both fit the other's."""
    seen: dict[str, tuple[Values, Expected]] = {}
    for column in context.measured:
        wanted = expected(context, column)
        values = values_of(context.numbers[column])
        if wanted is None or values is None or column in context.explained:
            continue
        seen[column] = values, wanted
    odd = {c for c, (values, wanted) in seen.items() if not wanted.usual(values)}
    wrong = {c for c in odd if not seen[c][1].plausible(seen[c][0])}
    found: list[tuple[str, str]] = []
    taken: set[str] = set()
    pairs = [
        (one, other)
        for one in wrong
        for other in odd
        if other != one and _fit_exchanged(seen, one, other)
    ]
    place = context.columns.index
    pairs.sort(key=lambda p: (-_kinship(context, *p), place(p[0]), place(p[1])))
    for one, other in pairs:
        if not {one, other} & taken:
            taken |= {one, other}
            found.append((one, other))
    # One of the two may fit both names. Then only a neighbour is believed, when it is
    # known where both mostly run and no other column would do as well.
    for one in sorted(wrong - taken, key=context.columns.index):
        partners = [
            c
            for c in seen
            if c != one and _fit_exchanged(seen, one, c) and _narrow(seen, one, c)
        ]
        near = [c for c in partners if _apart(context, one, c) == 1]
        if len(partners) == 1 and near and near[0] not in taken:
            taken |= {one, near[0]}
            found.append((one, near[0]))
    if not found:
        return []
    found.sort(key=lambda p: context.columns.index(p[0]))
    context.explained |= taken
    said = [
        f"{_range(context, one, seen[one][0])} ↔ {_range(context, other, seen[other][0])}"
        for one, other in found
    ]
    names = [n for pair in found for n in context.names(*pair)]
    detail: Text = list_of(said)
    return [
        finding(
            "swapped-columns",
            columns=names,
            count=2 * len(found),
            examples=said,
            detail=detail,
        )
    ]


def _fit_exchanged(
    seen: dict[str, tuple[Values, Expected]], one: str, other: str
) -> bool:
    """Whether the values of each fit the name of the other."""
    values_one, wanted_one = seen[one]
    values_other, wanted_other = seen[other]
    # two columns of one expectation cannot be told apart by it
    return (
        wanted_one != wanted_other
        and wanted_other.usual(values_one)
        and wanted_one.usual(values_other)
    )


def _narrow(seen: dict[str, tuple[Values, Expected]], *columns: str) -> bool:
    return all(seen[c][1].narrow for c in columns)


def _apart(context: Context, one: str, other: str) -> int:
    return abs(context.columns.index(one) - context.columns.index(other))


def _kinship(context: Context, one: str, other: str) -> float:
    """Swaps happen between neighbours: the same axis, station or number."""
    a, b = take_apart(one), take_apart(other)
    same_place = a.letters == b.letters and a.numbers == b.numbers
    return 2.0 * same_place + 1.0 / (1 + _apart(context, one, other))


def _range(context: Context, column: str, values: Values) -> str:
    low, high = number_text(values.low), number_text(values.high)
    return f"{context.shown(column)} ({low} ~ {high})"


def implausible_values(context: Context) -> list[Finding]:
    """Values outside what a standard column or a quantity can be."""
    findings = []
    for column in context.measured:
        wanted = expected(context, column)
        if wanted is None or column in context.explained:
            continue
        number = context.numbers[column]
        if column in context.standard:
            outside = (number < wanted.low) | (number > wanted.high)
        else:
            outside = _against_quantity(context, column, wanted, number)
        count = int(outside.sum())
        if not count:
            continue
        quantity = context.quantity(column)
        findings.append(
            finding(
                "implausible-values",
                columns=context.names(column),
                count=count,
                examples=[number_text(v) for v in np.unique(number[outside])[:5]],
                variant="quantity" if quantity else None,
                column=context.shown(column),
                low=number_text(wanted.low),
                high=number_text(wanted.high),
                unit=f" {wanted.unit}" if wanted.unit else "",
                quantity=quantity.label if quantity else "",
            )
        )
    return findings


def _against_quantity(
    context: Context, column: str, wanted: Expected, number: np.ndarray
) -> np.ndarray:
    """A name alone is a weak clue: doubt a column only when most of it is off."""
    seen = values_of(number)
    if seen is None or wanted.plausible(seen) or profile(context.frame[column]).silent:
        return np.zeros(len(number), dtype=bool)
    return (number < wanted.low) | (number > wanted.high)
