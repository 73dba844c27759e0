"""Columns that carry no measurement of their own: placeholders, dead, scaled."""

from __future__ import annotations

import numpy as np

from kamp_lib.datasets.checks.context import Context, finite, number_text
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.mapping.evidence import quantity_of
from kamp_lib.datasets.types import Finding

# What loggers write when they have no value.
PLACEHOLDERS: tuple[float, ...] = (
    -99.0,
    -999.0,
    -999.9,
    -9999.0,
    -99999.0,
    999.0,
    999.9,
    9999.0,
    9999.9,
)
PLACEHOLDERS += (99999.0, 999999.0, 3276.7, 32767.0, -32768.0, 6553.5, 65535.0)
FAR = 3.0  # a placeholder lies so many spreads away from every other value


def already_standardised(context: Context) -> list[Finding]:
    """Most number columns have mean 0 and standard deviation 1: the units are gone."""
    scaled, judged = [], 0
    for column in context.measured:
        number = finite(context.numbers[column])
        if len(number) < 30 or context.distinct[column] < 5:
            continue
        judged += 1
        # gaps made after scaling move both figures a little
        if abs(number.mean()) < 0.05 and abs(number.std() - 1) < 0.12:
            scaled.append(column)
    if len(scaled) < 3 or len(scaled) < 0.6 * judged:
        return []
    # units are gone everywhere: ranges say nothing about any column of this file
    context.explained |= set(context.measured)
    return [
        finding(
            "already-standardised",
            columns=context.names(*scaled),
            shown=[context.shown(c) for c in scaled],
            count=len(scaled),
            examples=[context.shown(c) for c in scaled],
        )
    ]


def sentinel_values(context: Context) -> list[Finding]:
    """Numbers such as -999 or 65535, or 0 for a temperature, far from all others."""
    findings = []
    for column in context.numbers:
        if context.role(column) in ("id", "target", "time") or (
            context.names_records(column)
        ):
            continue
        number = context.numbers[column]
        suspects = _suspects(number)
        if (number == 0).any() and _never_zero(context, column):
            rest = number[np.isfinite(number) & ~np.isin(number, PLACEHOLDERS)]
            suspects += [0.0] if _zero_is_far(rest) else []
        for value in suspects:
            count = int((number == value).sum())
            if value == 0.0 or count < len(number):
                # cells are doubted once: as placeholders, not as implausible too
                context.numbers[column] = np.where(
                    context.numbers[column] == value, np.nan, context.numbers[column]
                )
            findings.append(
                finding(
                    "sentinel-value",
                    columns=context.names(column),
                    count=count,
                    examples=[number_text(value)],
                    column=context.shown(column),
                    value=number_text(value),
                )
            )
    return findings


def _suspects(number: np.ndarray) -> list[float]:
    """Placeholders that occur far from all other values."""
    ends = [np.fmin.reduce(number), np.fmax.reduce(number)] if len(number) else []
    if not any(np.isfinite(ends)):
        return []
    low, high = ends
    occurring = [v for v in PLACEHOLDERS if low <= v <= high and (number == v).any()]
    if not occurring:
        return []
    rest = number[np.isfinite(number) & ~np.isin(number, PLACEHOLDERS)]
    return sorted(v for v in occurring if _is_far(v, rest))


def _is_far(value: float, rest: np.ndarray) -> bool:
    if not len(rest):
        return True
    low, high = rest.min(), rest.max()
    gap = value - high if value > high else low - value
    spread = max(high - low, 1e-9, 0.05 * max(abs(low), abs(high)))
    return bool(gap > FAR * spread)


def _never_zero(context: Context, column: str) -> bool:
    """A temperature of a running machine is not 0.0, again and again."""
    known = context.standard.get(column)
    if known is not None:
        return known.unit == "Cel" and (known.min is None or known.min > 0)
    quantity = context.quantity(column)
    return quantity is not None and quantity.unit == "Cel"


def _zero_is_far(rest: np.ndarray) -> bool:
    zero = rest == 0
    warm = rest[~zero]
    if not zero.any() or len(warm) < len(rest) / 10 or not len(warm):
        return False
    low, middle = warm.min(), np.median(warm)
    # nothing between 0 and the coldest real value: not a machine warming up
    return bool(middle > 15 and low > 0.5 * middle)


def dead_columns(context: Context) -> list[Finding]:
    """Columns with one value; sensors that read 0 throughout are said apart."""
    if len(context.frame) < 10:
        return []
    zero: list[str] = []
    constant: list[str] = []
    for column, number in context.numbers.items():
        if context.distinct[column] != 1:
            continue
        known = finite(number)
        if not len(known):
            continue
        if context.role(column) in ("id", "time", "target", "context", "setpoint"):
            continue
        if context.names_records(column):
            continue
        sensor = context.role(column) == "sensor" or quantity_of(column)
        (zero if sensor and not known.any() else constant).append(column)
    findings = []
    for columns, variant in ((zero, "sensor"), (constant, None)):
        if columns:
            findings.append(
                finding(
                    "dead-column",
                    columns=context.names(*columns),
                    shown=[context.shown(c) for c in columns],
                    count=len(columns),
                    examples=[
                        f"{context.shown(c)} = {context.frame[c].dropna().iloc[0]:g}"
                        for c in columns
                    ],
                    variant=variant,
                )
            )
    return findings
