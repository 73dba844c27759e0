"""Why: contributions said with the catalogue's names and units, and what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, log10

import numpy as np
import pandas as pd

from kamp_lib.catalog import said
from kamp_lib.learning.cases import MIN_REGIME, Cases
from kamp_lib.learning.particles import particle
from kamp_lib.learning.task import Task
from kamp_lib.text import Text

USUAL = (0.05, 0.95)
EVERY = "*"
REASONS_PER_CASE = 3
# A column that adds less than this share is not worth a word.
WORTH_SAYING = 0.1
MOST_CAUSES = 12
# The bundle's table of causes; it has them without a single cause, too.
RANGE_COLUMNS = [
    "column",
    "ko",
    "en",
    "unit",
    "low",
    "high",
    "min",
    "max",
    "typical",
    "step",
    "controllable",
]
CAUSE_COLUMNS = [
    "column",
    "ko",
    "en",
    "unit",
    "share",
    "direction",
    "usual_low",
    "usual_high",
    "bad_median",
    "controllable",
    "sentence_ko",
    "sentence_en",
]
SMALLEST_CAUSE = 0.01
# Share of suspected cases beyond the other side above which no side is told, and share
# outside the usual band below which the value alone is said to be usual.
STRAY, OUTSIDE = 0.1, 0.25
# Half-widths of the usual band by which bad cases must lie off centre to have a side.
ONE_SIDED = 0.3


@dataclass(frozen=True)
class Usual:
    """Where good cases run: the middle 90 %, per product."""

    low: pd.DataFrame  # regime x column
    high: pd.DataFrame

    @classmethod
    def of(cls, cases: Cases) -> Usual:
        numbers = cases.frame.select_dtypes("number")
        good = numbers[cases.good]
        own = good.groupby(cases.regime[cases.good])
        enough = own.size() >= MIN_REGIME
        ends = []
        for end in USUAL:
            per_product = own.quantile(end)[enough]
            per_product.loc[EVERY] = good.quantile(end)
            ends.append(per_product)
        return cls(*ends)

    def band(self, column: str, regime: str) -> tuple[float, float]:
        """Low and high end; of all products when this one has too few good cases."""
        if column not in self.low:
            return float("nan"), float("nan")
        low, high = self._ends[column]
        regime = regime if regime in low else EVERY
        return low[regime], high[regime]

    @cached_property
    def _ends(self) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
        """Per column, both ends by regime: asked for with every word of every case."""
        low, high = self.low.to_dict(), self.high.to_dict()
        return {str(name): (low[name], high[name]) for name in self.low}


def unit_of(task: Task, column: str) -> str:
    """The unit as people write it."""
    return said(task.column(column).unit)


def case_reasons(
    cases: Cases, task: Task, at: np.ndarray, contributions: np.ndarray, usual: Usual
) -> list[Text]:
    """One sentence for each case in `at`.

    Parameters
    ----------
    contributions : ndarray, shape (len(at), p)
        Per column of `cases.frame`, of the model that judged the case unseen.
    """
    names = list(cases.frame)
    columns = {name: cases.frame[name].to_numpy() for name in names}
    said = []
    for position, row in zip(at, contributions, strict=True):
        total = row[row > 0].sum()
        order = np.argsort(-row, kind="stable")[: 2 * REASONS_PER_CASE]
        worth = [j for j in order if total > 0 and row[j] >= WORTH_SAYING * total]
        regime = str(cases.regime[position])
        words = [
            _word(task, names[j], columns[names[j]][position], usual, regime)
            for j in worth or order[:1]
        ]
        # what lies outside the usual band convinces; it comes first
        words.sort(key=lambda w: not w[1])
        top = [w for w, _ in words[:REASONS_PER_CASE]]
        said.append(Text(", ".join(w.ko for w in top), ", ".join(w.en for w in top)))
    return said


def causes_table(
    cases: Cases,
    task: Task,
    at: np.ndarray,
    contributions: np.ndarray,
    usual: Usual,
    *,
    weight: np.ndarray | None = None,
) -> pd.DataFrame:
    """Candidate causes over the flagged cases, strongest first.

    Parameters
    ----------
    weight : ndarray, shape (len(at),), optional
        How many flagged cases each one stands for.
    """
    positive = np.clip(contributions, 0, None)
    total = positive.sum(axis=1, keepdims=True)
    shares = np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
    share = np.zeros(cases.frame.shape[1])
    if len(shares):
        share = np.average(shares, axis=0, weights=weight)
    bad = cases.label[at] == 1
    shown = at[bad] if bad.any() else at
    rows = []
    for j in np.argsort(-share, kind="stable")[:MOST_CAUSES]:
        if share[j] >= SMALLEST_CAUSE:
            name = str(cases.frame.columns[j])
            rows.append(_cause(cases, task, name, float(share[j]), shown, usual))
    return pd.DataFrame(rows, columns=CAUSE_COLUMNS)


def ranges_table(cases: Cases, task: Task, regime: str) -> pd.DataFrame:
    """What each input may be set to in a what-if: the safe range of the main product."""
    good = cases.frame[cases.good & (cases.regime == regime)]
    good = good if len(good) else cases.frame
    everything = cases.frame[cases.regime == regime]
    rows = []
    for name in good.select_dtypes("number"):
        values = good[name].dropna()
        seen = everything[name].dropna()
        if seen.empty:
            continue
        values = values if len(values) else seen
        low, high = values.quantile(USUAL[0]), values.quantile(USUAL[1])
        rows.append(
            {
                "column": name,
                "ko": task.label(str(name)).ko,
                "en": task.label(str(name)).en,
                "unit": unit_of(task, str(name)),
                "low": float(low),
                "high": float(high),
                "min": float(seen.min()),
                "max": float(seen.max()),
                "typical": float(values.median()),
                "step": 10.0 ** -decimals(float(low), float(high)),
                "controllable": name in task.controllable,
            }
        )
    return pd.DataFrame(rows, columns=RANGE_COLUMNS)


def decimals(low: float, high: float) -> int:
    """Digits after the point that tell values of this band apart."""
    width = abs(high - low)
    if not np.isfinite(width) or width == 0:
        return 1
    return min(max(ceil(-log10(width / 4)), 0), 4)


def _telling(value: float, low: float, high: float) -> int:
    """Digits with which a value outside the band does not round into it."""
    digits = decimals(low, high)
    if low <= value <= high:
        return digits
    edge = min(abs(value - low), abs(value - high))
    while digits < 4 and edge < 0.5 * 10.0**-digits:
        digits += 1
    return digits


def shown(value: float, digits: int) -> str:
    """A number for people: thousands separators, no more digits than it carries."""
    return f"{value:,.{digits}f}"


def _word(
    task: Task, column: str, value: object, usual: Usual, regime: str
) -> tuple[Text, bool]:
    """What a column says about one case, and whether it is out of the usual band."""
    label, unit = task.label(column), unit_of(task, column)
    if not isinstance(value, (int, float, np.number)):
        return Text(f"{label.ko} {value}", f"{label.en} {value}"), False
    number = float(value)
    low, high = usual.band(column, regime)
    space = f" {unit}" if unit else ""
    if np.isnan(number):
        return Text(f"{label.ko} 값 없음", f"no value of {label.en}"), False
    if np.isnan(low):
        text = f"{shown(number, decimals(0, number))}{space}"
        return Text(f"{label.ko} {text}", f"{label.en} {text}"), False
    outside = number < low or number > high
    digits = _telling(number, low, high)
    text = f"{shown(number, digits)}{space}"
    band = f"{shown(low, digits)}–{shown(high, digits)}"
    if low == high:
        band = shown(low, digits)
    ko, en = f"{label.ko} {text} (평소 {band}", f"{label.en} {text} (usually {band}"
    if outside:
        return Text(f"{ko})", f"{en})"), True
    return Text(f"{ko}, 다른 값과의 조합)", f"{en}, in combination)"), False


def _cause(
    cases: Cases, task: Task, name: str, share: float, at: np.ndarray, usual: Usual
) -> dict[str, object]:
    label, unit = task.label(name), unit_of(task, name)
    values = cases.frame[name].iloc[at]
    row: dict[str, object] = {
        "column": name,
        "ko": label.ko,
        "en": label.en,
        "unit": unit,
        "share": share,
        "direction": "either",
        "usual_low": np.nan,
        "usual_high": np.nan,
        "bad_median": np.nan,
        "controllable": name in task.controllable,
    }
    if not pd.api.types.is_numeric_dtype(values):
        often = values.mode()
        top = str(often.iloc[0]) if len(often) else "-"
        row["sentence_ko"] = f"{label.ko} '{top}'에서 {task.bad.ko} 의심이 많았습니다."
        row["sentence_en"] = f"Suspected cases were often {label.en} {top!r}."
        return row
    regimes = pd.Series(cases.regime[at])
    regime = str(regimes.mode().iloc[0]) if len(regimes) else str(cases.regime[0])
    low, high = usual.band(name, regime)
    numbers = values[cases.regime[at] == regime].to_numpy(dtype=float)
    side = _side(numbers, low, high)
    middle = float(np.nanmedian(numbers)) if np.isfinite(numbers).any() else np.nan
    row.update(usual_low=low, usual_high=high, bad_median=middle)
    row["direction"] = "either" if side in ("both", "inside") else side
    sentence = _cause_sentence(task, label, unit, low, high, middle, side)
    row["sentence_ko"], row["sentence_en"] = sentence.ko, sentence.en
    return row


def _side(numbers: np.ndarray, low: float, high: float) -> str:
    """Where suspected cases lie: `higher`, `lower`, `both` sides, or `inside`.

    A side is told only when few suspected cases lie beyond the other one.
    """
    known = numbers[np.isfinite(numbers)]
    if not len(known) or not np.isfinite([low, high]).all():
        return "inside"
    above, below = float((known > high).mean()), float((known < low).mean())
    half = max((high - low) / 2, 1e-12)
    off = (float(np.median(known)) - (low + high) / 2) / half
    if off > ONE_SIDED and below < max(STRAY, above / 3):
        return "higher"
    if off < -ONE_SIDED and above < max(STRAY, below / 3):
        return "lower"
    return "both" if above + below > OUTSIDE else "inside"


def _cause_sentence(
    task: Task,
    label: Text,
    unit: str,
    low: float,
    high: float,
    middle: float,
    side: str,
) -> Text:
    if not np.isfinite([low, high, middle]).all():
        return Text(f"{label.ko} 값이 평소와 달랐습니다.", f"{label.en} was unusual.")
    digits = _telling(middle, low, high)
    space = f" {unit}" if unit else ""
    usual = f"{shown(low, digits)}–{shown(high, digits)}{space}"
    typical = f"{shown(middle, digits)}{space}"
    subject = particle(label.ko, "이", "가")
    suspected = f"{task.case.ko}에서 {task.bad.ko} 의심이 많았습니다"
    if side == "both":
        return Text(
            f"{subject} 평소({usual})를 높은 쪽이나 낮은 쪽으로 벗어난 {suspected}.",
            f"Suspected cases often had {label.en} outside its usual {usual}, above or"
            " below.",
        )
    if side == "inside":
        return Text(
            f"{subject} 다른 값과 어울리지 않는 {suspected}. 이 값 하나만 보면"
            f" 평소({usual}) 안입니다.",
            f"In suspected cases {label.en} often did not go with the other values; by"
            f" itself it lies within its usual {usual}.",
        )
    ko_side = {"higher": "높은", "lower": "낮은"}[side]
    beyond = middle > high or middle < low
    where_ko = (
        f"평소({usual})보다 {ko_side}" if beyond else f"평소({usual})의 {ko_side} 쪽인"
    )
    where_en = "beyond" if beyond else "at"
    return Text(
        f"{subject} {where_ko} {suspected}(의심 {task.case.ko}의 중간값 {typical}).",
        f"Suspected cases often had {label.en} {where_en} the {side} end of its usual"
        f" {usual} (their median {typical}).",
    )
