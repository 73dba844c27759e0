"""What a run found that the one before it had not."""

from __future__ import annotations

from kamp_lib.errors import KampError
from kamp_lib.runs import RunRecord, open_run
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

# The figure that says most, of those that a family has.
SCORES = {
    "average_precision": Text("평균 정밀도", "average precision"),
    "recall": Text("찾아낸 비율", "share found"),
    "mean_absolute_error": Text("평균 오차", "mean error"),
    "roc_auc": Text("구별력", "ROC AUC"),
}
FIRST = Text("처음 실행", "first run")
NOTHING = Text("변화 없음", "no change")
# Below this, a figure reads the same.
SMALL = 0.005


def record_of(tenant: Tenant, run: str | None) -> RunRecord | None:
    """The record of a run, or None when there is none to be read any more."""
    if run is None:
        return None
    try:
        return open_run(tenant, run).record
    except KampError:  # removed since, or damaged: then there is nothing to compare
        return None


def changes(now: RunRecord, before: RunRecord | None) -> list[Text]:
    """What differs between two runs of one model on one data set, most telling first."""
    if before is None:
        return [FIRST]
    found = [*_verdict(now, before), *_score(now, before), *_data(now, before)]
    if now.model.version != before.model.version:
        found.append(
            Text(
                f"모델 {before.model.version} → {now.model.version}",
                f"model {before.model.version} → {now.model.version}",
            )
        )
    if now.parameters != before.parameters:
        found.append(Text("매개변수가 바뀜", "other parameters"))
    return found or [NOTHING]


def _verdict(now: RunRecord, before: RunRecord) -> list[Text]:
    if now.outcome == before.outcome:
        return []
    old, new = before.outcome, now.outcome
    return [Text(f"판정 {old.ko} → {new.ko}", f"verdict {old.en} → {new.en}")]


def _score(now: RunRecord, before: RunRecord) -> list[Text]:
    for name, label in SCORES.items():
        if name not in now.metrics or name not in before.metrics:
            continue
        new, old = now.metrics[name].value, before.metrics[name].value
        if new is None or old is None:
            continue
        if abs(new - old) < SMALL * max(1.0, abs(old)):
            return []
        both = f"{old:.2f} → {new:.2f}"
        return [Text(f"{label.ko} {both}", f"{label.en} {both}")]
    return []


def _data(now: RunRecord, before: RunRecord) -> list[Text]:
    new, old = now.dataset, before.dataset
    if new is None or old is None or new.version == old.version:
        return []
    more = new.rows - old.rows
    return [
        Text(
            f"데이터 v{old.version} → v{new.version} ({more:+,}행)",
            f"data v{old.version} → v{new.version} ({more:+,} rows)",
        )
    ]
