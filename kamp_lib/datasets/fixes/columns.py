"""Fixes of whole columns: exchanged, or left out (the file itself keeps them)."""

from __future__ import annotations

from collections.abc import Sequence

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.fixes.change import Change, named
from kamp_lib.datasets.types import Finding


def exchange(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Give each of a swapped pair the values of the other."""
    frame = context.frame.copy(deep=False)
    touched: list[str] = []
    for finding in findings:
        columns = named(context, finding)
        for one, other in zip(columns[::2], columns[1::2], strict=False):
            frame[one], frame[other] = frame[other], frame[one]
            touched += [one, other]
    return Change(frame, tuple(touched), len(touched)) if touched else None


def leave_out_all(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Do not store any of the columns that the findings name."""
    return _without(context, [c for f in findings for c in named(context, f)])


def leave_out_first(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Do not store the column that each finding is about."""
    return _without(context, [c for f in findings for c in named(context, f)[:1]])


def _without(context: Context, columns: Sequence[str]) -> Change | None:
    gone = [c for c in dict.fromkeys(columns) if c not in context.groups]
    if not gone or len(gone) >= len(context.columns):
        return None
    return Change(context.frame.drop(columns=gone), tuple(gone), len(gone))
