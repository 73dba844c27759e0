"""What a vision run keeps: scores, verdict, tables and the small pictures of the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.learning.calibration import calibration_table
from kamp_lib.learning.evidence import evidence_of
from kamp_lib.learning.money import money_for
from kamp_lib.learning.nested import candidates_of
from kamp_lib.learning.outcome import Outcome, Reason, Score, Split, Verdict
from kamp_lib.learning.scores import METRICS, base_rate, lift, score_with_interval
from kamp_lib.learning.tables import groups_table
from kamp_lib.learning.task import Task
from kamp_lib.learning.thresholds import cheapest, threshold_table
from kamp_lib.learning.verdict import DAY, GROUP, Noun, judge
from kamp_lib.learning.vision import NAMES, Inspection
from kamp_lib.learning.vision_cases import VisionCases
from kamp_lib.learning.vision_models import GoodPatches
from kamp_lib.learning.vision_patches import picture_score
from kamp_lib.learning.vision_pictures import overlay, thumbnail
from kamp_lib.learning.vision_reasons import causes_table, kind_shares, reason
from kamp_lib.text import Text

WORST, EXAMPLES = 40, 12  # pictures kept for the gallery: the worst, and good examples
LINE = 0.5  # alarm score without labels: the limit of ordinary pictures
# ROC area that the picture's overall pattern alone may reach before it is told.
TELLTALE = 0.9
LOOK_ALIKES = Noun(
    "닮은 사진 묶음", "group of look-alike pictures", "groups of look-alike pictures"
)
PICTURE = Text("사진", "picture")


def outcome(cases: VisionCases, inspection: Inspection, task: Task) -> Outcome:
    """Everything the run keeps."""
    label, probability = cases.label, inspection.probability
    held = cases.frame["group"].astype(str).to_numpy()
    seed = task.seed
    metrics: dict[str, Score] = {
        m: score_with_interval(m, label, probability, held, seed=seed) for m in METRICS
    }
    baseline: dict[str, Score] = dict(base_rate(label, held, seed=seed))
    known = np.isfinite(label)
    rate = float(label[known].mean()) if known.any() else 0.0
    threshold = LINE
    if inspection.judged is not None:
        choice = cheapest(
            label,
            probability,
            cost_missed=task.number("cost_missed"),
            cost_false_alarm=task.number("cost_false_alarm"),
        )
        threshold = choice.threshold
    else:  # an alarm score is not a probability: it has no honest score to show
        metrics = {m: Score(value=None) for m in METRICS}
    time = pd.to_datetime(cases.frame["time"], utc=True)
    names = np.array(_group_names(cases, inspection))
    table, images = _cases_table(cases, inspection, threshold)
    tables = {
        "cases": table,
        "groups": groups_table(names, label, probability, threshold, time),
        "candidates": candidates_of(inspection.judged, NAMES, label[known]),
        "causes": causes_table(
            inspection.heat, inspection.shares, probability >= threshold
        ),
        "thresholds": threshold_table(label, probability, keep=threshold),
        "calibration": calibration_table(label, probability)
        if inspection.judged is not None
        else calibration_table(np.array([]), np.array([])),
        "ranges": pd.DataFrame(),
    }
    if inspection.judged is None:
        tables["control_chart"] = _control_chart(table, inspection)
    winner = inspection.judged.winner if inspection.judged else GoodPatches.id
    return Outcome(
        split=_split(cases, inspection, task),
        metrics=metrics,
        baseline=baseline,
        baseline_name=Text("모두 같은 확률로 봄", "the same probability for all"),
        method=winner,
        method_name=NAMES[winner],
        verdict=_verdict(cases, inspection, metrics, baseline, tables["groups"], task),
        threshold=threshold,
        shuffled={k: Score(value=v) for k, v in inspection.shuffled.items()},
        money=money_for(task, time, cases=len(cases), base_rate=rate),
        tables=tables,
        images=images,
        model=inspection.model,
        notes=_notes(cases, inspection),
    )


def _noun(cases: VisionCases, task: Task) -> Noun:
    """What held-out groups are called."""
    if cases.group_by is None:
        return LOOK_ALIKES
    if cases.group_by == "day":
        return DAY
    label = task.label(cases.group_by)
    return Noun(label.ko, label.en, label.en) if label.ko != cases.group_by else GROUP


def _verdict(
    cases: VisionCases,
    inspection: Inspection,
    metrics: dict[str, Score],
    baseline: dict[str, Score],
    groups: pd.DataFrame,
    task: Task,
) -> Verdict:
    label, held = cases.label, cases.frame["group"].astype(str).to_numpy()
    evidence = evidence_of(
        label,
        held,
        groups,
        metrics=metrics,
        baseline=baseline,
        lift=lift(label, inspection.probability, held, seed=task.seed)
        if inspection.judged
        else None,
        case=task.case if task.model else PICTURE,
        bad=task.bad,
        by=_noun(cases, task),
    )
    verdict = judge(evidence)
    told = inspection.acquisition
    if told.get("pattern_roc_auc", 0.0) < max(TELLTALE, told.get("rest_roc_auc", 1.0)):
        return verdict
    caution = Reason(
        code="acquisition-tells-label",
        message_ko=(
            "사진 전체의 무늬(크기·해상도·압축)만 보아도 판정이 맞습니다"
            f"(AUC {told['pattern_roc_auc']:.3f}). 결함이 아니라 찍거나 저장한 방식을 보고"
            " 가려낼 수 있으니, 양품과 불량을 같은 방식으로 찍었는지 확인하세요. 무늬를 빼면"
            f" {told['rest_roc_auc']:.3f}입니다."
        ),
        message_en=(
            "the overall pattern of a picture (size, resolution, compression) alone tells"
            f" the label (AUC {told['pattern_roc_auc']:.3f}): it may see how pictures were"
            " taken or stored, not defects. Check that good and bad parts were taken the"
            f" same way. Without the pattern it reaches {told['rest_roc_auc']:.3f}."
        ),
    )
    return verdict.model_copy(update={"reasons": [*verdict.reasons, caution]})


def _split(cases: VisionCases, inspection: Inspection, task: Task) -> Split:
    label, frame = cases.label, cases.frame
    folds = int(inspection.fold.max()) + 1
    by = _noun(cases, task)
    how = Text(
        f"'{by.ko}' 단위로 통째로 빼 두고 평가했습니다(닮은 사진 {cases.twins}장은 "
        f"같은 쪽에 두었습니다).",
        f"Whole units ({by.en}) were held out; {cases.twins} look-alike pictures stay on "
        "one side.",
    )
    if (frame["given"] == "test").any():
        how = Text(
            f"{how.ko} 데이터의 train/test 폴더는 쓰지 않았습니다: test 사진 "
            f"{cases.crossing}장의 닮은 사진이 train에 있습니다.",
            f"{how.en} The given train/test folders were not used: {cases.crossing} test "
            "pictures have a look-alike in train.",
        )
    return Split(
        kind="grouped" if folds else "none",
        by=cases.group_by or "look-alikes",
        how=how,
        folds=folds,
        groups=int(frame["group"].nunique()),
        rows=len(frame) + cases.unreadable,
        cases=len(frame),
        positives=int((label == 1).sum()),
        case=task.case if task.model else PICTURE,
    )


def _cases_table(
    cases: VisionCases, inspection: Inspection, threshold: float
) -> tuple[pd.DataFrame, dict[str, bytes]]:
    frame, risk = cases.frame, inspection.probability
    kinds = kind_shares(inspection.shares) if inspection.shares is not None else None
    told = [
        reason(heat, kinds.iloc[k] if kinds is not None else None)
        for k, heat in enumerate(inspection.heat)
    ]
    order = np.argsort(-risk, kind="stable")
    spoken = np.zeros(len(frame), dtype=bool)
    spoken[order[:50]] = True
    spoken |= risk >= threshold
    good = [k for k in order[::-1] if cases.label[k] == 0][:EXAMPLES]
    shown = list(dict.fromkeys([*order[:WORST], *good]))
    picture: list[str | None] = [None] * len(frame)
    heatmap: list[str | None] = [None] * len(frame)
    images: dict[str, bytes] = {}
    for rank, k in enumerate(shown, start=1):
        path = Path(frame["path"].iloc[k])
        picture[k], heatmap[k] = f"picture-{rank:03d}.jpg", f"heat-{rank:03d}.png"
        images[f"picture-{rank:03d}.jpg"] = thumbnail(path)
        images[f"heat-{rank:03d}.png"] = overlay(path, inspection.heat[k])
    table = pd.DataFrame(
        {
            "case": frame["case"],
            "time": pd.to_datetime(frame["time"], utc=True),
            "group": _group_names(cases, inspection),
            "label": cases.label,
            "score": risk,
            "reason_ko": [
                t.ko if s else None for t, s in zip(told, spoken, strict=True)
            ],
            "reason_en": [
                t.en if s else None for t, s in zip(told, spoken, strict=True)
            ],
            "image": pd.array(picture, dtype="string"),
            "heatmap": pd.array(heatmap, dtype="string"),
        }
    )
    return table, images


def _group_names(cases: VisionCases, inspection: Inspection) -> list[str]:
    """The lot (or day) of each picture; without one, the held-out part it was in."""
    if cases.group_by:
        return [str(g) for g in cases.frame["group"]]
    return [str(k + 1) if k >= 0 else "-" for k in inspection.fold]


def _control_chart(table: pd.DataFrame, inspection: Inspection) -> pd.DataFrame:
    """How unlike the others each picture is, against the limit of ordinary ones."""
    limit = inspection.model.calibration.centre
    value = picture_score(inspection.heat)
    return pd.DataFrame(
        {
            "case": table["case"],
            "time": table["time"],
            "group": table["group"],
            "statistic": "Q",
            "value": value,
            "limit": limit,
            "out": value > limit,
        }
    )


def _notes(
    cases: VisionCases, inspection: Inspection
) -> dict[str, float | int | str | bool | None]:
    notes: dict[str, float | int | str | bool | None] = {
        "pictures": len(cases),
        "pictures_unreadable": cases.unreadable,
        "look_alike_pictures": cases.twins,
        "working_size": cases.pictures.size,
        "what_if": False,
    }
    if (cases.frame["given"] == "test").any():
        notes["given_split_crossing"] = cases.crossing
    for name, area in inspection.acquisition.items():
        notes[f"acquisition_{name}"] = area
    for name, value in inspection.given.items():
        notes[f"given_split_{name}"] = value
    return notes
