"""Rows become cases: twins collapse, days are cut in the company's zone."""

import numpy as np
import pandas as pd
import pytest
from learning.quality_data import family_task, lots

from kamp_lib.errors import KampError, UsageError
from kamp_lib.learning.cases import build_cases


def twins() -> pd.DataFrame:
    """Thirty shots, two parts each: same time and pressure, judged apart."""
    random = np.random.default_rng(0)
    shot = pd.DataFrame(
        {
            "ts": pd.date_range("2026-03-01 22:00", periods=30, freq="h", tz="UTC"),
            "pressure": random.normal(70, 2, 30),
        }
    )
    left, right = shot.assign(bad=0), shot.assign(bad=0)
    right.loc[[3, 8], "bad"] = 1
    return pd.concat([left, right], ignore_index=True)


KINDS = {"ts": "time"}


def test_parts_of_one_shot_are_one_case_and_bad_if_one_of_them_is():
    frame = twins()
    cases = build_cases(frame, family_task(frame, KINDS, target="bad"))
    assert cases.rows == 60
    assert len(cases) == 30
    assert cases.positives == 2


def test_rows_with_a_date_only_are_never_twins():
    frame = twins()
    frame["ts"] = frame["ts"].dt.floor("D")
    cases = build_cases(frame, family_task(frame, KINDS, target="bad"))
    assert len(cases) == 60


def test_a_day_starts_at_midnight_in_korea_not_in_utc():
    frame = twins()  # 22:00 UTC on 1 March is 07:00 on 2 March in Seoul
    cases = build_cases(frame, family_task(frame, KINDS, target="bad"))
    assert cases.by_column == "day"
    assert cases.group[0] == "2026-03-02"


def test_without_a_group_the_order_is_cut_into_stretches():
    frame = lots().drop(columns="lot")
    cases = build_cases(frame, family_task(frame, {}, target="bad"))
    assert cases.by_column == "order"
    assert len(set(cases.group)) == 10


def test_a_column_with_one_value_and_a_running_number_are_no_inputs():
    frame = lots()
    frame["always"] = 5
    frame["row"] = np.arange(len(frame))
    cases = build_cases(frame, family_task(frame, {"lot": "id"}, target="bad"))
    assert set(cases.dropped) == {"always", "row"}


def test_an_unknown_product_is_answered_with_the_products_there():
    frame = lots()
    frame["product_code"] = "CN7 LH"
    kinds = {"lot": "id", "product_code": "category"}
    task = family_task(frame, kinds, target="bad", product="RG3")
    with pytest.raises(UsageError, match="CN7 LH"):
        build_cases(frame, task)


def test_too_few_cases_are_refused_with_a_sentence():
    frame = lots().head(5)
    with pytest.raises(KampError):
        build_cases(frame, family_task(frame, {"lot": "id"}, target="bad"))


def test_labels_nobody_understands_are_asked_for():
    frame = lots()
    frame["bad"] = np.where(frame["bad"] == 1, "Q7", "Q2")
    task = family_task(frame, {"lot": "id", "bad": "category"}, target="bad")
    with pytest.raises(KampError, match="bad_value"):
        build_cases(frame, task)


def test_grades_from_0_to_4_are_asked_for_and_1_is_not_taken_as_bad():
    frame = lots()
    frame["bad"] = np.arange(len(frame)) % 5
    with pytest.raises(KampError, match="bad_value"):
        build_cases(frame, family_task(frame, {"lot": "id"}, target="bad"))


def test_the_bad_value_may_be_named():
    frame = lots()
    known = int(frame["bad"].sum())
    frame["bad"] = np.where(frame["bad"] == 1, "Q7", "Q2")
    kinds = {"lot": "id", "bad": "category"}
    task = family_task(frame, kinds, target="bad", bad_value="Q7")
    assert build_cases(frame, task).positives == known


def test_bad_cases_in_a_row_within_a_group_are_one_episode():
    from dataclasses import dataclass

    from kamp_lib.learning.cases import Cases

    @dataclass
    class Some:
        label: np.ndarray
        group: np.ndarray
        episodes = Cases.episodes

    nan = np.nan
    label = np.array([0, 1, 1, 0, 1, nan, 1, 1, 1, 0], dtype=float)
    group = np.array(list("aaaaaaabbb"))
    # a: 1 1 | 1 (nan is skipped) 1; b: 1 1
    assert Some(label, group).episodes == 3


@pytest.mark.parametrize(
    ("numbers", "side"),
    [
        ([12.0] * 9 + [5.0], "higher"),
        ([-2.0] * 9 + [5.0], "lower"),
        ([12.0] * 6 + [-2.0] * 5, "both"),
        ([4.0, 5.0, 6.0], "inside"),
        ([np.nan], "inside"),
    ],
)
def test_a_side_is_told_only_when_suspected_cases_lie_there(numbers, side):
    from kamp_lib.learning.reasons import _side

    assert _side(np.array(numbers), 0.0, 10.0) == side
