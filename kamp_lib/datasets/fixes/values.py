"""Fixes of single values: what is no measurement becomes a gap, spellings become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.ranges import expected
from kamp_lib.datasets.checks.steps import other_unit
from kamp_lib.datasets.checks.stuck import frozen_stretches
from kamp_lib.datasets.checks.words import spellings
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


def blank_frozen(context: Context, findings: Sequence[Finding]) -> Change | None:
    """The stretch over which a sensor stood still becomes a gap."""
    frozen = frozen_stretches(context)

    def wrong(column: str, number: np.ndarray, finding: Finding) -> np.ndarray:
        off = np.zeros(len(number), dtype=bool)
        rows = np.arange(len(number))[context.order]
        for first, stop in frozen.get(column, []):
            off[rows[first:stop]] = True
        return off

    return _blanked(context, findings, wrong)


def one_unit(context: Context, findings: Sequence[Finding]) -> Change | None:
    """The lesser part of a column is converted into the unit of the greater."""
    frame, touched, count = context.frame.copy(deep=False), [], 0
    for finding in findings:
        for column in named(context, finding)[:1]:
            number = frame[column].to_numpy(dtype=float, na_value=np.nan)
            part = other_unit(context, column)
            if part is None:
                continue
            conversion, limit = part
            high = (number > limit) & (number != 0)
            low = np.isfinite(number) & (number != 0) & ~high
            if high.sum() <= low.sum():
                odd, mended = high, (number - conversion.offset) / conversion.factor
            else:
                odd, mended = low, number * conversion.factor + conversion.offset
            frame[column] = pd.Series(np.where(odd, mended, number), frame.index)
            touched.append(column)
            count += int(odd.sum())
    return Change(frame, tuple(touched), count) if count else None


def one_spelling(context: Context, findings: Sequence[Finding]) -> Change | None:
    """Every word is written as it is written most."""
    frame, touched, count = context.frame.copy(deep=False), [], 0
    for finding in findings:
        for column in named(context, finding)[:1]:
            counts, several = spellings(context, column)
            usual = {word: words[0] for words in several for word in words[1:]}
            frame[column] = frame[column].replace(usual)
            touched.append(column)
            count += sum(counts[word] for word in usual)
    return Change(frame, tuple(touched), count) if count else None


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
