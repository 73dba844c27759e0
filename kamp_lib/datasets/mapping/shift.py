"""Is the header shifted against the columns? Names moved by k places over a tail.

A vendor's header with one name too few gives every later column its neighbour's name.
Each column's values are held against its own name and against the name k places away;
only when own names are contradicted several times, and the moved ones hardly ever, is
the header called shifted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from kamp_lib.datasets.mapping.evidence import (
    CONTRADICTION,
    Profile,
    evidence,
    quantity_evidence,
    quantity_of,
)
from kamp_lib.datasets.mapping.known import KnownNames
from kamp_lib.datasets.mapping.names import take_apart

MOST_PLACES = 3
# Moving the names must take away at least so many contradictions, may cause new ones for
# at most this share of them, and must win so much evidence over the whole tail.
FEWEST_MENDED = 3
SHARE_CAUSED = 0.25
# and more than pairs that have changed places must speak for it (see `_exchanged`).
FEWEST_UNPAIRED = 2
LEAST_GAIN = 9.0
FLOOR = -3.0  # the most that one column may say against a name
WEAK = 0.5  # evidence that any text or any number in range would give


@dataclass(frozen=True)
class Shift:
    """From column `start` on, column j carries the name that belongs to j - places.

    `places` is positive when names come too late (move right), negative when early.
    """

    start: int
    places: int
    mended: int  # columns that contradict their own name, but not the moved one
    caused: int  # and the other way round

    def names(self, header: list[str], standard: KnownNames) -> list[str | None]:
        """The corrected name of every column; None where none can be known."""
        corrected: list[str | None] = list(header)
        for j in range(self.start, len(header)):
            i = j - self.places
            corrected[j] = header[i] if self.start <= i < len(header) else None
        if self.places == 1 and self.start > 0:
            halves = split_name(header[self.start - 1], header[self.start], standard)
            if halves:
                corrected[self.start - 1], corrected[self.start] = halves
        return corrected


def split_name(
    name: str, following: str, standard: KnownNames
) -> tuple[str, str] | None:
    """Two names that were run together by a lost comma: `part_name_equip_cd`.

    Plain when both halves are known, or when the second begins like the next name.
    """
    words = [w for w in re.split(r"[\W_]+", name.lower()) if w]
    halves = [
        ("_".join(words[:cut]), "_".join(words[cut:])) for cut in range(1, len(words))
    ]
    for first, second in halves:
        if standard.column(first) and standard.column(second):
            return first, second
    family = take_apart(following).words[:1]
    for first, second in halves:
        if (
            take_apart(second).words[:1] == family
            and take_apart(first).words[:1] != family
        ):
            return first, second
    return None


def find_shift(
    header: list[str],
    profiles: list[Profile],
    standard: KnownNames,
    units: list[str | None] | None = None,
) -> Shift | None:
    """The shift that explains the values best, or None when names are right as they are.

    Parameters
    ----------
    header : list of str
        Names as they stand in the file.
    profiles : list of Profile
        What each column holds, in the same order.
    standard : KnownNames
        The equipment's dictionary.
    units : list of str or None, optional
        The unit of each column's values as the file tells it beside the name, in a line
        of units or in the cells. A unit inside a name moves with the name.
    """
    told = units or [None] * len(header)
    if len(header) < FEWEST_MENDED or _looks_standardised(profiles):
        return None
    n = len(header)
    fit = np.zeros((n, n))  # fit[j, i]: values of column j under name i
    known = np.zeros(n, dtype=bool)
    for i, name in enumerate(header):
        column = standard.column(name)
        quantity = None if column else quantity_of(name)
        known[i] = column is not None or quantity is not None
        for j in range(max(0, i - MOST_PLACES), min(n, i + MOST_PLACES + 1)):
            if column is not None:
                unit = told[j] or take_apart(name).unit
                fit[j, i] = max(FLOOR, evidence(profiles[j], column, unit))
            elif quantity is not None:
                fit[j, i] = quantity_evidence(profiles[j], quantity)
    own = np.diagonal(fit)
    found: list[tuple[float, Shift]] = []
    for places in (p for p in range(-MOST_PLACES, MOST_PLACES + 1) if p):
        moved = np.array(
            [fit[j, j - places] if 0 <= j - places < n else 0.0 for j in range(n)]
        )
        # A name that nobody knows cannot be wrong: nothing is won by moving it, and only
        # plain evidence is lost by moving away from one that fits.
        target = np.array([0 <= j - places < n and known[j - places] for j in range(n)])
        lost = np.where(np.abs(own) <= WEAK, 0.0, own)
        won = np.where(target, moved - own, -lost)
        won = np.where(known, won, np.minimum(moved, 0.0))
        gain = np.round(np.cumsum(won[::-1])[::-1], 6)  # of moving from j to the end
        start = _start(header, gain, standard)
        tail = slice(start, n)
        before, after = own[tail] <= CONTRADICTION, moved[tail] <= CONTRADICTION
        mended, caused = int((before & ~after).sum()), int((after & ~before).sum())
        found.append((float(gain[start]), Shift(start, places, mended, caused)))
    if not found:
        return None
    gain_best, best = max(found, key=lambda pair: pair[0])
    plain = (
        best.mended >= FEWEST_MENDED
        and best.mended - len(_exchanged(fit)) >= FEWEST_UNPAIRED
        and best.caused <= SHARE_CAUSED * best.mended
        and gain_best >= LEAST_GAIN
    )
    return best if plain else None


def _exchanged(fit: np.ndarray) -> set[int]:
    """Columns that contradict their own names and fit those of each other, in pairs."""
    wrong = np.flatnonzero(np.diagonal(fit) <= CONTRADICTION).tolist()
    paired: set[int] = set()
    for one in wrong:
        for other in (j for j in wrong if 0 < j - one <= MOST_PLACES):
            fits = fit[one, other] > 0 and fit[other, one] > 0
            if fits and not {one, other} & paired:
                paired |= {one, other}
    return paired


def _looks_standardised(profiles: list[Profile]) -> bool:
    """Values without units, spread around 0, fit no name: they say nothing of a shift."""
    numbers = [p for p in profiles if p.kind == "number" and not p.constant]
    around = [p for p in numbers if abs(p.median) < 1 and p.low > -9 and p.high < 9]
    return len(numbers) > 0 and len(around) > 0.6 * len(numbers)


def _start(header: list[str], gain: np.ndarray, standard: KnownNames) -> int:
    """Where the shift begins: after a name run together of two, else as late as fits."""
    equal = np.flatnonzero(gain == gain.max())
    for j in equal:
        if j > 0 and split_name(header[j - 1], header[j], standard):
            return int(j)
    return int(equal[-1])
