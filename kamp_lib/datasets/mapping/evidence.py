"""What the values of a column say for or against a standard column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd

from kamp_lib.catalog import Column, Quantity, quantities, units
from kamp_lib.datasets.units import compatible, convert, to_ucum

SAMPLE = 20_000  # rows looked at; medians and kinds need no more
QUANTILES = (0.02, 0.5, 0.98)
CONTRADICTION = -2.0  # evidence at or below this speaks against the name
# A unit that is told weighs more than values: volts are no degrees, whatever they read.
OTHER_UNIT = -6.0
UNKNOWN_UNIT = -0.5
MEASURED = -6.0
ENOUGH_ROWS = 50  # to see whether a number is set or measured
SELDOM = 0.05  # a setting changes in at most this share of the rows
OFTEN = 0.5  # a measurement in at least this


@dataclass(frozen=True)
class Profile:
    """What one column holds, in a few figures."""

    kind: Literal["empty", "number", "time", "text", "flag"]
    low: float = np.nan
    median: float = np.nan
    high: float = np.nan
    whole: bool = False
    constant: bool = False
    distinct: frozenset[str] = frozenset()  # of short vocabularies only
    changes: float = np.nan  # share of rows that differ from the one before

    @property
    def silent(self) -> bool:
        """A column of nothing, or of zeros only, says nothing."""
        return self.kind == "empty" or (self.constant and self.median == 0)

    def in_unit(self, unit: str, other: str) -> Profile:
        """The same values said in another unit."""
        low, median, high = (
            convert(v, unit, other) for v in (self.low, self.median, self.high)
        )
        return replace(self, low=low, median=median, high=high)


def profile(values: pd.Series) -> Profile:
    """Look at up to 20,000 evenly spaced values of a column."""
    sample = values.iloc[:: max(1, len(values) // SAMPLE)]
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _number_profile(sample, values.iloc[:SAMPLE])
    sample = sample.dropna()
    if sample.empty:
        return Profile("empty")
    if pd.api.types.is_bool_dtype(sample):
        return Profile("flag", distinct=_vocabulary(sample))
    if pd.api.types.is_datetime64_any_dtype(sample):
        return Profile("time", constant=sample.nunique() == 1)
    return Profile("text", constant=sample.nunique() == 1, distinct=_vocabulary(sample))


def _number_profile(sample: pd.Series, first: pd.Series) -> Profile:
    number = np.sort(_finite(sample))  # faster than quantiles where columns are many
    if not len(number):
        return Profile("empty")
    low, median, high = number[[round(q * (len(number) - 1)) for q in QUANTILES]]
    return Profile(
        "number",
        float(low),
        float(median),
        float(high),
        whole=bool(np.all(number == np.round(number))),
        constant=bool(number[0] == number[-1]),
        distinct=_vocabulary(pd.Series(number)),
        changes=_changes(_finite(first)),
    )


def _finite(values: pd.Series) -> np.ndarray:
    number = values.to_numpy(dtype=float, na_value=np.nan)
    return number[np.isfinite(number)]


def _changes(number: np.ndarray) -> float:
    """The share of rows that differ from the one before."""
    if len(number) <= ENOUGH_ROWS:
        return np.nan
    return float(np.mean(number[1:] != number[:-1]))


def _vocabulary(values: pd.Series) -> frozenset[str]:
    distinct = values.unique()[:13]
    if len(distinct) > 12:
        return frozenset()
    return frozenset(_word(v) for v in distinct)


def _word(value: object) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value).strip().lower()


def evidence(seen: Profile, column: Column, unit: str | None = None) -> float:
    """How well values fit a standard column: above 0 for, below 0 against.

    -6 is the unit of something else, -3 the wrong kind of value, -2 the wrong range,
    +2 the very words of a label. `unit` is the unit as the file writes it, if it does.
    """
    if unit is not None and column.kind in ("category", "flag"):
        measured = seen.kind == "number" and to_ucum(unit) is not None
        return OTHER_UNIT if measured else _value_evidence(seen, column)
    if unit is None or column.unit is None or column.kind != "number":
        return _value_evidence(seen, column)
    code = to_ucum(unit, like=column.unit)
    if code is None:
        return _value_evidence(seen, column) + UNKNOWN_UNIT
    if not compatible(code, column.unit):
        return OTHER_UNIT
    if seen.kind == "number":
        seen = seen.in_unit(code, column.unit)
    return _value_evidence(seen, column)


def _value_evidence(seen: Profile, column: Column) -> float:
    if seen.silent:
        return 0.0
    if column.kind == "time":
        return 2.0 if seen.kind == "time" else -3.0
    if column.good or column.bad:
        known = {*column.good, *column.bad}
        if seen.distinct and len(seen.distinct & known) >= len(seen.distinct) / 2:
            return 2.0
        # a number that takes many values is measured, not judged
        return -3.0 if seen.distinct or seen.kind != "number" else MEASURED
    if column.kind == "number":
        if seen.kind in ("text", "time"):
            return -3.0
        if seen.kind == "flag":
            return -1.0
        fits = _range_evidence(seen, column)
        return fits + (_shape_evidence(seen, column) if fits > CONTRADICTION else 0.0)
    if column.kind == "flag":
        return 1.0 if seen.kind == "flag" or len(seen.distinct) in (1, 2) else -2.0
    if seen.kind == "time":
        return -3.0
    # ids and categories: words or whole numbers, hardly ever a measured fraction
    if seen.kind == "number" and not seen.whole:
        return -2.0
    return 0.5


def _range_evidence(seen: Profile, column: Column) -> float:
    low = -np.inf if column.min is None else column.min
    high = np.inf if column.max is None else column.max
    if not low <= seen.median <= high:
        return -2.0
    if column.usual_min is None and column.usual_max is None:
        return 0.5
    usual_low = low if column.usual_min is None else column.usual_min
    usual_high = high if column.usual_max is None else column.usual_max
    return 1.0 if usual_low <= seen.median <= usual_high else -0.5


def _shape_evidence(seen: Profile, column: Column) -> float:
    """Settings stay for many rows, measurements hardly ever read the same twice."""
    if np.isnan(seen.changes) or seen.constant:
        return 0.0
    if column.role == "setpoint":
        return 0.25 if seen.changes <= SELDOM else -0.25 * (seen.changes >= OFTEN)
    return -0.25 if column.role == "sensor" and seen.changes <= SELDOM else 0.0


@lru_cache(maxsize=65_536)  # every check asks again, for each of many columns
def quantity_of(name: str, unit: str | None = None) -> Quantity | None:
    """The physical quantity that a column's name, or else its unit, speaks of.

    A unit (a UCUM code) that is told overrules a name that speaks of something else.
    """
    named = (q for q in quantities() if q.matches(name))
    if unit is None:
        return next(named, None)
    fits = (q for q in named if q.unit is None or compatible(q.unit, unit))
    kind = units()[unit].of if unit in units() else None
    by_unit = (q for q in quantities() if kind is not None and q.of == kind)
    return next(fits, None) or next(by_unit, None)


def quantity_evidence(seen: Profile, quantity: Quantity) -> float:
    """How well values fit a physical quantity, for columns no catalogue names."""
    if seen.silent:
        return 0.0
    if seen.kind in ("text", "time"):
        return -3.0
    alive = abs(seen.median) >= quantity.live_min or seen.high > quantity.live_min
    return 0.5 if quantity.min <= seen.median <= quantity.max and alive else -2.0
