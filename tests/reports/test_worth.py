from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.reports.facts import Facts, Point
from kamp_lib.reports.worth import Prices, nearest, worth

PRICES = Prices(
    cost_missed=50_000, cost_false_alarm=2_000, cases_per_month=10_000, bad_share=0.02
)
FACTS = Facts(good_cases=980, bad_cases=20)


def point(missed: int, false_alarms: int) -> Point:
    return Point(
        threshold=0.5,
        flagged=20 - missed + false_alarms,
        missed=missed,
        false_alarms=false_alarms,
        true_alarms=20 - missed,
    )


def test_a_month_worked_out_by_hand() -> None:
    # 200 defects: 5 of 20 missed -> 50 at 50,000; 9,800 good: 98 of 980 -> 980 at 2,000
    month = worth(point(5, 98), FACTS, PRICES)
    assert month.cost == pytest.approx(50 * 50_000 + 980 * 2_000)
    # letting all pass costs 10 million, rechecking all 19.6 million
    assert month.saving == pytest.approx(10_000_000 - 4_460_000)


def test_finding_nothing_saves_nothing() -> None:
    assert worth(point(20, 0), FACTS, PRICES).saving == pytest.approx(0)


def test_the_share_of_bad_cases_is_the_companys_not_the_samples() -> None:
    even = Facts(good_cases=20, bad_cases=20)
    assert worth(point(5, 0), even, PRICES).defects == pytest.approx(200)


@given(
    st.integers(0, 20),
    st.integers(0, 980),
    st.floats(0, 1e9),
    st.floats(0, 1e9),
    st.floats(0, 1),
)
def test_found_and_missed_always_add_up(
    missed: int, false_alarms: int, loss: float, fee: float, share: float
) -> None:
    prices = Prices(loss, fee, 10_000, share)
    month = worth(point(missed, false_alarms), FACTS, prices)
    assert month.found + month.missed == pytest.approx(month.defects)
    assert month.saving <= month.without


def test_editing_a_price_marks_it_as_the_companys() -> None:
    assert PRICES.put("cost_missed", 1.0).edited == {"cost_missed"}


@pytest.mark.parametrize(
    ("threshold", "index"), [(0.0, 0), (0.2, 1), (0.25, 2), (9, 2)]
)
def test_the_nearest_threshold_is_not_below(threshold: float, index: int) -> None:
    points = [point(0, 0).model_copy(update={"threshold": t}) for t in (0.1, 0.2, 0.3)]
    assert nearest(points, threshold) == index
