"""Times that can be made better from the order of the rows; proposed, never done unasked.

Each function takes the times of one source (one file or machine) in the order of its
rows, changes nothing, and gives None where there is nothing that it can safely say.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

US = "datetime64[us]"
SECOND = 1_000_000
DAY = 86_400 * SECOND
GRAINS = {"day": DAY, "hour": 3600 * SECOND, "minute": 60 * SECOND, "second": SECOND}
EARLIEST = pd.Timestamp("1990-01-01")  # no machine of today has older records
BULK = 0.9  # of the rows lie in the time that a file is about
MARGIN = 30 * DAY  # beyond it a stamp is far off
STEADY = 0.95  # of the stamps have the usual number of rows


def grain_of(times: pd.Series) -> str | None:
    """The coarsest unit that all times are whole numbers of; None below seconds."""
    ticks = ticks_of(times.dropna())
    return next(
        (name for name, size in GRAINS.items() if not (ticks % size).any()), None
    )


def rebuilt_times(times: pd.Series) -> pd.Series | None:
    """Rows that share a stamp spread evenly over the time that the stamp stands for.

    Safe when the rows are in order, the stamps follow one another without leaps, and
    each holds the same number of rows; the first and last of a stretch may hold fewer.

    Examples
    --------
    >>> minutes = pd.date_range("2020-03-04", periods=3, freq="min").repeat(2)
    >>> rebuilt_times(pd.Series(minutes)).dt.second.tolist()
    [0, 30, 0, 30, 0, 30]
    """
    grain = grain_of(times)
    if grain is None or times.isna().any() or len(times) < 4:
        return None
    size, ticks = GRAINS[grain], ticks_of(times)
    starts = np.flatnonzero(np.diff(ticks, prepend=ticks[0] - 1))
    count = np.diff(starts, append=len(ticks))
    leap = np.diff(ticks[starts]) != size
    first, last = np.append(True, leap), np.append(leap, True)
    usual = _usual_count(count, first | last)
    if usual is None or (np.diff(ticks) < 0).any() or leap.mean() > 0.1:
        return None
    row = np.arange(len(ticks)) - np.repeat(starts, count)
    within = np.repeat(count, count)
    edge = np.repeat(first | last, count)
    share = np.where(edge, np.maximum(within, usual), within)
    # a stretch that begins amid a minute fills the end of that minute
    late = np.repeat(first & ~last, count) * np.maximum(0, share - within)
    return pd.Series((ticks + (row + late) * size // share).astype(US), times.index)


def _usual_count(count: np.ndarray, edge: np.ndarray) -> int | None:
    """How many rows a stamp holds, when (nearly) all hold as many."""
    inner = count[~edge]
    if len(inner) < 1:
        return None
    usual = int(np.median(inner))
    near = np.abs(inner - usual) <= max(1, usual // 10)
    if usual < 2 or near.mean() < STEADY or count.max() > usual + max(1, usual // 10):
        return None
    return usual


def moved_day_ends(times: pd.Series) -> pd.Series | None:
    """The 00:00 that ends a day but bears that day's date, moved to the next day.

    Examples
    --------
    >>> day = ["2018-01-01 23:30", "2018-01-01 23:45", "2018-01-01 00:00"]
    >>> str(moved_day_ends(pd.Series(pd.to_datetime(day))).iloc[2])
    '2018-01-02 00:00:00'
    """
    ends = day_ends(times)
    if not ends.any():
        return None
    return times.where(~ends, times + pd.Timedelta(days=1))


def day_ends(times: pd.Series) -> np.ndarray:
    """True for every 00:00 that closes the day whose date it bears."""
    ends = np.zeros(len(times), dtype=bool)
    if len(times) < 3 or times.isna().any():
        return ends
    ticks = ticks_of(times)
    step = np.diff(ticks)
    forward = step[step > 0]
    if not len(forward):
        return ends
    usual = int(np.median(forward))
    if usual > DAY // 4:
        return ends
    back = step == usual - DAY
    ends[1:] = back & (ticks[1:] % DAY == 0)
    ends[1:-1] &= ticks[2:] >= ticks[1:-1] + DAY  # the day is over
    return ends


def misplaced(times: pd.Series, now: pd.Timestamp | None = None) -> np.ndarray:
    """True where a time cannot be: before 1990, in the future, or years off amid others.

    A file is about some stretch of time, in which 90 % of its rows lie. A stamp far
    outside that also does not lie between those before and after it is a slip.
    """
    latest = (now or pd.Timestamp.now()) + pd.Timedelta(days=1)
    wrong = ((times < EARLIEST) | (times > latest)).to_numpy(dtype=bool)
    known = ticks_of(times[~wrong & times.notna().to_numpy()])
    if len(known) < 20:
        return wrong
    if (np.diff(known) < 0).any():
        known = np.sort(known)
    width = int(np.ceil(BULK * len(known)))
    lengths = known[width - 1 :] - known[: len(known) - width + 1]
    at = int(lengths.argmin())
    margin = max(int(lengths[at]), MARGIN)
    low = np.datetime64(int(known[at]) - margin, "us")
    high = np.datetime64(int(known[at + width - 1]) + margin, "us")
    far = ((times < low) | (times > high)).to_numpy(dtype=bool) & ~wrong
    if not far.any():
        return wrong
    near = times.where(~far & ~wrong)
    off = (times < near.ffill()) | (times > near.bfill())
    return wrong | (far & off.to_numpy(dtype=bool))


def mended_dates(times: pd.Series) -> pd.Series | None:
    """Misplaced stamps between two equal ones take their value.

    Examples
    --------
    >>> days = ["2020-05-26"] * 20 + ["1999-12-31", "2020-05-26", "2020-05-27"]
    >>> str(mended_dates(pd.Series(pd.to_datetime(days))).iloc[20])
    '2020-05-26 00:00:00'
    """
    wrong = misplaced(times)
    right = times.where(~wrong)
    between = wrong & (right.ffill() == right.bfill()).to_numpy(dtype=bool)
    if not between.any():
        return None
    return times.where(~between, right.ffill())


def ticks_of(times: pd.Series) -> np.ndarray:
    """Microseconds as the clock on the wall shows them."""
    wall = times.dt.tz_localize(None) if times.dt.tz is not None else times
    return wall.to_numpy().astype(US).astype(np.int64)
