"""Last step: the verdict, and everything a run keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from kamp_lib.learning.bounds import CHOSEN_ON, LEARNT, SHUFFLED, Bounds
from kamp_lib.learning.coded import coded
from kamp_lib.learning.evidence import evidence_of
from kamp_lib.learning.money import money_for
from kamp_lib.learning.outcome import Outcome, Reason, Split, Verdict
from kamp_lib.learning.quality_judge import Judged
from kamp_lib.learning.quality_why import Explained
from kamp_lib.learning.verdict import judge as apply_rules
from kamp_lib.text import Text

BASE_RATE = Text("무작위로 고르기(불량 비율)", "picking at random (share of bad cases)")
COIN = 0.5  # ROC area of a ranking that knows nothing
NO_BASELINE = Text("기준 없음(판정 결과가 없음)", "none (no judgements)")


def decide(judged: Judged, explained: Explained) -> Outcome:
    """May it be used, what is it worth, and what to collect when it may not."""
    contest = judged.contest
    cases, task = contest.plan.cases, contest.plan.task
    tables = {
        "cases": explained.cases,
        "groups": judged.groups,
        "candidates": contest.candidates(),
        "causes": explained.causes,
        "thresholds": judged.thresholds,
        "calibration": judged.calibration,
        "ranges": explained.ranges,
    }
    if contest.charts is not None:
        tables["control_chart"] = contest.charts.table(cases)
    share = float(np.nanmean(cases.label)) if cases.labelled != "none" else 0.0
    bounds = _bounds(judged, explained)
    return Outcome(
        split=_split(judged, bounds),
        metrics=judged.metrics,
        baseline=judged.baseline,
        baseline_name=BASE_RATE if judged.choice else NO_BASELINE,
        method=contest.method,
        method_name=contest.method_name,
        verdict=verdict_of(judged),
        threshold=judged.threshold,
        shuffled=judged.shuffled,
        forward=judged.forward,
        money=money_for(task, cases.time, cases=len(cases), base_rate=share),
        tables=tables,
        model=contest.model,
        notes={**_notes(judged), **bounds.notes()},
    )


def verdict_of(judged: Judged) -> Verdict:
    """Hold the figures against the common rules."""
    contest = judged.contest
    prepared = contest.plan.prepared
    cases, task = prepared.cases, prepared.task
    evidence = evidence_of(
        cases.label,
        cases.group,
        judged.groups,
        metrics=judged.metrics,
        baseline=judged.baseline,
        lift=judged.lift,
        case=task.case,
        bad=task.bad,
        by=cases.by,
    )
    if cases.by_column == "order" and cases.natural_groups:
        # stretches of the order are not as many different days or lots
        evidence = replace(
            evidence,
            groups=cases.natural_groups,
            positive_groups=min(evidence.positive_groups, cases.natural_groups),
            by=cases.natural_by,
        )
    late = _forward(judged)
    return apply_rules(
        replace(
            evidence,
            episodes=cases.episodes if cases.time.notna().any() else None,
            leaking=[task.label(name) for name in prepared.leaking],
        ),
        extra=late,
        collect=[_longer(judged)] if late else [],
    )


def _longer(judged: Judged) -> Text:
    cases = judged.contest.plan.cases
    now = cases.by.count(cases.group_count)
    return Text(
        f"더 긴 기간의 기록을 모아, 지난 자료로 다음 자료를 맞히는지 다시 확인해 주세요"
        f"(지금 {now.ko}).",
        f"Collect a longer record and check again that the past foretells what comes"
        f" next (now {now.en}).",
    )


def _forward(judged: Judged) -> list[Reason]:
    """A model is always used forward in time: there, too, it has to beat the baseline.

    Said only when the headline itself does beat it.
    """
    honest = judged.metrics["average_precision"]
    base = judged.baseline["average_precision"].value or 0.0
    if not judged.forward or honest.low is None or honest.low <= base:
        return []
    # average precision rises by itself where bad cases are few: the ranking has to
    # beat a coin as well
    lift, area = judged.forward_lift, judged.forward["roc_auc"]
    better = lift is not None and lift.low is not None and lift.low > 0
    if better and area.low is not None and area.low > COIN:
        return []
    return [
        Reason(
            code="not-better-than-baseline",
            message_ko="지난 자료로만 배워 다음 자료를 맞혀 보면, 단순한 기준 방법보다 낫다고"
            " 말할 수 없습니다(오차 범위가 기준에 닿습니다).",
            message_en="learnt from the past only, it cannot be told from the simple"
            " baseline on what comes next (the interval touches it).",
        )
    ]


def _bounds(judged: Judged, explained: Explained) -> Bounds:
    """Which samples the run was content with."""
    plan = judged.contest.plan
    learning = [len(fold.train) for fold in plan.folds]
    longest = max([len(plan.cases) if plan.folds else 0, *learning])
    few = explained.causes_from < explained.flagged
    return Bounds(
        learnt=LEARNT if longest > LEARNT else 0,
        chosen_on=CHOSEN_ON if max(learning, default=0) > CHOSEN_ON else 0,
        shuffled=SHUFFLED if judged.shuffled and len(plan.cases) > SHUFFLED else 0,
        explained=explained.causes_from if few else 0,
    )


def _split(judged: Judged, bounds: Bounds) -> Split:
    plan = judged.contest.plan
    cases = plan.cases
    more = bounds.said(plan.task.case)
    return Split(
        kind="grouped" if plan.folds else "none",
        by=cases.by_column,
        how=Text(f"{plan.how.ko}{more.ko}", f"{plan.how.en}{more.en}"),
        folds=len(plan.folds),
        groups=cases.group_count,
        rows=cases.rows,
        cases=len(cases),
        positives=cases.positives,
        case=plan.task.case,
    )


def _notes(judged: Judged) -> dict[str, float | int | str | bool | None]:
    contest = judged.contest
    cases = contest.plan.cases
    picked = pd.Series([r.chosen for r in contest.results], dtype="string")
    notes: dict[str, float | int | str | bool | None] = {
        "group_name_ko": cases.by.ko,
        "group_name_en": cases.by.en,
        "positive_groups": cases.positive_groups,
        "inputs": cases.frame.shape[1],
        "leaking_columns": ", ".join(contest.plan.prepared.leaking),
        "products": len(coded(cases.regime)[0]),
        "main_product": contest.model.main_regime,
        "calibration_error": judged.calibration_error,
        "chosen_per_fold": ", ".join(picked),
    }
    if judged.choice is not None:
        notes["cost"] = judged.choice.cost
        notes["cost_never_alarm"] = judged.choice.never_alarm
        notes["cost_always_alarm"] = judged.choice.always_alarm
    if contest.charts is not None:
        later = ~contest.charts.phase_one
        notes["phase_one_cases"] = int(contest.charts.phase_one.sum())
        notes["out_of_control"] = int(contest.charts.out[later].sum())
        notes["out_of_control_share"] = (
            float(contest.charts.out[later].mean()) if later.any() else None
        )
    return notes
