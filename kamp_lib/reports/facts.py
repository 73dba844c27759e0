"""What a page shows, drawn once from a bundle's tables and kept as `page.json`.

The run writes it, so that opening a page reads a few kilobytes of JSON and loads
neither pandas nor a table reader. Everything in it comes from `run.json` and the
tables of the same bundle.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from kamp_lib.errors import KampError
from kamp_lib.runs import Bundle, RunRecord

if TYPE_CHECKING:
    import pandas as pd

PAGE = "page.json"
# What a page lists; the Excel export holds all.
MOST_CASES = 50
MOST_POINTS = 400
# resamples of the held-out groups
DRAWS = 2000


class Point(BaseModel):
    """What one threshold does to the labelled cases."""

    threshold: float
    flagged: int
    missed: int
    false_alarms: int
    true_alarms: int


class Cause(BaseModel):
    column: str
    ko: str
    en: str
    unit: str | None = None
    share: float | None = None
    direction: str = "either"
    usual_low: float | None = None
    usual_high: float | None = None
    bad_median: float | None = None
    controllable: bool = False
    sentence_ko: str = ""
    sentence_en: str = ""


class Range(BaseModel):
    """One model input: where it has been, and where good cases mostly were."""

    column: str
    ko: str
    en: str
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    min: float | None = None
    max: float | None = None
    typical: float | str | None = None
    step: float | None = None
    controllable: bool = False


class Case(BaseModel):
    case: str
    time: datetime | None = None
    group: str | None = None
    label: int | None = None
    score: float
    reason_ko: str = ""
    reason_en: str = ""
    image: str | None = None
    heatmap: str | None = None


class Group(BaseModel):
    group: str
    cases: int
    positives: int = 0  # unknown without labels
    missed: int | None = None
    false_alarms: int | None = None
    average_precision: float | None = None
    baseline: float | None = None


class Candidate(BaseModel):
    candidate: str
    ko: str
    en: str
    average_precision: float | None = None
    chosen: float = 0.0


class Bin(BaseModel):
    predicted: float
    observed: float
    low: float | None = None
    high: float | None = None
    count: int = 0


class Chart(BaseModel):
    """One control chart, thinned out to what a figure can show."""

    statistic: str
    values: list[float]
    limit: float | None = None
    total: int
    out: int


class Facts(BaseModel):
    """Everything a decision page shows beside its `run.json`."""

    good_cases: int = 0
    bad_cases: int = 0
    flagged: int = 0
    thresholds: list[Point] = []
    causes: list[Cause] = []
    ranges: list[Range] = []
    cases: list[Case] = []
    groups: list[Group] = []
    candidates: list[Candidate] = []
    calibration: list[Bin] = []
    charts: list[Chart] = []
    margin: tuple[float, float] | None = None

    @property
    def labelled(self) -> bool:
        return bool(self.thresholds) and self.bad_cases > 0


def facts_of(bundle: Bundle) -> Facts:
    """The kept facts of a bundle, or, where a run kept none, drawn from its tables."""
    file = bundle.path / PAGE
    kept = file.is_file()
    try:
        if kept:
            return Facts.model_validate_json(file.read_bytes())
        return draw_facts(bundle)
    # tables may come from anywhere: columns that lack, values of another kind
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        place = file if kept else bundle.path / "tables"
        raise KampError(
            f"페이지 내용을 읽을 수 없습니다: {place}. 분석을 다시 실행하세요.",
            f"cannot read what the page shows: {place}. Run the analysis again.",
        ) from error


def draw_facts(bundle: Bundle) -> Facts:
    """Read the tables of a bundle; a failed run has none."""
    record = bundle.record
    if record.status == "failed":
        return Facts()
    cases = bundle.table("cases")
    labels = cases["label"].dropna() if "label" in cases else ()
    bad = int(cases["label"].sum()) if len(labels) else 0
    # of a million cases the page lists fifty: the others need no order
    shown = cases.nlargest(MOST_CASES, "score") if len(cases) else cases
    flagged = 0
    if len(cases) and record.threshold is not None:
        flagged = int((cases["score"] >= record.threshold).sum())
    groups = _rows(bundle.table("groups"), Group)
    return Facts(
        good_cases=len(labels) - bad,
        bad_cases=bad,
        flagged=flagged,
        thresholds=_counted(bundle.table("thresholds")),
        causes=_rows(bundle.table("causes"), Cause),
        ranges=_rows(bundle.table("ranges"), Range),
        cases=_rows(shown, Case),
        groups=groups,
        margin=margin(record, groups),
        candidates=_candidates(bundle.table("candidates")),
        calibration=_rows(bundle.table("calibration"), Bin, by="predicted"),
        charts=_charts(bundle.table("control_chart")),
    )


def margin(record: RunRecord, groups: list[Group]) -> tuple[float, float] | None:
    """95 % interval of the share found: the run's own, else bootstrapped over groups."""
    own = record.metrics.get("recall")
    if own is not None and own.low is not None and own.high is not None:
        return own.low, own.high
    groups = [g for g in groups if g.positives and g.missed is not None]
    if len(groups) < 3:
        return None
    import numpy as np

    positives = np.array([g.positives for g in groups])
    hits = positives - np.array([g.missed for g in groups])
    random = np.random.default_rng(0)
    shares = []
    for some in (DRAWS // 10,) * 10:  # not all resamples of thousands of lots at once
        drawn = random.integers(len(groups), size=(some, len(groups)))
        shares.append(hits[drawn].sum(axis=1) / positives[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(shares), [0.025, 0.975])
    return float(low), float(high)


def _rows(frame: pd.DataFrame, kind: type[Any], by: str | None = None) -> list[Any]:
    """Rows of a table as `kind`; columns it does not know are left out."""
    if by is not None and len(frame):
        frame = frame.sort_values(by)
    known = [c for c in frame.columns if c in kind.model_fields]
    rows = [_present(row) for row in frame[known].to_dict(orient="records")]
    # a threshold of infinity (flag nothing) is no point on a page
    return [kind(**row) for row in rows if by is None or by in row]


def _counted(thresholds: pd.DataFrame) -> list[Point]:
    """The thresholds whose misses are known: none of them without labels."""
    if "missed" not in thresholds:
        return []
    return _rows(thresholds.dropna(subset=["missed"]), Point, by="threshold")


def _present(row: dict[Any, Any]) -> dict[str, Any]:
    """Without missing values, so that each field falls back to its default."""
    return {k: v for k, v in row.items() if not _missing(v)}


def _missing(value: Any) -> bool:
    # None, NaN, NaT and pd.NA; `!=` of pd.NA is NA, so it is asked for by name
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and not math.isfinite(value)


def _candidates(frame: pd.DataFrame) -> list[Candidate]:
    if not len(frame):
        return []
    per_fold = frame[frame["group"] != "all"]
    chosen: dict[Any, Any] = (
        per_fold.groupby("candidate")["chosen"].mean().to_dict()
        if len(per_fold)
        else {}
    )
    pooled = frame[frame["group"] == "all"].copy()
    pooled["chosen"] = [float(chosen.get(c, 0.0)) for c in pooled["candidate"]]
    found = _rows(pooled, Candidate)
    return sorted(found, key=lambda c: -(c.average_precision or 0.0))


def _charts(frame: pd.DataFrame) -> list[Chart]:
    charts = []
    for statistic, part in frame.groupby("statistic", sort=False) if len(frame) else ():
        values = part["value"].astype(float)
        # the highest of each stretch: thinning must not hide a point beyond the limit
        stretch = -(-len(values) // MOST_POINTS)
        highest = values.groupby([i // stretch for i in range(len(values))]).max()
        limits = part["limit"].dropna()
        charts.append(
            Chart(
                statistic=str(statistic),
                values=[float(v) for v in highest],
                limit=float(limits.iloc[-1]) if len(limits) else None,
                total=len(part),
                out=int(part["out"].sum()),
            )
        )
    return charts
