"""Dates that cannot be right, and the last record of a day under the wrong date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.stamps import Stamps
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.mending import mended_dates
from kamp_lib.datasets.types import Finding


def implausible_dates(stamps: Stamps) -> list[Finding]:
    """Stamps before 1990, in the future, or years away from the rows around them."""
    places = np.flatnonzero(stamps.wrong)
    if not len(places):
        return []
    years = stamps.times.iloc[places].dt.year
    right = stamps.times[~stamps.wrong]
    mendable = len(right) > 0 and mended_dates(stamps.times) is not None
    return [
        finding(
            "implausible-dates",
            variant="safe" if mendable else None,
            columns=stamps.names(),
            count=len(places),
            examples=stamps.said(places[:3]),
            column=stamps.shown(),
            years="~".join(dict.fromkeys([str(years.min()), str(years.max())])),
            span=_span(right),
        )
    ]


def _span(times: pd.Series) -> str:
    if times.empty:
        return "-"
    return " ~ ".join(dict.fromkeys(str(t.date()) for t in (times.min(), times.max())))


def day_end_midnights(stamps: Stamps) -> list[Finding]:
    """A day's 00:00 that stands at its end."""
    places = np.flatnonzero(stamps.ends)
    if not len(places):
        return []
    return [
        finding(
            "day-end-midnight",
            columns=stamps.names(),
            count=len(places),
            examples=stamps.said(places[:2]),
            column=stamps.shown(),
        )
    ]
