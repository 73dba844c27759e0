"""Text -> times: which of the usual notations a column is written in, by evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

# What a time stamp looks like at all: digits in groups, perhaps Korean words.
LOOKS_LIKE_TIME = re.compile(
    r"\d{1,4}\s*[-/.년]\s*\d{1,2}\s*([-/.월]\s*\d{1,4}\s*[일.]?)?.*|\d{1,2}:\d{2}(:\d{2})?.*"
)
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %p %I:%M:%S", " %p %I:%M",
          " %I:%M:%S %p", " %I:%M %p")  # fmt: skip
YEAR_FIRST = ("%Y-%m-%d", "%y-%m-%d")
MONTH_FIRST = ("%m-%d-%Y", "%m-%d-%y")
DAY_FIRST = ("%d-%m-%Y", "%d-%m-%y")
ENOUGH = 0.9


@dataclass(frozen=True)
class Times:
    """Parsed times (NaT where a text is no time) and how the date was read."""

    values: pd.Series
    notation: str
    ambiguous: bool = False


def parse_times(texts: pd.Series, time_zone: str) -> Times | None:
    """The times in a column of text, or None when it is no time column.

    Works on distinct texts. Times with an offset are turned into local time of
    `time_zone`; all others are local already.
    """
    codes, uniques = pd.factorize(texts)
    distinct = pd.Series(uniques, dtype="string")
    if distinct.empty:
        return None
    sample = distinct if len(distinct) <= 500 else distinct.sample(500, random_state=0)
    if sample.str.fullmatch(LOOKS_LIKE_TIME).mean() < ENOUGH:
        return None
    found = _iso(distinct, time_zone)
    if found is None:
        plain = _plain(distinct)
        found = _iso(plain, time_zone) or _by_format(plain)
    if found is None:
        return None
    known = found.values.to_numpy().astype("datetime64[us]")
    values = np.append(known, np.datetime64("NaT"))[codes]  # code -1: missing
    return Times(pd.Series(values, texts.index), found.notation, found.ambiguous)


def _plain(texts: pd.Series) -> pd.Series:
    """Korean words and other separators in one common notation."""
    plain = texts.str.strip()
    plain = plain.str.replace("오전", "AM").str.replace("오후", "PM")
    plain = plain.str.replace(r"(\d)\s*[년월]\s*(?=\d)", r"\1-", regex=True)
    plain = plain.str.replace(r"(\d)\s*일", r"\1", regex=True)
    plain = plain.str.replace(r"(\d)\s*시\s*", r"\1:", regex=True)
    plain = plain.str.replace(r"(\d)\s*분\s*(?=\d)", r"\1:", regex=True)
    plain = plain.str.replace(r"(\d)\s*[분초]", r"\1", regex=True)
    plain = plain.str.replace(
        r"^(\d{1,4})[/.]\s*(\d{1,2})[/.]\s*(\d{1,4})\.?(?=$|\s|T)",
        r"\1-\2-\3",
        regex=True,
    )
    return plain.str.replace(r"\s+", " ", regex=True)


def _iso(texts: pd.Series, time_zone: str) -> Times | None:
    if not texts.str.match(r"\d{4}-\d{2}-\d{2}").mean() >= ENOUGH:
        return None
    if texts.str.contains(r"[AP]M", regex=True).any():
        return None
    with_offset = texts.str.contains(r":\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$", regex=True)
    if with_offset.any():
        values = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
        values = values.dt.tz_convert(time_zone).dt.tz_localize(None)
    else:
        values = pd.to_datetime(texts, format="ISO8601", errors="coerce")
    return Times(values, "iso") if values.notna().mean() >= ENOUGH else None


def _by_format(texts: pd.Series) -> Times | None:
    """Try the notations; of month-first and day-first take the one the data support."""
    fits: dict[str, pd.Series] = {}
    for kind, dates in (("ymd", YEAR_FIRST), ("mdy", MONTH_FIRST), ("dmy", DAY_FIRST)):
        for date in dates:
            values = _with_clocks(texts, date)
            if values is not None and _plausible(values):
                fits[kind] = values
                break
    if "ymd" in fits and texts.str.match(r"\d{4}-").mean() >= ENOUGH:
        return Times(fits["ymd"], "ymd")
    if not fits:
        return None
    # The reading that understands most texts; then the one that covers the shorter
    # period, since a wrong order of day and month scatters a few weeks over a year.
    best = max(fits, key=lambda k: (fits[k].notna().sum(), -_span(fits[k])))
    rivals = [
        k
        for k in fits
        if k != best and fits[k].notna().sum() == fits[best].notna().sum()
    ]
    ambiguous = any(_span(fits[k]) < 3 * _span(fits[best]) + 1 for k in rivals)
    return Times(fits[best], best, ambiguous)


def _with_clocks(texts: pd.Series, date: str) -> pd.Series | None:
    """Parse with one order of the date and any clock; None when too few fit."""
    result = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us]")
    for clock in CLOCKS:
        open_ = result.isna()
        if not open_.any():
            break
        parsed = pd.to_datetime(texts[open_], format=date + clock, errors="coerce")
        result[open_] = parsed.astype("datetime64[us]")
    return result if result.notna().mean() >= ENOUGH else None


def _plausible(values: pd.Series) -> bool:
    years = values.dropna().dt.year
    return bool(years.between(1970, 2100).mean() >= ENOUGH)


def _span(values: pd.Series) -> float:
    # Without the odd date that a broken clock wrote.
    known = values.dropna()
    seconds = known.to_numpy().astype("datetime64[s]").astype("int64")
    low, high = np.quantile(seconds, [0.02, 0.98])
    return float(high - low)
