"""Setpoint and actual value of one quantity under each other's name."""

from __future__ import annotations

import numpy as np

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.stretches import sampled
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.mapping.names import take_apart
from kamp_lib.datasets.types import Finding

SET_WORDS = frozenset(
    {"setpoint", "sv", "sp", "command", "commanded", "target", "reference"}
    | {"설정", "설정값", "지령", "지령값", "목표", "목표값", "기준", "기준값"}
)
ACTUAL_WORDS = frozenset(
    {"actual", "pv", "measured", "feedback", "current", "real", "mv"}
    | {"실측", "실측값", "실제", "실제값", "측정", "측정값", "현재", "현재값"}
)
KOREAN = sorted((SET_WORDS | ACTUAL_WORDS), key=len, reverse=True)
FEWEST_ROWS = 50
CHANGES_OFTEN = 0.5  # of the rows: a measurement
CHANGES_SELDOM = 0.05  # of the rows: a setting
NEAR = 0.1  # of the level, between a setting and what is measured


def setpoint_actual_swapped(context: Context) -> list[Finding]:
    """The "actual" value stands still at each setting while the "setpoint" scatters."""
    swapped = [
        (setting, actual)
        for setting, actual in _pairs(context)
        if _is_swapped(context, setting, actual)
    ]
    if not swapped:
        return []
    said = [f"{context.shown(s)} ↔ {context.shown(a)}" for s, a in swapped]
    return [
        finding(
            "setpoint-actual-swapped",
            columns=context.names(*(c for pair in swapped for c in pair)),
            count=2 * len(swapped),
            examples=said,
            pairs=list_of(said),
        )
    ]


def _pairs(context: Context) -> list[tuple[str, str]]:
    """Columns of one quantity of which one is set and one is measured, by their names."""
    of_kind: dict[str, dict[str, list[str]]] = {"set": {}, "actual": {}}
    for column in context.numbers:
        kind, rest = _apart(column)
        of_kind[kind].setdefault(rest, []).append(column)
    return [
        (setting, actual)
        for rest, settings in of_kind["set"].items()
        for setting in settings
        for actual in of_kind["actual"].get(rest, [])
    ]


def _apart(column: str) -> tuple[str, str]:
    """Whether a name means a setting, and the rest of it; unmarked names are measured."""
    words = take_apart(column).words
    if SET_WORDS & set(words):
        return "set", "".join(w for w in words if w not in SET_WORDS)
    if ACTUAL_WORDS & set(words):
        return "actual", "".join(w for w in words if w not in ACTUAL_WORDS)
    joined = "".join(words)
    for mark in KOREAN:  # 사출속도설정: Korean writes both in one
        if not mark.isascii() and joined.endswith(mark) and joined != mark:
            kind = "set" if mark in SET_WORDS else "actual"
            return kind, joined.removesuffix(mark)
    return "actual", joined


def _is_swapped(context: Context, setting: str, actual: str) -> bool:
    if len(context.frame) < FEWEST_ROWS:
        return False
    # neighbouring rows of 64 blocks tell how often a column of any length changes
    set_block = sampled(context.ordered(setting)).values
    actual_block = sampled(context.ordered(actual)).values
    if _changes(set_block) < CHANGES_OFTEN or _changes(actual_block) > CHANGES_SELDOM:
        return False
    off = np.abs(set_block - actual_block)
    level = np.nanmedian(np.abs(actual_block))
    return bool(level > 0 and np.nanmedian(off) <= NEAR * level)


def _changes(block: np.ndarray) -> float:
    before, after = block[:, :-1], block[:, 1:]
    held = np.isfinite(before) & np.isfinite(after)
    return float((before[held] != after[held]).mean()) if held.any() else 0.0
