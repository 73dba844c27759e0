"""Which column is which standard column: one assignment over all columns at once.

The confidence of a pair is the likeness of the names, moved by what values and unit say:
1 is the same name with nothing against it, about 0.7 a similar name whose values fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from kamp_lib.catalog import Column
from kamp_lib.datasets.mapping.evidence import Profile, evidence
from kamp_lib.datasets.mapping.known import KnownNames
from kamp_lib.datasets.mapping.names import take_apart
from kamp_lib.datasets.units import compatible, to_ucum

POSSIBLE = 0.55  # least confidence of a pair that is worth a question
# How far values move a confidence that the name gave, per point of evidence.
VALUE_WEIGHT = 0.06
SAME_UNIT = 0.5  # evidence of the standard column's own unit
LIKE_UNIT = 0.25  # and of one that converts into it
ONLY_TIME = 0.75  # confidence of a file's only time column, whatever its name
# A name that says "actual" is hardly a setting, though all other words agree.
ACTUAL_FOR_SETPOINT = 0.35


@dataclass(frozen=True)
class Seen:
    """A column of the file: its name (corrected if shifted), values and unit."""

    source: str
    name: str | None
    profile: Profile
    unit: str | None  # as it is written
    path: str = ""  # that most names of the file begin with

    @property
    def names(self) -> list[str]:
        """The name, and what is left of it without the path."""
        whole = self.name or ""
        return [n for n in dict.fromkeys((whole, whole.removeprefix(self.path))) if n]

    def code(self, column: Column) -> str | None:
        """The UCUM code of its unit, read as one of this standard column."""
        return to_ucum(self.unit, like=column.unit) if self.unit else None


@dataclass(frozen=True)
class Pair:
    """A standard column for a column of the file, and what speaks for it."""

    column: Column
    confidence: float
    likely: float  # of the names alone; 0 = not by name
    said: str  # the known name that it is like
    values: float  # evidence of values and unit


def assign(
    seen: Sequence[Seen], free: Sequence[int], columns: Sequence[Column]
) -> dict[int, Pair]:
    """The assignment of columns at the places `free` with the greatest confidence."""
    if not free or not columns:
        return {}
    score = np.zeros((len(free), len(columns)))
    pairs: dict[tuple[int, int], Pair] = {}
    standard = KnownNames(columns)
    for row, place in enumerate(free):
        for col, (likely, said) in standard.nearest(seen[place].names).items():
            pair = _pair(seen[place], columns[col], likely, said)
            if pair.confidence >= POSSIBLE:
                pairs[row, col] = pair
                score[row, col] = pair.confidence
    _adopt_time(seen, free, columns, pairs, score)
    rows, cols = linear_sum_assignment(score, maximize=True)
    chosen = zip(rows.tolist(), cols.tolist(), strict=True)
    return {free[at[0]]: pairs[at] for at in chosen if at in pairs}


def _pair(seen: Seen, column: Column, likely: float, said: str) -> Pair:
    words = take_apart(seen.name or "").words
    if column.role == "setpoint" and "actual" in words:
        likely -= ACTUAL_FOR_SETPOINT
    values = evidence(seen.profile, column, seen.unit)
    code = seen.code(column)
    if code and column.unit and compatible(code, column.unit):
        values += SAME_UNIT if code == column.unit else LIKE_UNIT
    return Pair(column, likely + VALUE_WEIGHT * values, likely, said, values)


def _adopt_time(
    seen: Sequence[Seen],
    free: Sequence[int],
    columns: Sequence[Column],
    pairs: dict[tuple[int, int], Pair],
    score: np.ndarray,
) -> None:
    """A file's only time column is the time column, whatever its name."""
    times = [c for c, column in enumerate(columns) if column.role == "time"]
    stamped = [r for r, i in enumerate(free) if seen[i].profile.kind == "time"]
    if len(times) == 1 and len(stamped) == 1 and score[:, times[0]].max() < ONLY_TIME:
        at = (stamped[0], times[0])
        pairs[at] = Pair(columns[at[1]], ONLY_TIME, 0.0, "", 0.0)
        score[at] = ONLY_TIME


def worth(pairs: dict[int, Pair], columns: Sequence[Column], size: int) -> float:
    """How well a record kind fits: what it explains, less what it expects in vain."""
    explained = sum(min(1.0, pair.confidence) for pair in pairs.values())
    return explained - 0.2 * (len(columns) - len(pairs)) / max(1, size)
