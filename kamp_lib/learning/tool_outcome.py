"""What a tool-condition run keeps: scores, verdict, tables, reasons in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.learning.calibration import calibration_table
from kamp_lib.learning.evidence import evidence_of
from kamp_lib.learning.money import money_for
from kamp_lib.learning.nested import candidates_of
from kamp_lib.learning.outcome import Outcome, Reason, Score, Split, Verdict
from kamp_lib.learning.reasons import CAUSE_COLUMNS, MOST_CAUSES, RANGE_COLUMNS
from kamp_lib.learning.scores import METRICS, base_rate, lift, score_with_interval
from kamp_lib.learning.signal_features import PLACE, Feature
from kamp_lib.learning.tables import groups_table
from kamp_lib.learning.task import Task
from kamp_lib.learning.thresholds import cheapest, threshold_table
from kamp_lib.learning.tool_cases import ToolCases
from kamp_lib.learning.tool_models import LoadIndex, SampleTrees
from kamp_lib.learning.tool_wear import NAMES, ToolJudgement, thinned_to
from kamp_lib.learning.verdict import RUN, Noun, judge
from kamp_lib.text import Text

TOOL = Noun("공구", "tool", "tools")
LINE = 0.5
TOLD = 3  # reasons in one sentence
PLACES = 0.25  # share of the reasons that absolute positions may have untold
# A reason, and what to collect because of it.
Told = tuple[Reason, Text | None]


def outcome(cases: ToolCases, judgement: ToolJudgement, task: Task) -> Outcome:
    """Everything the run keeps."""
    label, probability, groups = cases.label, judgement.probability, cases.groups
    seed = task.seed
    honest = judgement.judged is not None
    metrics: dict[str, Score] = {
        m: score_with_interval(m, label, probability, groups, seed=seed)
        if honest
        else Score(value=None)
        for m in METRICS
    }
    baseline: dict[str, Score] = dict(base_rate(label, groups, seed=seed))
    known = np.isfinite(label)
    rate = float(label[known].mean()) if known.any() else 0.0
    threshold = LINE
    if honest:
        threshold = cheapest(
            label,
            probability,
            cost_missed=task.number("cost_missed"),
            cost_false_alarm=task.number("cost_false_alarm"),
        ).threshold
    words = _Words(cases, judgement, task)
    time = pd.to_datetime(cases.frame["time"], utc=True)
    by_group = groups_table(groups, label, probability, threshold, time)
    judged = judgement.judged
    winner = judged.winner if judged else LoadIndex.id
    nothing = np.array([])
    tables = {
        "cases": words.cases(threshold, time),
        "groups": by_group,
        "candidates": candidates_of(judged, NAMES, label[known]),
        "causes": words.causes(probability >= threshold),
        "thresholds": threshold_table(label, probability, keep=threshold),
        "calibration": calibration_table(label, probability)
        if honest
        else calibration_table(nothing, nothing),
        "ranges": words.ranges(),
        "left_out": pd.DataFrame(
            [(c, t.ko, t.en) for c, t in cases.left_out.items()],
            columns=["column", "why_ko", "why_en"],
        ),
    }
    if not honest:
        tables["control_chart"] = _control_chart(tables["cases"], judgement)
    return Outcome(
        split=_split(cases, judgement, task),
        metrics=metrics,
        baseline=baseline,
        baseline_name=Text("모두 같은 확률로 봄", "the same probability for all"),
        method=winner,
        method_name=NAMES[winner],
        verdict=_verdict(cases, judgement, metrics, baseline, by_group, task),
        threshold=threshold,
        shuffled={k: Score(value=v) for k, v in judgement.shuffled.items()},
        money=money_for(task, time, cases=len(cases), base_rate=rate),
        tables=tables,
        model=judgement.model,
        notes={
            "runs": len(cases),
            "copied_runs": len(cases.copies),
            "sample_learnt": thinned_to(cases) or None,
            "contradicting_copies": len(cases.contradicting),
            "columns_left_out": ", ".join(cases.left_out) or None,
            "what_if": bool(tables["ranges"]["controllable"].any()),
        },
    )


def _verdict(
    cases: ToolCases,
    judgement: ToolJudgement,
    metrics: dict[str, Score],
    baseline: dict[str, Score],
    by_group: pd.DataFrame,
    task: Task,
) -> Verdict:
    label, groups = cases.label, cases.groups
    evidence = evidence_of(
        label,
        groups,
        by_group,
        metrics=metrics,
        baseline=baseline,
        lift=lift(label, judgement.probability, groups, seed=task.seed)
        if judgement.judged
        else None,
        case=task.case if task.model else RUN.name,
        bad=task.bad if task.model else Text("마모", "worn"),
        by=TOOL if cases.by_tool else RUN,
    )
    copies = [_contradicting(cases)] if cases.contradicting else []
    places = [_place_decides()] if _on_places(judgement) else []
    nameless = [] if cases.by_tool else [_nameless()]
    told = [*copies, *places, *nameless]
    return judge(
        evidence,
        extra=[why for why, _ in told],
        collect=[what for _, what in told if what is not None],
    )


def _contradicting(cases: ToolCases) -> Told:
    names = ", ".join(f"{k}={cases.copies[k]}" for k in cases.contradicting)
    why = Reason(
        code="contradicting-copies",
        message_ko=f"같은 가공 기록에 반대 판정이 붙어 있습니다({names})."
        " 먼저 나온 기록만 썼습니다.",
        message_en=f"the same recording carries opposite labels ({names});"
        " only the first one was used.",
    )
    what = Text(
        f"어느 판정이 맞는지 확인해 주세요: {names}",
        f"find out which label is right: {names}",
    )
    return why, what


def _on_places(judgement: ToolJudgement) -> bool:
    """Whether absolute positions have a large share in the reasons."""
    weight = np.clip(judgement.shares, 0, None).sum(axis=0)
    places = [bool(PLACE.search(str(c))) for c in judgement.inputs]
    return bool(weight[places].sum() > PLACES * weight.sum())


def _place_decides() -> Told:
    why = Reason(
        code="place-decides",
        message_ko="판단의 큰 몫이 축의 절대 위치에서 나옵니다. 위치는 치구나 공구"
        " 길이 보정을 알려 줄 뿐, 마모를 뜻하지 않을 수 있습니다.",
        message_en="much of the judgement comes from absolute axis positions, which"
        " tell the fixture or the tool's length offset rather than wear.",
    )
    return why, None


def _nameless() -> Told:
    why = Reason(
        code="no-tool-id",
        message_ko="공구 번호가 없어, 같은 공구의 회차가 학습과 평가에 함께 들어갔을"
        " 수 있습니다.",
        message_en="without a tool number, runs of one tool may stand on both"
        " sides of the split.",
    )
    what = Text(
        "공구 번호(tool_id)를 함께 적고, 서로 다른 공구 10개 이상을 새것부터 마모될"
        " 때까지 기록해 주세요.",
        "write down the tool number (tool_id), and record at least 10 different"
        " tools from new to worn.",
    )
    return why, what


def _split(cases: ToolCases, judgement: ToolJudgement, task: Task) -> Split:
    by = TOOL if cases.by_tool else RUN
    how = Text(
        f"{by.ko} 단위로 통째로 빼 두고 평가했습니다. 회차 1개를 1건으로 셉니다.",
        f"Whole {by.plural} were held out; one run is one case.",
    )
    if cases.copies:
        n = len(cases.copies)
        how = Text(
            f"{how.ko} 다른 회차의 사본인 {n}개 회차는 뺐습니다.",
            f"{how.en} {n} runs that are copies of others were left out.",
        )
    samples = thinned_to(cases)
    if samples and judgement.judged:
        how = Text(
            f"{how.ko} 센서값 하나하나를 보는 후보는 고르게 솎은 {samples:,}개로 배우고"
            " 평가했습니다. 회차의 특징은 모든 센서값에서 쟀습니다.",
            f"{how.en} The candidate that looks at single samples used {samples:,},"
            " thinned evenly; the figures of a run come from all of its samples.",
        )
    folds = int(judgement.fold.max()) + 1
    return Split(
        kind="grouped" if folds else "none",
        by="tool_id" if cases.by_tool else "run",
        how=how,
        folds=folds,
        groups=len(np.unique(cases.groups)),
        rows=cases.rows,
        cases=len(cases),
        positives=int((cases.label == 1).sum()),
        case=task.case if task.model else RUN.name,
    )


def _control_chart(table: pd.DataFrame, judgement: ToolJudgement) -> pd.DataFrame:
    value = judgement.shares.sum(axis=1)
    limit = judgement.model.calibration.centre
    chart = table[["case", "time", "group"]].copy()
    return chart.assign(statistic="Q", value=value, limit=limit, out=value > limit)


def _said(value: float) -> str:
    """A number as people write it: three digits that count, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class _Words:
    """The model's columns as people read them, and the tables that need them."""

    def __init__(self, cases: ToolCases, judgement: ToolJudgement, task: Task) -> None:
        self.frame, self.inputs = cases.frame, judgement.inputs
        self.shares, self.probability = judgement.shares, judgement.probability
        self.label = cases.label
        known = {f.name: f for f in cases.table.features}
        self.features = [
            known.get(c) or Feature(c, task.label(c), "", c)
            for c in map(str, self.inputs)
        ]
        good = self.inputs[self.label == 0]
        good = good if len(good) >= 3 else self.inputs
        self.low, self.high = good.quantile(0.05), good.quantile(0.95)
        self.typical = good.median()
        on_samples = isinstance(judgement.model.candidate, SampleTrees)
        # a slider that moves nothing is no slider
        works = np.abs(self.shares).sum(axis=0) > 1e-9
        self.controllable = [
            f.setpoint and f.name in task.controllable and bool(w) and not on_samples
            for f, w in zip(self.features, works, strict=True)
        ]

    def cases(self, threshold: float, time: pd.Series) -> pd.DataFrame:
        order = np.argsort(-self.probability, kind="stable")
        spoken = self.probability >= threshold
        spoken[order[:50]] = True
        told = [self._reason(k) if s else None for k, s in enumerate(spoken)]
        return pd.DataFrame(
            {
                "case": self.frame["case"].astype(str),
                "time": time,
                "group": self.frame["group"].astype(str),
                "label": self.label,
                "score": self.probability,
                "reason_ko": [t.ko if t else None for t in told],
                "reason_en": [t.en if t else None for t in told],
                "image": pd.array([None] * len(told), dtype="string"),
                "heatmap": pd.array([None] * len(told), dtype="string"),
            }
        )

    def _reason(self, k: int) -> Text:
        share = self.shares[k]
        top: list[int] = []
        for j in np.argsort(-share):
            # one reason per signal, however many figures of it stand out
            sources = {self.features[t].source for t in top}
            if (
                share[j] > 0
                and len(top) < TOLD
                and self.features[j].source not in sources
            ):
                top.append(int(j))
        if not top:
            return Text("평소와 다른 신호가 없습니다", "no signal differs from usual")
        parts = []
        for j in top:
            f, value = self.features[j], float(self.inputs.to_numpy()[k, j])
            unit = f" {f.unit}" if f.unit else ""
            usual = f"{_said(self.low.iloc[j])}–{_said(self.high.iloc[j])}"
            parts.append(
                Text(
                    f"{f.label.ko} {_said(value)}{unit} (평소 {usual})",
                    f"{f.label.en} {_said(value)}{unit} (usually {usual})",
                )
            )
        return Text("; ".join(p.ko for p in parts), "; ".join(p.en for p in parts))

    def causes(self, flagged: np.ndarray) -> pd.DataFrame:
        rows = flagged if flagged.any() else np.ones(len(flagged), dtype=bool)
        raised = np.clip(self.shares[rows], 0, None).mean(axis=0)
        share = raised / max(float(raised.sum()), 1e-12)
        # figures of one signal are one cause, named by the strongest of them
        sources = np.array([f.source for f in self.features])
        strongest: list[tuple[float, int]] = []
        for source in np.unique(sources):
            own = np.flatnonzero(sources == source)
            strongest.append((float(share[own].sum()), int(own[np.argmax(share[own])])))
        told = []
        for whole, j in sorted(strongest, reverse=True)[:MOST_CAUSES]:
            f = self.features[j]
            bad = float(self.inputs[rows].iloc[:, j].median())
            low, high = float(self.low.iloc[j]), float(self.high.iloc[j])
            middle = float(self.typical.iloc[j])
            up = bad >= middle
            unit = f" {f.unit}" if f.unit else ""
            told.append(
                {
                    "column": f.name,
                    "ko": f.label.ko,
                    "en": f.label.en,
                    "unit": f.unit,
                    "share": whole,
                    "direction": "higher" if up else "lower",
                    "usual_low": low,
                    "usual_high": high,
                    "bad_median": bad,
                    "controllable": self.controllable[j],
                    "sentence_ko": f"경보가 난 회차는 '{f.label.ko}' 값이 {_said(bad)}{unit}"
                    f"(으)로, 평소({_said(low)}–{_said(high)})와 견주어"
                    f" {'높은' if up else '낮은'} 쪽입니다.",
                    "sentence_en": f"Flagged runs have {f.label.en} at {_said(bad)}{unit},"
                    f" towards the {'high' if up else 'low'} side of usual"
                    f" ({_said(low)}–{_said(high)}).",
                }
            )
        table = pd.DataFrame(told, columns=CAUSE_COLUMNS)
        return table[table["share"] > 0].reset_index(drop=True)

    def ranges(self) -> pd.DataFrame:
        rows = []
        for j, f in enumerate(self.features):
            values = self.inputs.iloc[:, j]
            width = float(self.high.iloc[j] - self.low.iloc[j])
            step = 10.0 ** np.floor(np.log10(width / 20)) if width > 0 else 1.0
            rows.append(
                {
                    "column": f.name,
                    "ko": f.label.ko,
                    "en": f.label.en,
                    "unit": f.unit,
                    "low": float(self.low.iloc[j]),
                    "high": float(self.high.iloc[j]),
                    "min": float(values.min()),
                    "max": float(values.max()),
                    "typical": float(self.typical.iloc[j]),
                    "step": float(step),
                    "controllable": self.controllable[j],
                }
            )
        return pd.DataFrame(rows, columns=RANGE_COLUMNS)
