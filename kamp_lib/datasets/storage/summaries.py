"""A column in a few figures, kept with every ingest so that history need not be re-read."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from kamp_lib.datasets.raw import PROVENANCE

LEVELS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
MOST_POINTS = 50_000  # quantiles of longer columns come from an even sample
MOST_STEPS = 1_000_000
MOST_WORDS = 50  # a column with more different words is no category
MOST_SETTINGS = 12  # different numbers of a column that somebody sets


class Summary(BaseModel):
    """One column of one ingest: how many, how spread, which words."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["number", "time", "text"]
    rows: int
    missing: int
    unit: str | None = None
    quantiles: tuple[float, ...] = ()  # numbers: at `LEVELS`
    few: bool = False  # numbers: few different ones, as settings have
    words: tuple[str, ...] = ()  # text with few different values
    step_s: float | None = None  # times: the usual distance of two records

    @property
    def filled(self) -> int:
        return self.rows - self.missing

    @property
    def median(self) -> float:
        return self.quantiles[4]


def summarise(
    frame: pd.DataFrame, units: dict[str, str] | None = None
) -> dict[str, Summary]:
    """Every data column of a frame in figures.

    Parameters
    ----------
    frame : DataFrame
        Typed columns under stored names.
    units : dict, optional
        Stored name -> unit as the file writes it.
    """
    known = units or {}
    return {
        str(name): _summary(frame[name], known.get(str(name)))
        for name in frame.columns
        if name not in PROVENANCE
    }


def _summary(values: pd.Series, unit: str | None) -> Summary:
    rows, missing = len(values), int(values.isna().sum())
    if pd.api.types.is_datetime64_any_dtype(values):
        step = _usual_step(values)
        return Summary(kind="time", rows=rows, missing=missing, step_s=step)
    if pd.api.types.is_numeric_dtype(values):
        return Summary(
            kind="number",
            rows=rows,
            missing=missing,
            unit=unit,
            quantiles=_quantiles(values),
            few=_sample(values).nunique() <= MOST_SETTINGS,
        )
    words = _words(values)
    return Summary(kind="text", rows=rows, missing=missing, words=words)


def _quantiles(values: pd.Series) -> tuple[float, ...]:
    sample = _sample(values).to_numpy(dtype=float, na_value=np.nan)
    sample = sample[np.isfinite(sample)]
    if not len(sample):
        return ()
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    ends = float(np.fmin.reduce(numbers)), float(np.fmax.reduce(numbers))
    # JSON knows no infinite number
    low, high = ends if np.isfinite(ends).all() else (sample.min(), sample.max())
    return (float(low), *np.quantile(sample, LEVELS[1:-1]).tolist(), float(high))


def _sample(values: pd.Series) -> pd.Series:
    return values.iloc[:: max(1, len(values) // MOST_POINTS)]


def _usual_step(times: pd.Series) -> float | None:
    moments = times.iloc[:MOST_STEPS].dropna().to_numpy("datetime64[us]")
    steps = np.diff(moments.astype("int64"))
    if len(steps) and steps.min() < 0:
        steps = np.diff(np.sort(moments.astype("int64")))
    steps = steps[steps > 0]
    return float(np.median(steps)) / 1e6 if len(steps) else None


def _words(values: pd.Series) -> tuple[str, ...]:
    if _sample(values).nunique() > MOST_WORDS:
        return ()
    different = pd.Series(values.unique()).dropna()
    if len(different) > MOST_WORDS:
        return ()
    return tuple(sorted(map(str, different)))
