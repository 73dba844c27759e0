"""Images that are nearly the same picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.reading.pictures import look_at_all
from kamp_lib.datasets.types import Finding
from kamp_lib.progress import silent
from kamp_lib.text import Text

ALIKE = 0.95  # correlation of the fine structure of two pictures
BLOCK = 500
AXES = 200  # on so many axes pairs are ruled out first
SAMPLE = 600  # pictures that tell the axes
ROUNDING = 0.01  # of half precision
SMOOTH = 3.0  # pixels of the small look: larger shapes are light and outline
# Every picture is compared with every other up to so many; more are cut into such lots.
MOST_AT_ONCE = 40_000
MOST_STORED = 20_000
SHOWN = 20
COMPARING = Text("이미지 비교하는 중", "comparing images")


@dataclass(frozen=True)
class Stored:
    """A picture as a row of a data set tells of it."""

    name: str
    image: str
    kind: str | None
    split: str | None


def twins_with_stored(
    new: pd.DataFrame, stored: pd.DataFrame, paths: Mapping[str, Path], kept: Path
) -> list[Finding]:
    """Twins among new pictures, and of new pictures with those stored before.

    Parameters
    ----------
    new, stored : DataFrame
        Rows of pictures; of the stored ones the newest 20,000 are looked at.
    paths : mapping
        Where the file of each new row is, by its name.
    kept : Path
        The folder of the stored pictures.
    """
    stored = stored.iloc[-MOST_STORED:]
    seen = [*_rows(stored), *_rows(new)]
    places = [kept / s.image for s in seen[: len(stored)]]
    places += [paths[s.name] for s in seen[len(stored) :]]
    looks = [
        look.picture.small if look.picture else None
        for look in look_at_all(places, silent, COMPARING)
    ]
    there = [small is not None for small in looks]
    small = [s for s in looks if s is not None]
    if len(small) < 2:
        return []
    seen = [s for s, is_there in zip(seen, there, strict=True) if is_there]
    since = sum(there[: len(stored)])
    return near_duplicates(seen, np.stack(small), since=since)


def _rows(frame: pd.DataFrame) -> list[Stored]:
    rows = frame.reindex(columns=["_file", "image", "defect_class", "split"])
    rows = rows.astype(object).where(rows.notna(), None)
    return [Stored(*row) for row in rows.itertuples(index=False, name=None)]


class Seen(Protocol):
    """What is known of a picture that may have a twin."""

    @property
    def name(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def kind(self) -> str | None: ...
    @property
    def split(self) -> str | None: ...


@dataclass
class _Pairs:
    """Pairs counted, a few kept: a standing camera makes millions."""

    seen: Sequence[Seen]
    count: int = 0
    across: dict[str, int] = field(default_factory=lambda: {"split": 0, "kind": 0})
    shown: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._codes = {
            what: pd.factorize(np.array([getattr(s, what) for s in self.seen], object))[
                0
            ]
            for what in self.across
        }

    def add(self, one: np.ndarray, other: np.ndarray) -> None:
        self.count += len(one)
        for what, codes in self._codes.items():
            known = (codes[one] >= 0) & (codes[other] >= 0)
            self.across[what] += int((known & (codes[one] != codes[other])).sum())
        for i, j in zip(one[:SHOWN], other[:SHOWN], strict=True):
            if len(self.shown) < SHOWN:
                self.shown.append(f"{self.seen[i].name} = {self.seen[j].name}")


def near_duplicates(
    seen: Sequence[Seen], small: np.ndarray, *, since: int = 0
) -> list[Finding]:
    """Pictures that occur more than once, to the byte or to the eye.

    Parameters
    ----------
    seen : sequence
        The pictures; those before `since` are stored already.
    small : ndarray of uint8, shape (n, side, side)
        Their small looks, in the same order.
    since : int, default 0
        Only pairs with a picture from here on are told.
    """
    pairs = _Pairs(seen)
    first: dict[str, int] = {}
    same = [(first.setdefault(s.image, i), i) for i, s in enumerate(seen)]
    again = np.array([p for p in same if p[0] != p[1] and p[1] >= since], dtype=int)
    if len(again):
        pairs.add(again[:, 0], again[:, 1])
    distinct = np.array(sorted(first.values()))
    later = int(np.searchsorted(distinct, since))
    for one, other in near_twins(small[distinct], since=later):
        pairs.add(distinct[one], distinct[other])
    if not pairs.count:
        return []
    return [
        finding(
            "near-duplicate-images",
            columns=["image"],
            count=pairs.count,
            examples=pairs.shown,
            across=_across(pairs.across["split"], pairs.across["kind"]),
            variant="stored" if since else None,
        )
    ]


def _across(splits: int, kinds: int) -> Text:
    """How many of the pairs do harm, as a sentence; empty when none does."""
    ko, en = [], []
    if splits:
        ko.append(f"학습·시험에 나뉜 것 {splits:,}쌍")
        en.append(f"{splits:,} on both sides of the split")
    if kinds:
        ko.append(f"판정이 서로 다른 것 {kinds:,}쌍")
        en.append(f"{kinds:,} with different labels")
    if not ko:
        return Text("", "")
    return Text(f" 그중 {', '.join(ko)}.", f" Of these, {' and '.join(en)}.")


def near_twins(
    small: np.ndarray, *, since: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of pictures whose fine structure correlates above 0.95, block by block.

    Light and large shapes are taken away, and so is what all pictures share, so that
    two different parts under one lamp are no twins. No pair is missed: most are ruled
    out on a few axes, where the distance can only be smaller than it is on all.

    Parameters
    ----------
    small : ndarray of uint8, shape (n, side, side)
    since : int, default 0
        Only pairs whose second picture stands here or later.

    Yields
    ------
    one, other : ndarray of int
        Positions, `one < other`.
    """
    for start in range(0, len(small), MOST_AT_ONCE):
        lot = small[start : start + MOST_AT_ONCE]
        if len(lot) < 2 or since >= start + len(lot):
            continue
        fine = _fine(lot)
        few = _few_axes(fine)
        for at in range(max(0, since - start) // BLOCK * BLOCK, len(lot), BLOCK):
            for before in range(0, at + 1, BLOCK):
                one, other = _alike(fine, few, before, at)
                keep = (one < other) & (other + start >= since)
                if keep.any():
                    yield one[keep] + start, other[keep] + start


def _alike(
    fine: np.ndarray, few: np.ndarray, before: int, at: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of two blocks that correlate: by the few axes first, then by all."""
    ones, others = few[before : before + BLOCK], few[at : at + BLOCK]
    lengths = (ones**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    near = lengths - 2 * ones @ others.T <= 2 * (1 - ALIKE) + ROUNDING
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    whole = fine[before + rows].astype(np.float32) @ fine[at + columns].T.astype(
        np.float32
    )
    one, other = np.nonzero(whole > ALIKE)
    return rows[one] + before, columns[other] + at


def _few_axes(fine: np.ndarray) -> np.ndarray:
    """The pictures along the axes in which a sample of them differs most."""
    step = max(1, len(fine) // SAMPLE)
    sample = fine[::step][:SAMPLE].astype(np.float32)
    size, of_sample = np.linalg.eigh((sample @ sample.T).astype(np.float64))
    real = np.flatnonzero(size > size[-1] * 1e-3)[-AXES:]
    axes = ((of_sample[:, real] / np.sqrt(size[real])).T @ sample).astype(np.float32)
    blocks = range(0, len(fine), BLOCK)
    return np.concatenate(
        [fine[at : at + BLOCK].astype(np.float32) @ axes.T for at in blocks]
    )


def _fine(small: np.ndarray) -> np.ndarray:
    """Unit vectors of the fine structure, in half precision to save memory."""
    mean = np.mean(small, axis=0, dtype=np.float64).astype(np.float32)
    fine = np.empty((len(small), mean.size), dtype=np.float16)
    mean -= gaussian_filter(mean, SMOOTH)
    for at in range(0, len(small), BLOCK):
        block = small[at : at + BLOCK].astype(np.float32)
        block -= gaussian_filter(block, (0, SMOOTH, SMOOTH))
        flat = (block - mean).reshape(len(block), -1)
        norm = np.linalg.norm(flat, axis=1, keepdims=True)
        unit = np.divide(flat, norm, out=np.zeros_like(flat), where=norm > 1e-3)
        fine[at : at + BLOCK] = unit
    return fine
