"""What a problem family hands over: scores, split, verdict, tables and the model.

Every family fills the same shapes, so that runs and reports need to know none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel, Field

from kamp_lib.brief import Brief
from kamp_lib.text import Text

if TYPE_CHECKING:  # a decision page reads records without loading pandas
    import numpy as np
    import pandas as pd


class Score(BaseModel):
    """A score with its interval (95 %, grouped bootstrap). None = cannot be computed."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Reason(BaseModel):
    """One reason for a verdict, with a stable code."""

    code: str
    message_ko: str
    message_en: str

    @property
    def message(self) -> Text:
        return Text(self.message_ko, self.message_en)


class Verdict(BaseModel):
    """May this be used? With the reasons, and what to collect when it may not yet."""

    value: Literal["usable", "not-usable-yet"]
    sentence: Text
    reasons: list[Reason] = Field(default_factory=list)
    collect: list[Text] = Field(default_factory=list)

    def _repr_html_(self) -> str:
        from html import escape

        said = [*(reason.message for reason in self.reasons), *self.collect]
        points = "".join(f"<li>{escape(str(point))}</li>" for point in said)
        return f"<p><b>{escape(str(self.sentence))}</b></p><ul>{points}</ul>"


class Split(BaseModel):
    """How cases were held out: never seen together, never from the future unless said."""

    kind: str = Field(description="grouped | forward | given | none")
    by: str | None = Field(description="the id or `day` that was held out")
    how: Text
    folds: int
    groups: int
    rows: int
    cases: int
    positives: int
    case: Text = Field(description="what one case is called: shot, stroke, run")


class Money(BaseModel):
    """Counts from which a page computes KRW; the prices are parameters."""

    cases_per_month: float
    cases_per_month_is_assumption: bool
    cost_missed: float
    cost_false_alarm: float
    prices_are_assumption: bool
    base_rate: float


class RiskModel(Protocol):
    """A fitted model as the page's what-if uses it; saved without pickle."""

    @property
    def columns(self) -> list[str]: ...

    def risk(self, frame: pd.DataFrame) -> np.ndarray:
        """Calibrated probability of a bad case, shape (n,)."""
        ...

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the risk of each case; same columns as `columns`."""
        ...

    def save(self, folder: Path) -> None: ...


@dataclass(repr=False)
class Outcome(Brief):
    """Everything a run keeps of an analysis.

    `tables` go to `tables/<name>.parquet`; `metrics`, `baseline`, `shuffled` and
    `forward` use scikit-learn's names. `shuffled` is what a row-shuffled split would
    have claimed: shown as a warning, never as the headline.
    """

    split: Split
    metrics: dict[str, Score]
    baseline: dict[str, Score]
    baseline_name: Text
    method: str
    method_name: Text
    verdict: Verdict
    threshold: float | None = None
    shuffled: dict[str, Score] = field(default_factory=dict)
    forward: dict[str, Score] = field(default_factory=dict)
    money: Money | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)  # figures/<name>
    model: RiskModel | None = None
    notes: dict[str, float | int | str | bool | None] = field(default_factory=dict)

    def scores(self) -> pd.DataFrame:
        """Honest, baseline, forward and shuffled figures side by side, as text."""
        import pandas as pd

        kinds = {
            Text("처음 보는 자료(정직한 성능)", "unseen groups (honest)"): self.metrics,
            Text("기준(단순) 방법", "baseline"): self.baseline,
            Text("시간 순서", "forward in time"): self.forward,
            Text("섞어서 나눔(부풀려짐)", "shuffled (flatters)"): self.shuffled,
        }
        columns = {
            str(kind): {name: _said(score) for name, score in scores.items()}
            for kind, scores in kinds.items()
            if scores
        }
        return pd.DataFrame(columns).fillna("–")

    def _repr_html_(self) -> str:
        return self.verdict._repr_html_() + self.scores().to_html()


def _said(score: Score) -> str:
    if score.value is None:
        return "–"
    if score.low is None or score.high is None:
        return f"{score.value:.3f}"
    return f"{score.value:.3f} ({score.low:.3f}–{score.high:.3f})"
