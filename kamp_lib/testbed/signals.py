"""What all simulated machines share: drifting signals, working days, spells of trouble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

# A Monday; the three weeks from here have no public holiday in Korea.
FIRST_DAY = pd.Timestamp("2026-06-08")


def wander(
    rng: np.random.Generator, n: int, *, sigma: float, memory: float
) -> np.ndarray:
    """A stationary first-order random signal.

    Parameters
    ----------
    sigma : float
        Its standard deviation, in the unit of the signal.
    memory : float
        Samples after which it has forgotten (the time constant); 0 is white noise.
    """
    if n == 0:
        return np.empty(0)
    keep = np.exp(-1.0 / memory) if memory > 0 else 0.0
    # y[t] = keep * y[t - 1] + noise[t], as an exponentially weighted mean
    noise = rng.normal(size=n) * sigma * np.sqrt(1 - keep**2) / (1 - keep)
    noise[0] = rng.normal() * sigma
    return pd.Series(noise).ewm(alpha=1 - keep, adjust=False).mean().to_numpy()


def working_days(count: int) -> pd.DatetimeIndex:
    """`count` days from the first day on, Saturdays and Sundays left out."""
    return pd.bdate_range(FIRST_DAY, periods=count)


@dataclass(frozen=True)
class Spell:
    """A stretch of records in which one mechanism works."""

    mechanism: str
    start: int
    stop: int  # first record after it
    strength: float  # 1 = as usual for this mechanism

    def shape(self, n: int) -> np.ndarray:
        """Its course over `n` records: 0 outside, rising to `strength` within a third."""
        course = np.zeros(n)
        length = self.stop - self.start
        along = np.arange(length) / max(1, length - 1)
        course[self.start : self.stop] = self.strength * np.clip(0.35 + 2 * along, 0, 1)
        return course


def spells_by_day(
    rng: np.random.Generator,
    day: np.ndarray,
    mechanisms: tuple[str, ...],
    *,
    length: tuple[int, int],
    share_of_days: float,
) -> list[Spell]:
    """One or two spells on most days, mechanisms dealt out in turn like cards.

    Every mechanism so occurs on several days: what is learnt on one day can be tried
    on another.

    Parameters
    ----------
    day : array of int, shape (n,)
        Number of the day of every record, ascending from 0.
    length : (int, int)
        Shortest and longest spell in records; cut to a third of the day.
    share_of_days : float
        Days that have any.
    """
    days = int(day.max()) + 1
    busy = np.sort(
        rng.choice(days, size=max(1, round(share_of_days * days)), replace=False)
    )
    cards: list[str] = []
    spells = []
    for which in busy:
        first, last = np.searchsorted(day, [which, which + 1])
        for half in range(2):
            if not cards:
                cards = list(rng.permutation(mechanisms))
            room = (last - first) // 2
            size = int(
                min(rng.integers(length[0], length[1] + 1), max(2, room * 2 // 3))
            )
            if room <= size or (half and rng.random() < 0.35):
                continue
            start = first + half * room + int(rng.integers(0, room - size))
            strength = float(rng.uniform(0.85, 1.3))
            spells.append(Spell(str(cards.pop()), start, start + size, strength))
    return spells


def course_of(spells: list[Spell], mechanism: str, n: int) -> np.ndarray:
    """The summed course of all spells of one mechanism."""
    courses = [s.shape(n) for s in spells if s.mechanism == mechanism]
    return np.sum(courses, axis=0) if courses else np.zeros(n)


def chance(margin: np.ndarray, *, at: float, width: float) -> np.ndarray:
    """Probability of a defect as a margin is used up: one half at `at`."""
    return 1.0 / (1.0 + np.exp(-np.clip((margin - at) / width, -60, 60)))
