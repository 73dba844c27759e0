"""A model is used forward in time: there it has to beat the baseline, too."""

from dataclasses import replace

import pytest
from learning.quality_data import family_task, lots

from kamp_lib.learning import quality_classification as quality
from kamp_lib.learning.outcome import Score
from kamp_lib.learning.quality_decide import verdict_of


@pytest.fixture(scope="module")
def judged():
    frame = lots()
    task = family_task(frame, {"lot": "id"}, target="bad", group="lot", folds=4)
    return quality.judge(quality.fit(quality.split(quality.prepare(frame, task))))


def test_the_lift_of_a_clear_signal_forward_in_time_is_clear(judged):
    assert judged.forward_lift.low > 0
    assert verdict_of(judged).value == "usable"


@pytest.mark.parametrize(
    ("lift_low", "area_low"),
    [(0.01, 0.47), (-0.01, 0.6), (None, 0.6), (0.01, None)],
)
def test_forward_figures_that_touch_the_baseline_are_not_usable(
    judged, lift_low, area_low
):
    """0.11 against 0.05 with a ROC area of 0.47 to 0.75 is no foresight."""
    forward = {
        "average_precision": Score(value=0.11, low=0.2, high=0.33),
        "roc_auc": Score(value=0.61, low=area_low, high=0.75),
    }
    lift = Score(value=0.06, low=lift_low, high=0.27)
    late = replace(judged, forward=forward, forward_lift=lift)
    codes = [r.code for r in verdict_of(late).reasons]
    assert codes == ["not-better-than-baseline"]
