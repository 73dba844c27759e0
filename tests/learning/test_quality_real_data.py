"""Quality classification on the real KAMP files; skipped where they are absent."""

import time

import numpy as np
import pandas as pd
import pytest
from learning.quality_data import family_task, kamp_injection, real

from kamp_lib.learning import quality_classification as quality
from kamp_lib.learning.scores import average_precision, resampled

SIMPLE = ("mahalanobis", "neighbours", "logistic")


@pytest.mark.parametrize("product", ["CN7", "RG3", None])
def test_on_every_day_the_choice_is_within_noise_of_the_best_simple_one(product):
    frame, task = kamp_injection(product)
    contest = quality.fit(quality.split(quality.prepare(frame, task)))
    cases = contest.plan.cases
    random = np.random.default_rng(0)
    for day in np.unique(cases.group[cases.label == 1]):
        at = cases.group == day
        label = cases.label[at]
        if label.sum() < 2:  # one bad shot has no noise to be held against
            continue
        scores = {name: contest.held_out[name][at] for name in SIMPLE}
        best = max(scores, key=lambda n: average_precision(label, scores[n]))
        draws = random.multinomial(len(label), np.full(len(label), 1 / len(label)), 500)
        ours = resampled("average_precision", label, contest.score[at], draws * 1.0)
        theirs = resampled("average_precision", label, scores[best], draws * 1.0)
        assert np.nanquantile(ours - theirs, 0.975) >= 0, day


@pytest.mark.parametrize("product", ["CN7", "RG3", None])
def test_the_verdict_on_kamp_injection_is_not_usable_yet(product):
    frame, task = kamp_injection(product)
    outcome = quality.analyse(frame, task)
    assert outcome.verdict.value == "not-usable-yet"
    assert outcome.verdict.collect


def test_cn7_has_1995_shots_20_of_them_bad_on_3_of_7_days():
    frame, task = kamp_injection("CN7")
    cases = quality.prepare(frame, task).cases
    assert (cases.rows, len(cases), cases.positives) == (3974, 1995, 20)
    assert (len(set(cases.group)), cases.positive_groups) == (7, 3)


def test_shuffled_rows_of_cn7_would_have_flattered():
    frame, task = kamp_injection("CN7")
    outcome = quality.analyse(frame, task)
    honest = outcome.metrics["average_precision"].value
    assert outcome.shuffled["average_precision"].value > honest + 0.1


def test_the_press_file_has_no_label_and_says_so_in_time():
    frame = pd.read_csv(real("kamp_press/press.csv"))
    date = pd.to_datetime(frame.pop("working_time"), format="%m/%d/%y %H:%M")
    frame["ts"] = date.dt.tz_localize("UTC")
    kinds = {"ts": "time", "machine_name": "category", "item_no": "category"}
    started = time.monotonic()
    outcome = quality.analyse(frame, family_task(frame, kinds))
    assert time.monotonic() - started < 15
    assert [r.code for r in outcome.verdict.reasons] == ["no-label"]
    assert len(outcome.tables["cases"]) == 64_359


def test_trees_win_on_ai4i():
    frame = pd.read_csv(real("ai4i2020/ai4i2020.csv"), encoding="utf-8-sig")
    frame = frame.drop(columns=["UDI", "Product ID"])
    task = family_task(
        frame,
        {"Type": "category"},
        target="Machine failure",
        features="Type,Air temperature,Process temperature,Rotational speed,"
        "Torque,Tool wear",
        folds=3,
    )
    outcome = quality.analyse(frame, task)
    assert outcome.method == "trees"
    assert outcome.metrics["average_precision"].value > 0.45
    assert outcome.metrics["average_precision"].low > 0.3


def test_the_failure_modes_of_ai4i_leak():
    frame = pd.read_csv(real("ai4i2020/ai4i2020.csv"), encoding="utf-8-sig")
    frame = frame.drop(columns=["UDI", "Product ID"])
    task = family_task(frame, {"Type": "category"}, target="Machine failure")
    leaking = quality.prepare(frame, task).leaking
    assert set(leaking) == {"TWF", "HDF", "PWF", "OSF"}
