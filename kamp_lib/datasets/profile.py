"""A data set in figures: what each column holds, when, how good, and whether to use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.raw import PROVENANCE
from kamp_lib.datasets.types import ORIGIN, Finding, StoredColumn
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets.storage.dataset import Dataset

BARS = 24
BUCKETS = 60
TOP_VALUES = 5
PREVIEW_ROWS = 8
MOSTLY_EMPTY = 0.5
MOST_POINTS = 200_000  # quantiles and bars of longer columns come from an even sample
GAP = 20.0  # times the usual step
USED = ("sensor", "extra")  # roles whose numbers explain something only if they move
Use = Literal["good", "care", "no"]
# With one of these a column is no input of an analysis until somebody mended it.
UNUSABLE = frozenset(
    {"dead-column", "shifted-columns", "swapped-columns", "label-in-disguise"}
    | {"frozen-sensor", "setpoint-actual-swapped", "index-column", "mixed-decimals"}
    | {"unit-change"}
)


@dataclass(frozen=True)
class Spread:
    """Where the numbers of a column lie; quantiles leave out what is not a number."""

    low: float
    q05: float
    median: float
    q95: float
    high: float
    edges: tuple[float, ...]  # of the bars; the outer bars hold what lies beyond
    bars: tuple[int, ...]


@dataclass(frozen=True)
class ColumnCard:
    """One column: what it is, what it holds, what was found, and whether to use it."""

    column: StoredColumn
    filled: float  # share of rows
    distinct: int
    spread: Spread | None  # numbers and times (as local seconds since 1970) only
    tops: tuple[tuple[str, int], ...]  # the commonest values of a text column
    findings: tuple[Finding, ...]
    use: Use
    why: Text


@dataclass(frozen=True)
class Gap:
    """A pause between two records, in local time."""

    start: pd.Timestamp
    end: pd.Timestamp


@dataclass(frozen=True)
class Timeline:
    """How many records there are over time, in equal parts from first to last."""

    column: StoredColumn
    first: pd.Timestamp
    last: pd.Timestamp
    step: pd.Timedelta  # the usual distance of two records
    counts: tuple[int, ...]
    gaps: tuple[Gap, ...]  # the longest first


@dataclass(frozen=True)
class Profile:
    """All that a data-set page shows of the rows themselves."""

    cards: tuple[ColumnCard, ...]
    timeline: Timeline | None
    preview: pd.DataFrame


def profile(dataset: Dataset, *, progress: Progress = silent) -> Profile:
    """Look at every column of a data set, one at a time.

    Parameters
    ----------
    dataset : Dataset
        The version to look at.
    progress : Progress
        Told of each column.
    """
    shown = [c for c in dataset.columns if c.name not in (*PROVENANCE, ORIGIN)]
    cards, first_rows = [], {}
    timeline = None
    for done, column in enumerate(shown):
        progress(Text("열 살펴보기", "looking at columns"), done=done, total=len(shown))
        values = dataset.arrow([column.name])[column.name]
        cards.append(_card(column, values, dataset.findings, dataset.time_zone))
        first_rows[column.name] = values.slice(0, PREVIEW_ROWS)
        if timeline is None and pa.types.is_timestamp(values.type):
            timeline = _timeline(column, values, dataset.time_zone)
    preview = pa.table(first_rows).to_pandas()
    for name in preview.columns:
        if isinstance(preview[name].dtype, pd.DatetimeTZDtype):
            preview[name] = preview[name].dt.tz_convert(dataset.time_zone)
    return Profile(tuple(cards), timeline, preview)


def _card(
    column: StoredColumn,
    values: pa.ChunkedArray,
    findings: Sequence[Finding],
    zone: str,
) -> ColumnCard:
    mine = tuple(f for f in findings if {column.name, column.source} & set(f.columns))
    filled = 1 - values.null_count / max(1, len(values))
    distinct = int(pc.count_distinct(values, mode="only_valid").as_py())
    numbers = _as_numbers(values, zone)
    constant = distinct == 1 and numbers is not None and column.role in USED
    use, why = _use(filled, constant, mine)
    return ColumnCard(
        column=column,
        filled=filled,
        distinct=distinct,
        spread=None if numbers is None else _spread(numbers),
        tops=() if numbers is not None else _tops(values),
        findings=mine,
        use=use,
        why=why,
    )


def _use(
    filled: float, constant: bool, findings: Sequence[Finding]
) -> tuple[Use, Text]:
    """Whether a column can serve as it is, and the gravest reason why not."""
    if filled == 0:
        return "no", Text("값이 하나도 없습니다.", "It holds no value at all.")
    for finding in findings:
        if finding.severity != "info" and finding.code in UNUSABLE:
            return "no", finding.message
    if constant:
        return "no", Text("값이 하나뿐입니다.", "It has a single value.")
    if filled < MOSTLY_EMPTY:
        share = f"{1 - filled:.0%}"
        return "care", Text(f"{share}가 빈칸입니다.", f"{share} of it is empty.")
    grave = [f for f in findings if f.severity != "info"]
    if grave:
        return "care", grave[0].message
    return "good", Text("", "")


def _as_numbers(values: pa.ChunkedArray, zone: str) -> np.ndarray | None:
    """The finite values as floats (times as local seconds), or None for text."""
    if pa.types.is_timestamp(values.type):
        if values.type.tz is not None:
            values = pc.local_timestamp(values.cast(pa.timestamp("us", zone)))
        values = values.cast(pa.timestamp("us")).cast(pa.int64())
        scale = 1e-6
    elif pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        scale = 1.0
    else:
        return None
    step = max(1, len(values) // MOST_POINTS)
    if step > 1:
        values = values.take(pa.array(np.arange(0, len(values), step)))
    known = values.drop_null().to_numpy().astype(float) * scale
    return known[np.isfinite(known)]


def _spread(numbers: np.ndarray) -> Spread | None:
    if not len(numbers):
        return None
    low, q05, median, q95, high = np.quantile(numbers, [0, 0.05, 0.5, 0.95, 1]).tolist()
    # a single wild value must not press all others into one bar
    reach = 3 * (q95 - q05)
    left, right = max(low, q05 - reach), min(high, q95 + reach)
    if left == right:
        left, right = left - 0.5, right + 0.5
    bars, edges = np.histogram(np.clip(numbers, left, right), BARS, (left, right))
    return Spread(
        low=low,
        q05=q05,
        median=median,
        q95=q95,
        high=high,
        edges=tuple(edges.tolist()),
        bars=tuple(bars.tolist()),
    )


def _tops(values: pa.ChunkedArray) -> tuple[tuple[str, int], ...]:
    counted = pc.value_counts(values.drop_null())
    if not len(counted):
        return ()
    counts = counted.field("counts")
    order = pc.sort_indices(counts, sort_keys=[("", "descending")])[:TOP_VALUES]
    best = counted.take(order)
    if len(counted) > TOP_VALUES and best.field("counts")[0].as_py() == 1:
        return ()  # names of records: none is commoner than another
    return tuple((str(v["values"]), int(v["counts"])) for v in best.to_pylist())


def _timeline(
    column: StoredColumn, values: pa.ChunkedArray, zone: str
) -> Timeline | None:
    stamps = values.cast(pa.timestamp("us", values.type.tz)).cast(pa.int64())
    ticks = np.sort(stamps.drop_null().to_numpy())
    if len(ticks) < 2 or ticks[0] == ticks[-1]:
        return None
    counts, _ = np.histogram(ticks, BUCKETS)
    steps = np.diff(ticks)
    usual = int(np.median(steps[steps > 0]))
    wide = np.flatnonzero(steps > GAP * usual)
    wide = wide[np.argsort(-steps[wide], kind="stable")]

    def local(tick: Any) -> pd.Timestamp:
        return pd.Timestamp(int(tick), unit="us", tz="UTC").tz_convert(zone)

    return Timeline(
        column=column,
        first=local(ticks[0]),
        last=local(ticks[-1]),
        step=pd.Timedelta(usual, unit="us"),
        counts=tuple(counts.tolist()),
        gaps=tuple(Gap(local(ticks[i]), local(ticks[i + 1])) for i in wide),
    )
