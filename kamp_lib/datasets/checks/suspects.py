"""Values that fit a standard column in another unit than the one it is stored in."""

from __future__ import annotations

from kamp_lib.catalog import units
from kamp_lib.datasets.checks.context import Context, number_text
from kamp_lib.datasets.checks.ranges import Expected, Values, expected, values_of
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding
from kamp_lib.datasets.units import convert, said
from kamp_lib.text import Text


def suspected_units(context: Context) -> list[Finding]:
    """Bar under a heading of MPa, °F read as °C: proposed, not converted by itself.

    Only where nobody told the unit; a told one is converted, or doubted elsewhere.
    """
    findings = []
    for column in context.measured:
        known = context.standard.get(column)
        if known is None or known.unit is None or context.unit_told(column):
            continue
        wanted = expected(context, column)
        values = values_of(context.numbers[column])
        if column in context.explained or wanted is None or values is None:
            continue
        if wanted.plausible(values):
            continue
        unit = known.unit
        others = [c for c in _rivals(unit) if _fits(values, wanted, c, unit)]
        if others:
            context.explained.add(column)
            findings.append(_said(context, column, values, others))
    return findings


def _rivals(unit: str) -> list[str]:
    """The common units of the same kind of quantity."""
    kind = units()[unit].of if unit in units() else None
    return [
        u.ucum for u in units().values() if u.common and u.of == kind and u.ucum != unit
    ]


def _fits(values: Values, wanted: Expected, code: str, unit: str) -> bool:
    """Whether nearly all values are usual ones, if they are in this unit."""
    ends = (convert(v, code, unit) for v in (values.low, values.high))
    return all(wanted.usual_low <= end <= wanted.usual_high for end in ends)


def _said(context: Context, column: str, values: Values, others: list[str]) -> Finding:
    known = context.standard[column]
    written = [said(code) for code in others]
    source = context.names(column)[0]
    return finding(
        "unit-suspected",
        columns=context.names(column),
        count=len(context.frame),
        examples=[number_text(v) for v in (values.low, values.median, values.high)],
        column=context.shown(column),
        low=number_text(values.low),
        high=number_text(values.high),
        unit=known.display_unit,
        others=Text(" 또는 ".join(written), " or ".join(written)),
        line=f"{{source: {source}, name: {column}, unit: {written[0]}}}",
    )
