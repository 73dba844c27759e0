"""The rules of the verdict, one by one."""

import pytest

from kamp_lib.learning.outcome import Score
from kamp_lib.learning.verdict import DAY, LOT, Evidence, judge
from kamp_lib.text import Text

GOOD = {
    "label": "both",
    "cases": 4000,
    "positives": 120,
    "groups": 15,
    "positive_groups": 12,
    "case": Text("샷", "shot"),
    "bad": Text("불량", "defect"),
    "by": DAY,
    "score": Score(value=0.6, low=0.5, high=0.7),
    "baseline": Score(value=0.03),
    "lift": Score(value=0.57, low=0.45, high=0.68),
    "group_auc": [(10, 0.95)] * 12,
}


def codes(**changes: object) -> list[str]:
    return [r.code for r in judge(Evidence(**{**GOOD, **changes})).reasons]


def test_enough_of_everything_is_usable():
    verdict = judge(Evidence(**GOOD))
    assert verdict.value == "usable"
    assert verdict.reasons == verdict.collect == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"label": "none", "positives": 0}, "no-label"),
        ({"label": "single", "positives": 0}, "single-class-label"),
        ({"leaking": [Text("불량 코드", "defect code")]}, "leaking-column"),
        ({"positives": 29}, "too-few-positives"),
        ({"episodes": 13}, "too-few-episodes"),
        ({"groups": 4, "positive_groups": 4}, "too-few-groups"),
        ({"positive_groups": 4}, "too-few-groups"),
        ({"score": Score(value=0.1, low=0.03, high=0.4)}, "not-better-than-baseline"),
        ({"lift": Score(value=0.1, low=-0.01, high=0.2)}, "not-better-than-baseline"),
        ({"score": Score(value=0.6)}, "not-better-than-baseline"),
        ({"group_auc": [(10, 0.9), (10, 0.9), (10, 0.5)]}, "unstable-over-groups"),
    ],
)
def test_each_rule_has_its_code_and_advice(changes, code):
    verdict = judge(Evidence(**{**GOOD, **changes}))
    assert verdict.value == "not-usable-yet"
    assert [r.code for r in verdict.reasons] == [code]
    assert len(verdict.collect) == 1


def test_bad_cases_that_lie_apart_need_no_stretches():
    assert codes(positives=45, episodes=25) == []


def test_a_group_with_one_bad_case_does_not_make_it_unstable():
    assert codes(group_auc=[(10, 0.9), (10, 0.9), (1, 0.1), (1, 0.1)]) == []


def test_the_manager_reads_how_many_and_on_how_many_days():
    verdict = judge(Evidence(**{**GOOD, "positives": 28, "positive_groups": 3}))
    assert verdict.sentence.ko.startswith(
        "아직 사용하기 이릅니다: 불량 28건이 3일에만 몰려 있어"
    )
    assert "2건 더" in verdict.collect[0].ko
    assert "2일 이상 더" in verdict.collect[1].ko


def test_lots_are_counted_as_lots():
    verdict = judge(Evidence(**{**GOOD, "by": LOT, "groups": 3, "positive_groups": 3}))
    assert "로트 3개" in verdict.reasons[0].message_ko
    assert "3 lots" in verdict.reasons[0].message_en
