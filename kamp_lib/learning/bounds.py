"""How much is looked at where a part tells as much as the whole.

Scores, thresholds and counts always come from every case. What is learnt from, competed
on and explained is bounded, by seeded samples that keep the bad cases; the page says so
(`Bounds.said`). Data below the bounds are looked at whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kamp_lib.text import Text

# Cases that one fit may see; its scale, its covariance and its trees settle far earlier.
LEARNT = 100_000
# Cases on which candidates meet before one is chosen.
CHOSEN_ON = 50_000
# Cases behind the warning figure of shuffled rows.
SHUFFLED = 50_000
# Flagged cases behind the table of causes.
EXPLAINED = 2_000
# Cases whose numbers are held at once while they are scored.
AT_ONCE = 65_536


@dataclass(frozen=True)
class Sample:
    """Positions, rising, and how many cases each stands for (None: just itself)."""

    at: np.ndarray
    weight: np.ndarray | None = None


def sample(label: np.ndarray, most: int, seed: int) -> Sample:
    """At most `most` cases: the bad ones, up to half of them, and a share of the others.

    Parameters
    ----------
    label : ndarray, shape (n,)
        1 bad; everything else counts as the others.

    Examples
    --------
    >>> few = sample(np.array([0.0, 1, 0, 0, 0]), 3, seed=0)
    >>> len(few.at), 1 in few.at, few.weight.sum()
    (3, True, 5.0)
    """
    if len(label) <= most:
        return Sample(np.arange(len(label)))
    random = np.random.default_rng(seed)
    bad, others = np.flatnonzero(label == 1), np.flatnonzero(label != 1)
    kept_bad = min(len(bad), max(most // 2, most - len(others)))
    chosen, weight = [], []
    for kind, count in ((bad, kept_bad), (others, most - kept_bad)):
        chosen.append(random.choice(kind, count, replace=False))
        weight.append(np.full(count, len(kind) / max(count, 1)))
    at, standing_for = np.concatenate(chosen), np.concatenate(weight)
    order = np.argsort(at)
    return Sample(at[order], standing_for[order])


def blocks(at: np.ndarray, size: int = AT_ONCE) -> Iterator[np.ndarray]:
    """The positions, some at a time, so that memory stays small."""
    for start in range(0, len(at), size):
        yield at[start : start + size]


@dataclass(frozen=True)
class Bounds:
    """Which bounds a run met; 0 = it looked at everything."""

    learnt: int = 0
    chosen_on: int = 0
    shuffled: int = 0
    explained: int = 0

    def notes(self) -> dict[str, int]:
        """What `run.json` keeps; nothing when everything was looked at."""
        return {f"sample_{k}": v for k, v in vars(self).items() if v}

    def said(self, case: Text) -> Text:
        """A sentence for the page; empty when everything was looked at."""
        parts = [
            (self.learnt, Text("한 번에 배운", "learnt from at a time")),
            (self.chosen_on, Text("방법을 고르는 데 쓴", "used to choose the method")),
            (self.shuffled, Text("섞어 나눈 값에 쓴", "behind the shuffled figure")),
            (self.explained, Text("원인 후보를 본", "explained for the causes")),
        ]
        told = [(count, what) for count, what in parts if count]
        if not told:
            return Text("", "")
        if len(told) == 1 and self.explained:  # also said without labels
            return Text(
                f" 원인 후보는 경보가 난 {case.ko} 가운데 {self.explained:,}건을 뽑아 살펴봤습니다.",
                f" Causes come from a sample of {self.explained:,} flagged {case.en} cases.",
            )
        ko = ", ".join(f"{what.ko} {case.ko} {count:,}건" for count, what in told)
        en = ", ".join(f"{count:,} {case.en} cases {what.en}" for count, what in told)
        return Text(
            f" 자료가 커서 일부는 불량을 모두(많으면 절반까지) 담은 표본으로 계산했습니다:"
            f" {ko}. 성능과 판정 기준값은 전체에서 셌습니다.",
            f" The data are large, so some steps used samples that keep the bad cases"
            f" (up to half of the sample): {en}. Scores and threshold come from all.",
        )
