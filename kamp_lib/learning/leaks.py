"""Inputs that already know the answer: left out, told, and never scored with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.learning.cases import Cases
from kamp_lib.text import Text

# One input alone, ranked, parts bad from good at least this well.
PERFECT_AUC = 0.995
# A flag or level that only bad cases have, at least this often and this purely.
FEW = 5
PURE = 0.95
# Such a level has to be that much more frequent among bad cases than chance gives.
MAX_LEVELS = 30


def leaking_columns(cases: Cases) -> dict[str, Text]:
    """Columns that give the label away, each with how it was noticed.

    Needs both classes and at least five bad cases; with fewer, perfect separation is
    what chance looks like.
    """
    known = ~np.isnan(cases.label)
    label = cases.label[known]
    if (label == 1).sum() < FEW or (label == 0).sum() < FEW:
        return {}
    found: dict[str, Text] = {}
    for name in cases.frame:
        column = cases.frame[name][known]
        reason = _separates(column, label) or _pure_level(column, label)
        if reason is not None:
            found[str(name)] = reason
    return found


def _separates(column: pd.Series, label: np.ndarray) -> Text | None:
    if not pd.api.types.is_numeric_dtype(column):
        return None
    there = column.notna().to_numpy()
    bad = label[there] == 1
    if bad.sum() < FEW or (~bad).sum() < FEW:
        return None
    rank = column[there].rank().to_numpy()
    area = (rank[bad].mean() - (bad.sum() + 1) / 2) / (~bad).sum()
    if max(area, 1 - area) < PERFECT_AUC:
        return None
    return Text(
        "이 열 하나만으로 양불이 거의 완전히 갈립니다",
        "alone it parts bad from good almost perfectly",
    )


def _pure_level(column: pd.Series, label: np.ndarray) -> Text | None:
    """A level of a flag or category that only bad cases have."""
    if column.nunique() > MAX_LEVELS:
        return None
    share = pd.Series(label, index=column.index).groupby(column).agg(["size", "mean"])
    base = float(np.mean(label == 1))
    pure = share[(share["size"] >= FEW) & (share["mean"] >= PURE)]
    if pure.empty or base > PURE / 2:
        return None
    return Text(
        f"값이 '{pure.index[0]}'이면 거의 모두 불량입니다",
        f"where it reads {pure.index[0]!r} nearly every case is bad",
    )
