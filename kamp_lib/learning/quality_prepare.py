"""First steps: rows to cases, inputs that know the answer out, and what is held out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from kamp_lib.brief import Brief
from kamp_lib.learning.cases import Cases, build_cases
from kamp_lib.learning.leaks import leaking_columns
from kamp_lib.learning.particles import particle
from kamp_lib.learning.splits import Fold, forward_folds, grouped_folds
from kamp_lib.learning.task import Task
from kamp_lib.text import Text


@dataclass(frozen=True, repr=False)
class Prepared(Brief):
    """Cases ready to be learnt from, and the inputs that were left out with the reason."""

    task: Task
    cases: Cases
    leaking: dict[str, Text]

    @property
    def left_out(self) -> dict[str, Text]:
        known = Text("판정 뒤에야 아는 값", "known only after the judgement")
        leaks = dict.fromkeys(self.task.leaks, known)
        return {**leaks, **self.cases.dropped, **self.leaking}

    def _repr_html_(self) -> str:
        c, t = self.cases, self.task
        facts = Text(
            f"{c.rows:,}행 → {t.case.ko} {len(c):,}건, {t.bad.ko} {c.positives:,}건,"
            f" 입력 {c.frame.shape[1]}개",
            f"{c.rows:,} rows → {len(c):,} {t.case.en} cases, {c.positives:,} {t.bad.en},"
            f" {c.frame.shape[1]} inputs",
        )
        out = "".join(
            f"<li>{escape(str(t.label(name)))}: {escape(str(why))}</li>"
            for name, why in self.left_out.items()
        )
        title = Text("뺀 열", "left out")
        body = f"{title}<ul>{out}</ul>" if out else ""
        return f"<p><b>{escape(str(facts))}</b></p>{c.summary(t).to_html()}{body}"


@dataclass(frozen=True, repr=False)
class Plan(Brief):
    """What is held out, and in which order time runs."""

    prepared: Prepared
    folds: list[Fold]
    forward: list[Fold]
    how: Text

    @property
    def cases(self) -> Cases:
        return self.prepared.cases

    @property
    def task(self) -> Task:
        return self.prepared.task

    def table(self) -> pd.DataFrame:
        """One row per fold: what is held out, and how much is left to learn from."""
        label = self.cases.label
        rows = [
            {
                str(Text("숨긴 자료", "held out")): f.name,
                str(Text("숨긴 건수", "cases held out")): len(f.test),
                str(Text("그중 불량", "bad among them")): int(
                    (label[f.test] == 1).sum()
                ),
                str(Text("배우는 건수", "cases to learn from")): len(f.train),
            }
            for f in self.folds
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self.how))}</p>{self.table().to_html(index=False)}"


def prepare(data: pd.DataFrame, task: Task) -> Prepared:
    """Turn rows into cases and leave out inputs that already know the answer."""
    cases = build_cases(data, task)
    leaking = leaking_columns(cases)
    # with nothing else left there is still something to show, and the verdict says why
    if leaking and len(leaking) < cases.frame.shape[1]:
        cases = cases.without(list(leaking))
    return Prepared(task, cases, leaking)


def split(prepared: Prepared) -> Plan:
    """Hold out whole groups; forward in time as a second figure."""
    cases, task = prepared.cases, prepared.task
    if cases.labelled != "both":
        how = Text(
            "양불 판정이 없어 앞부분을 평소 상태로 배우고, 뒷부분을 견주어 봅니다.",
            "without judgements the first part is learnt as usual and the rest held"
            " against it.",
        )
        return Plan(prepared, [], [], how)
    folds = grouped_folds(cases.group, cases.label, folds=task.folds)
    forward = forward_folds(cases.period, cases.label, folds=task.folds)
    there = cases.by.count(cases.group_count)
    how = Text(
        f"{cases.by.ko} 단위로 통째로 숨기고, 나머지로 배운 뒤 숨긴"
        f" {particle(cases.by.ko, '을', '를')} 맞혀 봅니다({there.ko}, {len(folds)}번).",
        f"whole {cases.by.plural} are held out, learnt from the others, and judged"
        f" ({there.en}, {len(folds)} folds).",
    )
    return Plan(prepared, folds, forward, how)
