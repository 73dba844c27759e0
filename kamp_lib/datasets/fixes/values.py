"""Fixes of single values: what is no measurement becomes a gap, spellings become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.ranges import expected
from kamp_lib.datasets.fixes.change import Change, named
from kamp_lib.datasets.types import Finding

Wrong = Callable[[str, np.ndarray, Finding], np.ndarray]


def blank_placeholders(context: Context, findings: Sequence[Finding]) -> Change | None:
    """-999 and its like become gaps."""

    def wrong(column: str, number: np.ndarray, finding: Finding) -> np.ndarray:
        return np.isclose(number, float(finding.examples[0].replace(",", "")))

    return _blanked(context, findings, wrong)


def blank_implausible(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Values outside what can be become gaps."""

    def wrong(column: str, number: np.ndarray, finding: Finding) -> np.ndarray:
        wanted = expected(context, column)
        if wanted is None:
            return np.zeros(len(number), dtype=bool)
        return (number < wanted.low) | (number > wanted.high)

    return _blanked(context, findings, wrong)


def _blanked(
    context: Context, findings: Sequence[Finding], wrong: Wrong
) -> Change | None:
    frame, touched, count = context.frame.copy(deep=False), [], 0
    for finding in findings:
        for column in named(context, finding)[:1]:
            number = frame[column].to_numpy(dtype=float, na_value=np.nan)
            off = wrong(column, number, finding)
            if off.any():
                frame[column] = pd.Series(np.where(off, np.nan, number), frame.index)
                touched.append(column)
                count += int(off.sum())
    return Change(frame, tuple(dict.fromkeys(touched)), count) if count else None
