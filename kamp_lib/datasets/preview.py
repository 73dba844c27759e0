"""The first rows as they would be stored, to look at before anything is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from kamp_lib.datasets.raw import PROVENANCE
from kamp_lib.datasets.types import FirstRows

SHOWN_ROWS = 8
LONGEST_CELL = 60


def first_rows(frame: pd.DataFrame, time_zone: str) -> FirstRows:
    """The first rows as people read them: times on the local clock, cells cut short."""
    head = frame.drop(columns=list(PROVENANCE), errors="ignore").head(SHOWN_ROWS)
    shown = [_column(head.iloc[:, place], time_zone) for place in range(head.shape[1])]
    return FirstRows(
        columns=[str(name) for name in head.columns],
        rows=[list(row) for row in zip(*shown, strict=True)],
    )


def _column(values: pd.Series, time_zone: str) -> list[str]:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert(time_zone)
    return [_cell(value) for value in values.tolist()]


def _cell(value: Any) -> str:
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)[:LONGEST_CELL]
