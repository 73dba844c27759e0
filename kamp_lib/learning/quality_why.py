"""Fourth step: reasons per case and overall, and the ranges within which to try."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from kamp_lib.brief import Brief
from kamp_lib.learning.bounds import EXPLAINED, Sample, sample
from kamp_lib.learning.quality_judge import Judged
from kamp_lib.learning.reasons import Usual, case_reasons, causes_table, ranges_table
from kamp_lib.text import Text

HIGHEST = 50
# Causes are told over at least this many of the highest scores.
FEWEST_FLAGGED = 20
# Reasons of more cases than this are read by nobody.
MOST_REASONS = 5_000


@dataclass(frozen=True, repr=False)
class Explained(Brief):
    """Tables `cases`, `causes` and `ranges` of the bundle.

    `causes_from` of `flagged` cases are behind the causes.
    """

    cases: pd.DataFrame
    causes: pd.DataFrame
    ranges: pd.DataFrame
    flagged: int
    causes_from: int

    def _repr_html_(self) -> str:
        sentence = "sentence_ko" if str(Text("ko", "en")) == "ko" else "sentence_en"
        reason = sentence.replace("sentence", "reason")
        listed = "".join(
            f"<li>{escape(str(s))}</li>" for s in self.causes[sentence].head(6)
        )
        worst = self.cases.nlargest(8, "score")[["case", "group", "score", reason]]
        title = Text("원인 후보", "candidate causes")
        return f"<b>{title}</b><ol>{listed}</ol>{worst.to_html(index=False)}"


def explain(judged: Judged) -> Explained:
    """Say why, with contributions of the model that judged each case unseen."""
    contest = judged.contest
    cases, task = contest.plan.cases, contest.plan.task
    usual = Usual.of(cases)
    order = np.argsort(-contest.score, kind="stable")
    flagged = int((contest.score >= judged.threshold).sum())
    at = order[: min(max(flagged, HIGHEST), MOST_REASONS)]
    added = contest.contributions(at)
    said = case_reasons(cases, task, at, added, usual)
    reasons = pd.DataFrame(
        index=np.arange(len(cases)), columns=["ko", "en"], dtype=object
    )
    reasons.loc[at, "ko"] = [s.ko for s in said]
    reasons.loc[at, "en"] = [s.en for s in said]
    table = pd.DataFrame(
        {
            "case": cases.case,
            "time": cases.time.array,
            "group": cases.group,
            "label": pd.array(cases.label, dtype="Float64").astype("Int64"),
            "score": contest.score,
            "reason_ko": reasons["ko"].astype("string"),
            "reason_en": reasons["en"].astype("string"),
        }
    )
    table["time"] = pd.to_datetime(table["time"], utc=True)
    table["image"] = pd.Series(pd.NA, index=table.index, dtype="string")
    table["heatmap"] = pd.Series(pd.NA, index=table.index, dtype="string")
    behind = order[: max(flagged, FEWEST_FLAGGED)]
    some = sample(cases.label[behind], EXPLAINED, task.seed)
    causes = _causes(judged, behind, some, added, usual)
    return Explained(
        cases=table,
        causes=causes,
        ranges=ranges_table(cases, task, contest.model.main_regime),
        flagged=flagged,
        causes_from=len(some.at),
    )


def _causes(
    judged: Judged, behind: np.ndarray, some: Sample, added: np.ndarray, usual: Usual
) -> pd.DataFrame:
    """Causes over the flagged cases, or over a sample of them: exact values are slow.

    `added` are the contributions of the first of `behind`.
    """
    contest = judged.contest
    at = behind[some.at]
    if some.weight is None:
        shown = added[: len(at)]
    else:
        shown = contest.contributions(at)
    cases, task = contest.plan.cases, contest.plan.task
    return causes_table(cases, task, at, shown, usual, weight=some.weight)
