"""Inputs as numbers: categories spread out, gaps filled, each product on its own scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kamp_lib.learning.cases import MIN_REGIME

# Spreads beyond which a value says no more than "far away".
CLIP = 10.0


@dataclass(frozen=True)
class Encoder:
    """Columns -> numbers, shape (n, q); a category becomes one number per level.

    `owner[j]` is the position in `columns` that number j came from.
    """

    columns: list[str]
    levels: dict[str, list[str]]

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> Encoder:
        levels = {
            str(name): sorted(frame[name].dropna().unique())
            for name in frame
            if not pd.api.types.is_numeric_dtype(frame[name])
        }
        return cls([str(c) for c in frame], levels)

    @property
    def owner(self) -> np.ndarray:
        widths = [len(self.levels.get(c, [""])) for c in self.columns]
        return np.repeat(np.arange(len(self.columns)), widths)

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """Numbers with NaN where a value, or a whole column, is missing."""
        owner = self.owner
        encoded = np.full((len(frame), len(owner)), np.nan)
        for place, name in enumerate(self.columns):
            if name not in frame:
                continue
            at = np.flatnonzero(owner == place)
            levels = self.levels.get(name)
            if levels:
                text = frame[name].astype("string")
                there = text.notna().to_numpy()
                for j, level in zip(at, levels, strict=True):
                    same = (text == level).fillna(False).to_numpy(dtype=float)
                    encoded[there, j] = same[there]
            else:
                numbers = pd.to_numeric(frame[name], errors="coerce")
                encoded[:, at[0]] = numbers.to_numpy(dtype=float, na_value=np.nan)
        encoded[~np.isfinite(encoded)] = np.nan
        return encoded


@dataclass(frozen=True)
class Scaler:
    """Centre and spread of good cases, per product and (last row) over all."""

    regimes: list[str]
    centre: np.ndarray  # (r + 1, q)
    spread: np.ndarray  # (r + 1, q); 0 = dead, the column then says nothing

    @classmethod
    def fit(cls, x: np.ndarray, good: np.ndarray, regime: np.ndarray) -> Scaler:
        """Learn from good cases; products with few of them use all products' scale."""
        base = x[good] if good.any() else x
        own = regime[good] if good.any() else regime
        names, sizes = np.unique(own, return_counts=True)
        regimes = [str(n) for n, s in zip(names, sizes, strict=True) if s >= MIN_REGIME]
        if len(regimes) == 1 and len(names) == 1:
            regimes = []
        parts = [base[own == r] for r in regimes] + [base]
        centre = np.vstack([_mean(p, base) for p in parts])
        spread = np.vstack([_spread(p, base) for p in parts])
        return cls(regimes, centre, spread)

    def codes(self, regime: np.ndarray) -> np.ndarray:
        """Row of `centre` for each case."""
        if not self.regimes:
            return np.zeros(len(regime), dtype=int)
        found = pd.Index(self.regimes).get_indexer(pd.Index(regime))
        return np.where(found < 0, len(self.regimes), found)

    def apply(self, x: np.ndarray, regime: np.ndarray) -> np.ndarray:
        """Spreads away from the product's centre; a gap reads as typical (0)."""
        row = self.codes(regime)
        spread = self.spread[row]
        alive = spread > 0
        z = (x - self.centre[row]) / np.where(alive, spread, 1.0)
        return np.clip(np.where(alive & ~np.isnan(z), z, 0.0), -CLIP, CLIP)

    def flags(self, regime: np.ndarray) -> np.ndarray:
        """One 0/1 number per product, for models that learn how risky each one is."""
        if len(self.regimes) < 2:
            return np.zeros((len(regime), 0))
        return (self.codes(regime)[:, None] == np.arange(len(self.regimes))).astype(
            float
        )


def _mean(part: np.ndarray, base: np.ndarray) -> np.ndarray:
    own, every = _safe(np.nanmean, part), _safe(np.nanmean, base)
    return np.where(np.isnan(own), np.nan_to_num(every), own)


def _spread(part: np.ndarray, base: np.ndarray) -> np.ndarray:
    own, every = (np.nan_to_num(_safe(np.nanstd, p)) for p in (part, base))
    scale = np.abs(np.nan_to_num(_safe(np.nanmean, base)))
    # below this a "spread" is rounding of the file format
    floor = 1e-7 * (scale + 1e-12)
    every = np.where(every > floor, every, 0.0)
    return np.where(own > floor, own, every)


def _safe(function: Any, part: np.ndarray) -> np.ndarray:
    empty = np.isnan(part).all(axis=0)
    filled = np.where(empty, 0.0, part)
    return np.where(empty, np.nan, function(filled, axis=0))
