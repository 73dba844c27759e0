"""May it be used? The rules, their stable codes, and what to collect when it may not.

| code | when |
|---|---|
| `no-label` | nobody wrote down which cases were bad |
| `single-class-label` | every label says the same |
| `leaking-column` | an input knows the answer |
| `too-few-positives` | fewer than 30 bad cases |
| `too-few-episodes` | many bad cases, but in fewer than 30 separate stretches |
| `too-few-groups` | fewer than 5 groups, or bad cases in fewer than 5 |
| `not-better-than-baseline` | the interval touches the baseline |
| `unstable-over-groups` | at chance in a third of the groups |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kamp_lib.learning.outcome import Reason, Score, Verdict
from kamp_lib.learning.particles import particle
from kamp_lib.text import Text

MIN_POSITIVES = 30
MIN_GROUPS = 5
# Bad cases that come in stretches of at least this length on average are not so many
# observations: one cracking die makes a hundred bad strokes.
CLUSTERED = 3.0
# A group's figure counts from this many bad cases on; below this area it is at chance.
GROUP_POSITIVES = 3
CHANCE_AUC = 0.6
CHANCE_SHARE = 1 / 3
MIN_JUDGED_GROUPS = 3


# Which classes the labels hold.
Labelled = Literal["both", "single", "none"]


@dataclass(frozen=True)
class Noun:
    """What a held-out group is called, and how many of it are counted."""

    ko: str
    en: str  # singular
    plural: str
    counter: str = "개"

    def count(self, number: int) -> Text:
        en = f"{number:,} {self.en if number == 1 else self.plural}"
        if self.counter == "일":
            return Text(f"{number:,}일", en)
        return Text(f"{self.ko} {number:,}{self.counter}", en)

    @property
    def name(self) -> Text:
        return Text(self.ko, self.en)


DAY = Noun("날", "day", "days", "일")
RUN = Noun("작업 회차", "run", "runs")
LOT = Noun("로트", "lot", "lots")
BLOCK = Noun("구간", "stretch of the order", "stretches of the order")
GROUP = Noun("묶음", "group", "groups")


@dataclass(frozen=True)
class Evidence:
    """What the rules look at.

    Attributes
    ----------
    score, baseline
        Average precision with its interval, and the share of bad cases.
    lift
        Score minus baseline on the same resamples, if the family has it: has to be
        above zero as well.
    episodes
        Separate stretches of bad cases in time, where the cases have an order.
    group_auc
        (bad cases, ROC area) of each held-out group that has both classes.
    """

    label: Labelled
    cases: int
    positives: int
    groups: int
    positive_groups: int
    case: Text
    bad: Text
    by: Noun
    score: Score | None = None
    baseline: Score | None = None
    lift: Score | None = None
    episodes: int | None = None
    group_auc: list[tuple[int, float]] = field(default_factory=list)
    leaking: list[Text] = field(default_factory=list)


def judge(
    evidence: Evidence,
    *,
    extra: list[Reason] | None = None,
    collect: list[Text] | None = None,
) -> Verdict:
    """Apply every rule; any reason makes it `not-usable-yet`.

    Parameters
    ----------
    extra, collect
        Reasons and advice that only the family knows; they come after the common ones.
    """
    reasons: list[Reason] = []
    advice: list[Text] = []
    for rule in (_label, _leak, _positives, _episodes, _groups, _baseline, _stability):
        for reason, what in rule(evidence):
            reasons.append(reason)
            advice += [what] if what else []
    reasons += extra or []
    advice += collect or []
    if reasons:
        first = _first_sentence(evidence, reasons)
        return Verdict(
            value="not-usable-yet",
            sentence=Text(
                f"아직 사용하기 이릅니다: {first.ko}", f"Not usable yet: {first.en}"
            ),
            reasons=reasons,
            collect=advice,
        )
    ko, en = (
        evidence.by.count(evidence.groups).ko,
        evidence.by.count(evidence.groups).en,
    )
    return Verdict(
        value="usable",
        sentence=Text(
            f"사용할 수 있습니다: {ko} 자료를 하나씩 숨기고 확인했을 때에도"
            f" {particle(evidence.bad.ko, '을', '를')} 단순한 방법보다 뚜렷이 잘 찾았습니다.",
            f"Usable: held out one by one, {en} still had their {evidence.bad.en}"
            f" cases found clearly better than by the simple method.",
        ),
    )


Rule = list[tuple[Reason, Text | None]]


def _reason(code: str, ko: str, en: str) -> Reason:
    return Reason(code=code, message_ko=ko, message_en=en)


def _wanted(e: Evidence) -> Text:
    groups = e.by.count(MIN_GROUPS)
    return Text(
        f"{e.bad.ko} {MIN_POSITIVES}건 이상, {groups.ko} 이상",
        f"at least {MIN_POSITIVES} {e.bad.en} cases on at least {groups.en}",
    )


def _label(e: Evidence) -> Rule:
    wanted = _wanted(e)
    ask = Text(
        f"{e.case.ko}마다 양품인지 {e.bad.ko}인지 판정 결과를 함께 남겨 주세요({wanted.ko}).",
        f"Write down for every {e.case.en} whether it was good or bad ({wanted.en}).",
    )
    if e.label == "none":
        ko = (
            "양품·불량 판정 결과가 데이터에 없어, 평소와 다른 정도만 보여 드립니다."
            " 이상 점수가 실제 불량과 맞는지는 확인할 수 없습니다."
        )
        en = (
            "the data say nowhere what was good or bad, so only how unusual a"
            f" {e.case.en} is can be shown; whether that means defects cannot be checked."
        )
        return [(_reason("no-label", ko, en), ask)]
    if e.label == "single":
        ko = f"판정 결과가 한 가지뿐입니다({e.cases:,}건 모두 같음)."
        en = f"every label says the same (all {e.cases:,} cases)."
        return [(_reason("single-class-label", ko, en), ask)]
    return []


def _leak(e: Evidence) -> Rule:
    found: Rule = []
    for column in e.leaking:
        ko = f"'{column.ko}' 열은 판정 결과를 이미 담고 있어 입력에서 뺐습니다."
        en = f"the column {column.en!r} already holds the answer; it was left out."
        what = Text(
            f"'{column.ko}' 열이 언제 적히는지 확인하세요. 판정 뒤에 적히는 값이면"
            " 입력 열(features)에서 빼고 다시 실행하면 됩니다.",
            f"Find out when {column.en!r} is written; if after the judgement, leave it"
            " out of the inputs (features) and run again.",
        )
        found.append((_reason("leaking-column", ko, en), what))
    return found


def _positives(e: Evidence) -> Rule:
    if e.label != "both" or e.positives >= MIN_POSITIVES:
        return []
    more = MIN_POSITIVES - e.positives
    ko = f"{particle(e.bad.ko, '이', '가')} {e.positives}건뿐입니다(최소 {MIN_POSITIVES}건)."
    en = f"there are only {e.positives} {e.bad.en} cases (at least {MIN_POSITIVES})."
    what = Text(
        f"{e.bad.ko} {particle(e.case.ko, '을', '를')} {more}건 더 모아 주세요"
        f"(지금 {e.positives}건, 최소 {MIN_POSITIVES}건).",
        f"Collect {more} more {e.bad.en} cases (now {e.positives},"
        f" at least {MIN_POSITIVES}).",
    )
    return [(_reason("too-few-positives", ko, en), what)]


def _episodes(e: Evidence) -> Rule:
    if e.label != "both" or e.episodes is None or e.positives < MIN_POSITIVES:
        return []
    if e.episodes >= MIN_POSITIVES or e.positives < CLUSTERED * e.episodes:
        return []
    ko = (
        f"{e.bad.ko} {e.positives:,}건이 이어서 일어난 {e.episodes}번의 일에 몰려 있어"
        f" 서로 다른 사례가 적습니다(최소 {MIN_POSITIVES}번)."
    )
    en = (
        f"the {e.positives:,} {e.bad.en} cases come from {e.episodes} stretches only, so"
        f" few of them are different (at least {MIN_POSITIVES} stretches)."
    )
    more = MIN_POSITIVES - e.episodes
    what = Text(
        f"{particle(e.bad.ko, '이', '가')} 일어난 기록을 {more}번 더 모아 주세요"
        f"(지금 {e.episodes}번, 최소 {MIN_POSITIVES}번).",
        f"Collect {more} more occurrences of {e.bad.en} (now {e.episodes}, at least"
        f" {MIN_POSITIVES}).",
    )
    return [(_reason("too-few-episodes", ko, en), what)]


def _groups(e: Evidence) -> Rule:
    if e.label != "both":
        return []
    if e.groups >= MIN_GROUPS and e.positive_groups >= MIN_GROUPS:
        return []
    have, need = e.by.count(e.groups), e.by.count(MIN_GROUPS)
    if e.groups < MIN_GROUPS:
        more = e.by.count(MIN_GROUPS - e.groups)
        ko = f"서로 다른 자료가 {have.ko}뿐이라, 처음 보는 {e.by.ko}에도 통할지 알 수 없습니다."
        en = f"only {have.en}: nobody can tell how the next {e.by.en} would go."
        what = Text(
            f"{more.ko} 이상의 기록을 더 모아 주세요(지금 {have.ko}, 최소 {need.ko}).",
            f"Collect {more.en} more (now {have.en}, at least {need.en}).",
        )
        return [(_reason("too-few-groups", ko, en), what)]
    rich, more = (
        e.by.count(e.positive_groups),
        e.by.count(MIN_GROUPS - e.positive_groups),
    )
    ko = f"{e.bad.ko} {e.positives}건이 {rich.ko}에만 몰려 있습니다(전체 {have.ko})."
    en = f"the {e.positives} {e.bad.en} cases lie on only {rich.en} of {have.en}."
    what = Text(
        f"{particle(e.bad.ko, '이', '가')} 나온 기록을 {more.ko} 이상 더 모아 주세요"
        f"(지금 {rich.ko}, 최소 {need.ko}).",
        f"Collect {more.en} more that had {e.bad.en} cases (now {rich.en},"
        f" at least {need.en}).",
    )
    return [(_reason("too-few-groups", ko, en), what)]


def _baseline(e: Evidence) -> Rule:
    if e.label != "both" or not _touches(e):
        return []
    ko = (
        f"처음 보는 {e.by.ko}에서는 단순한 기준 방법보다 낫다고 말할 수 없습니다"
        "(오차 범위가 기준에 닿습니다)."
    )
    en = (
        f"on a {e.by.en} never seen it cannot be told from the simple baseline"
        " (the interval touches it)."
    )
    what = Text(
        f"{e.bad.ko} 원인과 가까운 측정값(예: 재료·환경·금형 상태)을 더하고,"
        f" {particle(e.bad.ko, '이', '가')} 나온 {e.by.ko}의 기록을 더 모아 주세요.",
        "Add measurements closer to the cause (material, surroundings, state of the"
        f" tool), and more {e.by.plural} with {e.bad.en} cases.",
    )
    return [(_reason("not-better-than-baseline", ko, en), what)]


def _touches(e: Evidence) -> bool:
    if e.score is None or e.score.value is None or e.baseline is None:
        return True
    if e.score.low is None or e.score.low <= (e.baseline.value or 0.0):
        return True
    return e.lift is not None and (e.lift.low is None or e.lift.low <= 0)


def _stability(e: Evidence) -> Rule:
    areas = [area for bad, area in e.group_auc if bad >= GROUP_POSITIVES]
    failed = sum(area < CHANCE_AUC for area in areas)
    if len(areas) < MIN_JUDGED_GROUPS or failed < CHANCE_SHARE * len(areas):
        return []
    of = e.by.count(len(areas))
    bad_ones = e.by.count(failed)
    ko = (
        f"{e.by.ko}마다 성능이 크게 다릅니다: {of.ko} 가운데"
        f" {bad_ones.ko}에서는 우연과 다르지 않았습니다."
    )
    en = (
        f"it varies too much: on {bad_ones.en} of {of.en} it was no better than chance."
    )
    what = Text(
        f"잘 맞지 않은 {e.by.ko}에 무엇이 달랐는지(재료, 금형, 조건) 확인해 주세요.",
        f"Find out what was different on those {e.by.plural}"
        " (material, mould, settings).",
    )
    return [(_reason("unstable-over-groups", ko, en), what)]


def _first_sentence(e: Evidence, reasons: list[Reason]) -> Text:
    """The strongest reason as the manager hears it."""
    codes = [r.code for r in reasons]
    if codes[0] == "too-few-positives" and "too-few-groups" in codes:
        rich = e.by.count(e.positive_groups)
        return Text(
            f"{e.bad.ko} {e.positives}건이 {rich.ko}에만 몰려 있어, 처음 보는"
            f" {e.by.ko}에도 맞힐 수 있는지 아직 알 수 없습니다.",
            f"{e.positives} {e.bad.en} cases on only {rich.en} cannot show whether it"
            f" would work on a {e.by.en} never seen.",
        )
    return Text(reasons[0].message_ko, reasons[0].message_en)
