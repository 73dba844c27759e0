"""How far a result can be trusted, as counts that people understand."""

from __future__ import annotations

from dataclasses import dataclass

from kamp_lib.reports.facts import Facts
from kamp_lib.reports.worth import nearest
from kamp_lib.runs import RunRecord

# Scores of a run that a page shows as "points of 100", best known first.
HEADLINE = ("average_precision", "roc_auc")
DRAWS = 2000


@dataclass(frozen=True)
class Found:
    """Bad cases found at the threshold, with a margin over the held-out groups."""

    positives: int
    found: int
    flagged: int
    expected: float
    low: float | None
    high: float | None

    @property
    def recall(self) -> float:
        return self.found / self.positives

    @property
    def precision(self) -> float | None:
        return self.found / self.flagged if self.flagged else None


def found(record: RunRecord, facts: Facts) -> Found | None:
    """What was found on data the model had not seen; None without labels."""
    if not facts.labelled:
        return None
    point = facts.thresholds[nearest(facts.thresholds, record.threshold)]
    total = facts.bad_cases + facts.good_cases
    low, high = _margin(record, facts)
    return Found(
        positives=facts.bad_cases,
        found=point.true_alarms,
        flagged=point.flagged,
        expected=point.flagged * facts.bad_cases / total,
        low=low,
        high=high,
    )


def _margin(record: RunRecord, facts: Facts) -> tuple[float | None, float | None]:
    """95 % interval of the share found: the run's own, else bootstrapped over groups."""
    own = record.metrics.get("recall")
    if own is not None and own.low is not None:
        return own.low, own.high
    groups = [g for g in facts.groups if g.positives and g.missed is not None]
    if len(groups) < 3:
        return None, None
    import numpy as np

    positives = np.array([g.positives for g in groups])
    hits = positives - np.array([g.missed for g in groups])
    drawn = np.random.default_rng(0).integers(len(groups), size=(DRAWS, len(groups)))
    shares = hits[drawn].sum(axis=1) / positives[drawn].sum(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def headline(record: RunRecord) -> str | None:
    """The score that a run is judged by."""
    for name in HEADLINE:
        score = record.metrics.get(name)
        if score is not None and score.value is not None:
            return name
    return None
