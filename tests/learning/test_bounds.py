"""Large data: samples keep the bad cases, are told, and change nothing on small data."""

import numpy as np
import pandas as pd
import pytest
from learning.quality_data import family_task, lots

from kamp_lib.learning import bounds
from kamp_lib.learning import quality_classification as quality
from kamp_lib.learning.bounds import sample
from kamp_lib.text import Text

KINDS = {"lot": "id"}


@pytest.fixture(scope="module")
def small():
    frame = lots(groups=8, size=60)
    return frame, family_task(frame, KINDS, target="bad", group="lot", folds=4)


@pytest.fixture(scope="module")
def bounded(small):
    """The same analysis with bounds that small data meet."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("competition", "quality_decide"):
            patch.setattr(f"kamp_lib.learning.{module}.LEARNT", 200)
            patch.setattr(f"kamp_lib.learning.{module}.CHOSEN_ON", 160)
        for module in ("quality_judge", "quality_decide"):
            patch.setattr(f"kamp_lib.learning.{module}.SHUFFLED", 150)
        patch.setattr("kamp_lib.learning.quality_why.EXPLAINED", 30)
        frame, task = small
        return quality.analyse(frame, task)


def test_a_sample_of_few_cases_is_all_of_them():
    few = sample(np.array([0.0, 1.0, np.nan]), 3, seed=0)
    assert few.at.tolist() == [0, 1, 2]
    assert few.weight is None


def test_a_sample_keeps_every_bad_case_up_to_half():
    label = np.zeros(1000)
    label[::20] = 1
    few = sample(label, 200, seed=0)
    assert (label[few.at] == 1).sum() == 50
    assert (np.diff(few.at) > 0).all()
    label[:600] = 1
    assert (label[sample(label, 200, seed=0).at] == 1).sum() == 100


def test_the_cases_of_a_sample_stand_for_all_of_them():
    label = (np.random.default_rng(0).random(5000) < 0.03).astype(float)
    few = sample(label, 400, seed=1)
    assert few.weight.sum() == pytest.approx(5000)
    assert np.average(label[few.at], weights=few.weight) == pytest.approx(label.mean())


def test_a_sample_is_the_same_with_the_same_seed_and_another_with_another():
    label = np.zeros(1000)
    assert (sample(label, 50, seed=4).at == sample(label, 50, seed=4).at).all()
    assert (sample(label, 50, seed=4).at != sample(label, 50, seed=5).at).any()


def test_every_case_is_still_scored_and_counted(bounded, small):
    cases, thresholds = bounded.tables["cases"], bounded.tables["thresholds"]
    assert cases["score"].notna().all()
    counted = thresholds["missed"] + thresholds["true_alarms"]
    assert (counted == small[0]["bad"].sum()).all()
    assert bounded.split.cases == len(small[0])


def test_the_page_says_which_samples_were_used(bounded):
    assert "표본" in bounded.split.how.ko
    assert "samples" in bounded.split.how.en
    assert bounded.notes["sample_learnt"] == 200
    assert bounded.notes["sample_chosen_on"] == 160
    assert bounded.notes["sample_shuffled"] == 150
    assert bounded.notes["sample_explained"] == 30


def test_nothing_is_said_about_samples_when_everything_was_looked_at(small):
    frame, task = small
    whole = quality.analyse(frame, task)
    assert "표본" not in whole.split.how.ko
    assert not [name for name in whole.notes if name.startswith("sample_")]


def test_a_bounded_run_comes_to_the_same_causes(bounded):
    assert set(bounded.tables["causes"]["column"][:2]) == {"pressure", "cushion"}
    assert bounded.verdict.value in ("usable", "not-usable-yet")


def test_one_bound_is_said_in_both_languages():
    said = bounds.Bounds(learnt=100_000).said(Text("샷", "shot"))
    assert "한 번에 배운 샷 100,000건" in said.ko
    assert "100,000 shot cases learnt from" in said.en
    assert bounds.Bounds().said(Text("샷", "shot")) == Text("", "")


def test_a_sample_for_the_causes_alone_says_nothing_of_scores_that_are_not_there():
    said = bounds.Bounds(explained=2000).said(Text("스트로크", "stroke"))
    assert "2,000건" in said.ko
    assert "성능" not in said.ko
    assert "2,000 flagged stroke cases" in said.en


def test_scoring_in_blocks_equals_scoring_at_once(small, monkeypatch):
    from kamp_lib.learning.competition import fit_all

    frame, task = small
    numbers = quality.fit(quality.split(quality.prepare(frame, task))).numbers
    everything = np.arange(len(frame))
    fits = fit_all(numbers, everything, ["mahalanobis", "logistic", "trees"], 0)
    whole = {name: fit.score(numbers, everything) for name, fit in fits.items()}
    blocks = bounds.blocks
    monkeypatch.setattr(
        "kamp_lib.learning.competition.blocks", lambda at: blocks(at, 37)
    )
    for name, fit in fits.items():
        np.testing.assert_allclose(
            fit.score(numbers, everything), whole[name], atol=1e-9
        )


def test_cases_do_not_depend_on_the_columns_that_nobody_looks_at(small):
    frame, task = small
    wide = frame.assign(note=[f"remark {k}" for k in range(len(frame))])
    ours = quality.prepare(wide, task).cases
    pd.testing.assert_frame_equal(ours.frame, quality.prepare(frame, task).cases.frame)
