"""Text -> times: which notation a column is written in, by evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.options import DateOrder
from kamp_lib.datasets.parsing.dates import ORDERS, days
from kamp_lib.datasets.parsing.notations import LOCAL, Fields, read_dates
from kamp_lib.datasets.parsing.wording import plain

ENOUGH = 0.9
SAMPLE = 500
US = "datetime64[us]"
YEAR_LAST = r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
STRAIGHT = r"^\d{4}-\d{2}-\d{2}"
OFFSET = r":\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True)
class Times:
    """Parsed times (NaT where a text is no time), local to the plant.

    `readings` is empty when the file itself tells day and month apart; else it holds
    the column in every order that fits, for `settle_times` to decide. `style` is how
    the dates are written ("/" and a year of 2 digits), the same for one exporter.
    """

    values: pd.Series
    order: DateOrder = "ymd"
    style: str = ""
    readings: dict[DateOrder, pd.Series] = field(default_factory=dict)


def parse_times(text: pa.ChunkedArray, time_zone: str) -> Times | None:
    """The times in a column of text, or None when it is no time column.

    Times with an offset are turned into local time of `time_zone`; all others are
    local already. Works on distinct texts, unless all are plain ISO.
    """
    values = straight_times(text, time_zone)
    if values is not None:
        return Times(values)
    coded = text.combine_chunks().dictionary_encode()
    distinct = coded.dictionary
    if not len(distinct) or not _looks_like_dates(distinct):
        return None
    fields = read_dates(plain(distinct))
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)

    def spread(known: np.ndarray) -> pd.Series:
        return pd.Series(np.append(known, np.datetime64("NaT"))[codes])

    fits = _fitting(fields, time_zone)
    if not fits:
        return None
    readings = {order: spread(known) for order, known in fits.items()}
    order = next(iter(readings))
    undecided = readings if len(readings) > 1 else {}
    return Times(readings[order], order, _style(fields), undecided)


def mixes_orders(text: pd.Series) -> bool:
    """Whether a column of text holds dates, some day first and some month first."""
    known = text.dropna()
    if not len(known) or not re.match(YEAR_LAST, str(known.iloc[0])):
        return False
    distinct = pa.array(known.unique()[:SAMPLE], pa.string())
    fields = read_dates(plain(pc.utf8_slice_codeunits(distinct, 0, 80)))
    right = [~np.isnat(days(fields, order)) for order in ("dmy", "mdy")]
    return bool((right[0] | right[1]).mean() >= ENOUGH)


def straight_times(text: pa.ChunkedArray, time_zone: str) -> pd.Series | None:
    """The short way for a column of nothing but ISO times (and gaps)."""
    known = text.drop_null()
    if not len(known):
        return None
    head = known.slice(0, 20)
    if not pc.all(pc.match_substring_regex(head, STRAIGHT)).as_py():
        return None
    with_offset = pc.all(pc.match_substring_regex(head, OFFSET)).as_py()
    zone = "UTC" if with_offset else None
    for unit in ("us", "ns"):
        try:
            values = text.cast(pa.timestamp(unit, zone))
        except pa.ArrowInvalid:
            continue
        values = values.cast(pa.timestamp("us", zone), safe=False)
        if with_offset:
            local = pc.cast(values, pa.timestamp("us", time_zone))
            values = pc.local_timestamp(local)
        return pd.Series(values.to_numpy(), copy=False)
    return None


def _looks_like_dates(distinct: pa.Array) -> bool:
    """Whether a sample spread over the column reads as dates, before all of it is tried."""
    if len(distinct) > SAMPLE:
        places = np.linspace(0, len(distinct) - 1, SAMPLE).astype(np.int64)
        distinct = distinct.take(pa.array(places))
    short = pc.utf8_slice_codeunits(distinct, 0, 80)  # no time is longer
    return bool(read_dates(plain(short)).known.mean() >= ENOUGH)


def _fitting(fields: Fields, time_zone: str) -> dict[DateOrder, np.ndarray]:
    """The times in every order of the date that fits the texts, and fits best.

    One number above 12 decides between day and month: an order that understands fewer
    texts than another is out.
    """
    found: dict[DateOrder, np.ndarray] = {}
    last = (fields.digits_a != 4) & (fields.digits_c == 4)
    orders = ORDERS[1:] if last.any() and _year_is_clear(fields) else ORDERS
    for order in orders:
        times = _local(days(fields, order), fields, time_zone)
        if not any(np.array_equal(times, t, equal_nan=True) for t in found.values()):
            found[order] = times
    count = {order: int((~np.isnat(t)).sum()) for order, t in found.items()}
    most = max(count.values())
    if most < ENOUGH * len(fields.known):
        return {}
    return {o: t for o, t in found.items() if count[o] == most and _plausible(t)}


def _local(day: np.ndarray, fields: Fields, time_zone: str) -> np.ndarray:
    times = day.astype(US) + fields.clock.astype("timedelta64[us]")
    zoned = fields.offset != LOCAL
    if zoned.any():
        utc = times[zoned] - fields.offset[zoned] * np.timedelta64(60_000_000, "us")
        known = pd.Series(utc).dt.tz_localize("UTC").dt.tz_convert(time_zone)
        times[zoned] = known.dt.tz_localize(None).to_numpy().astype(US)
    return times


def _plausible(times: np.ndarray) -> bool:
    known = times[~np.isnat(times)]
    years = known.astype("datetime64[Y]").astype(np.int64) + 1970
    return bool(((years >= 1900) & (years <= 2100)).mean() >= ENOUGH)


def _year_is_clear(fields: Fields) -> bool:
    return bool(((fields.digits_a == 4) | (fields.digits_c == 4) | ~fields.known).all())


def _style(fields: Fields) -> str:
    wide = [
        (digits == 4).mean() >= 0.5 for digits in (fields.digits_a, fields.digits_c)
    ]
    year = "first" if wide[0] else "last" if wide[1] else "short"
    return "".join(sorted(fields.separators)) + year
