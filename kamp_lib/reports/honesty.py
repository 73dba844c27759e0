"""How far a result can be trusted, as counts that people understand."""

from __future__ import annotations

from dataclasses import dataclass

from kamp_lib.reports.facts import Facts
from kamp_lib.reports.worth import nearest
from kamp_lib.runs import RunRecord

# A threshold that flags this share does not tell cases apart.
ALMOST_ALL = 0.9
# Scores of a run that a page shows as "points of 100", best known first.
HEADLINE = ("average_precision", "roc_auc")


@dataclass(frozen=True)
class Found:
    """Bad cases found at the threshold, with a margin over the held-out groups."""

    positives: int
    found: int
    flagged: int
    cases: int
    expected: float
    low: float | None
    high: float | None

    @property
    def recall(self) -> float:
        return self.found / self.positives

    @property
    def flags_all(self) -> bool:
        """Nearly every case is flagged, so finding the bad ones says nothing."""
        return self.flagged >= ALMOST_ALL * self.cases

    @property
    def precision(self) -> float | None:
        return self.found / self.flagged if self.flagged else None


def found(record: RunRecord, facts: Facts) -> Found | None:
    """What was found on data the model had not seen; None without labels."""
    if not facts.labelled:
        return None
    point = facts.thresholds[nearest(facts.thresholds, record.threshold)]
    total = facts.bad_cases + facts.good_cases
    low, high = facts.margin or (None, None)
    return Found(
        positives=facts.bad_cases,
        found=point.true_alarms,
        flagged=point.flagged,
        cases=total,
        expected=point.flagged * facts.bad_cases / total,
        low=low,
        high=high,
    )


def headline(record: RunRecord) -> str | None:
    """The score that a run is judged by."""
    for name in HEADLINE:
        score = record.metrics.get(name)
        if score is not None and score.value is not None:
            return name
    return None
