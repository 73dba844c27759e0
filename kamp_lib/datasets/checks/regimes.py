"""Levels that change in several columns at once, and whether the product explains it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import RUN_COLUMN, Context
from kamp_lib.datasets.checks.stretches import apart, sampled
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding

FEWEST_ROWS = 200
FEWEST_FOR_A_STEP = 640  # rows: in fewer, a spell of trouble is as long as a window
FEWEST_COLUMNS = 3
SHARE = 0.25  # of the columns that move
WINDOW = 8  # blocks on either side: a spell of trouble is shorter
MOST_PRODUCTS = 20
MOST_COLUMNS = 200  # enough to see that several change at once
EXPLAINED = 0.8  # of a column's variance, by the product
NO_PRODUCT = frozenset({"machine_id", "machine_code", "factory_id", RUN_COLUMN})


def product_changes(context: Context) -> list[Finding]:
    """A column of words that changes now and then, and takes several columns along."""
    if len(context.frame) < FEWEST_ROWS or context.runs is not None:
        return []
    found: dict[str, list[str]] = {}
    for product in context.columns:
        codes = _products(context, product)
        if codes is not None:
            moved = [c for c in _free(context) if _follows(context, c, codes)]
            if len(moved) >= FEWEST_COLUMNS:
                found[product] = moved
    if not found:
        return []
    # of a product, its mould and its lot, the one with the fewest kinds says it all
    product = min(found, key=lambda c: (context.distinct[c], -len(found[c])))
    moved = found[product]
    context.explained_by_product |= set(moved)
    return [
        finding(
            "product-change",
            columns=context.names(product, *moved),
            shown=[context.shown(c) for c in moved],
            count=context.distinct[product],
            examples=context.frame[product].dropna().unique()[:5],
            product=context.shown(product),
        )
    ]


def _free(context: Context) -> list[str]:
    return [c for c in context.measured if c not in context.explained]


def _products(context: Context, column: str) -> np.ndarray | None:
    """What is being made, row by row; None for a column that does not say so."""
    values = context.frame[column]
    if not pd.api.types.is_string_dtype(values) or column in NO_PRODUCT:
        return None
    if context.role(column) == "target" or not (
        2 <= context.distinct[column] <= MOST_PRODUCTS
    ):
        return None
    codes = pd.factorize(values)[0][context.order]
    often = np.count_nonzero(np.diff(codes)) > len(codes) / 50
    return None if often else codes


def _follows(context: Context, column: str, codes: np.ndarray) -> bool:
    """Whether the product tells the level of a column: 80 % of its variance."""
    block = sampled(context.ordered(column))
    values, kind = block.values.ravel(), codes[block.rows.ravel()]
    held = np.isfinite(values) & (kind >= 0)
    values, kind = values[held], kind[held]
    if not len(values) or values.var() == 0:
        return False
    size = np.bincount(kind)
    mean = np.bincount(kind, weights=values) / np.maximum(size, 1)
    return bool(np.var(values - mean[kind]) <= (1 - EXPLAINED) * values.var())


def regime_changes(context: Context) -> list[Finding]:
    """A place from which on several columns run on another level, and stay there."""
    if len(context.frame) < FEWEST_FOR_A_STEP or context.runs is not None:
        return []
    columns = [c for c in _free(context) if c not in context.explained_by_product]
    columns = columns[:MOST_COLUMNS]
    if len(columns) < FEWEST_COLUMNS:
        return []
    blocks = {c: sampled(context.ordered(c)) for c in columns}
    at, moved = _most_moved({c: b.values for c, b in blocks.items()})
    if len(moved) < max(FEWEST_COLUMNS, SHARE * len(columns)):
        return []
    first = int(blocks[moved[0]].rows[at, 0])
    return [
        finding(
            "regime-change",
            columns=context.names(*moved),
            shown=[context.shown(c) for c in moved],
            count=len(moved),
            examples=[_levels(context, c, blocks[c].rows[at, 0]) for c in moved],
            place=context.place(first),
        )
    ]


def _most_moved(blocks: dict[str, np.ndarray]) -> tuple[int, list[str]]:
    """The place between blocks at which most columns move to another level."""
    names = list(blocks)
    middles = np.array([_middles(blocks[c]) for c in names])
    noise = np.array([_noise(blocks[c]) for c in names])
    wide = min(WINDOW, middles.shape[1] // 4)
    best: tuple[int, list[str]] = (0, [])
    if wide < 2:
        return best
    for at in range(wide, middles.shape[1] - wide + 1):
        before, after = middles[:, at - wide : at], middles[:, at : at + wide]
        moved = [
            names[k]
            for k in np.flatnonzero(_stepped(before, after, noise))
            if _moved(blocks[names[k]], at, wide)
        ]
        if len(moved) > len(best[1]):
            best = at, moved
    return best


def _stepped(before: np.ndarray, after: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Columns with a step, not a slope: the blocks next to it are as far apart as all."""
    step = np.abs(before[:, -1] - after[:, 0])
    jump = np.abs(np.median(before, axis=1) - np.median(after, axis=1))
    return (step > noise) & (step >= 0.7 * jump) & (jump > 0)


def _moved(blocks: np.ndarray, at: int, wide: int) -> bool:
    return apart(blocks[at - wide : at].ravel(), blocks[at : at + wide].ravel())


def _noise(blocks: np.ndarray) -> float:
    """How far the values of one block usually lie apart: its quartiles."""
    ordered = np.sort(blocks, axis=1)
    wide = ordered[:, (3 * blocks.shape[1]) // 4] - ordered[:, blocks.shape[1] // 4]
    wide = wide[np.isfinite(wide)]
    return float(np.median(wide)) if len(wide) else 0.0


def _middles(blocks: np.ndarray) -> np.ndarray:
    """The median of each block, of its known values."""
    ordered = np.sort(blocks, axis=1)  # puts gaps last
    known = np.isfinite(ordered).sum(axis=1)
    middle: np.ndarray = ordered[np.arange(len(blocks)), np.maximum(known - 1, 0) // 2]
    return middle


def _levels(context: Context, column: str, first: int) -> str:
    values = context.ordered(column)
    before, after = np.nanmedian(values[:first]), np.nanmedian(values[first:])
    return f"{context.shown(column)}: {before:,.6g} → {after:,.6g}"
