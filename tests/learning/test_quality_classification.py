"""The whole analysis: tables of a bundle, model, reasons, refusals."""

import numpy as np
import pandas as pd
import pytest
from learning.quality_data import family_task, lots

from kamp_lib.errors import UsageError
from kamp_lib.learning import load_model
from kamp_lib.learning import quality_classification as quality
from kamp_lib.text import language

KINDS = {"lot": "id"}


@pytest.fixture(scope="module")
def frame():
    return lots()


@pytest.fixture(scope="module")
def outcome(frame):
    task = family_task(frame, KINDS, target="bad", group="lot", folds=5)
    return quality.analyse(frame, task)


def test_clear_signal_in_enough_lots_is_usable(outcome):
    assert outcome.verdict.value == "usable"
    assert outcome.metrics["average_precision"].low > 0.12


def test_every_table_of_the_bundle_is_there(outcome):
    assert set(outcome.tables) == {
        "cases",
        "groups",
        "candidates",
        "causes",
        "thresholds",
        "calibration",
        "ranges",
    }


def test_every_case_is_scored_once_without_its_lot(outcome, frame):
    cases = outcome.tables["cases"]
    assert len(cases) == len(frame)
    assert cases["score"].between(0, 1).all()
    assert cases["case"].is_unique


def test_flagged_cases_have_reasons_in_both_languages(outcome):
    cases = outcome.tables["cases"]
    flagged = cases[cases["score"] >= outcome.threshold]
    assert flagged["reason_ko"].notna().all()
    assert flagged["reason_en"].notna().all()
    assert flagged["reason_ko"].str.contains("평소").any()


def test_the_true_causes_come_first_and_point_the_right_way(outcome):
    causes = outcome.tables["causes"].set_index("column")
    assert set(causes.index[:2]) == {"pressure", "cushion"}
    assert causes.loc["pressure", "direction"] == "higher"
    assert causes.loc["cushion", "direction"] == "lower"


def test_group_counts_add_up_to_the_thresholds_table(outcome):
    groups, thresholds = outcome.tables["groups"], outcome.tables["thresholds"]
    row = thresholds[thresholds["threshold"] == outcome.threshold].iloc[0]
    assert groups["missed"].sum() == row["missed"]
    assert groups["false_alarms"].sum() == row["false_alarms"]


def test_the_same_seed_gives_the_same_metrics(outcome, frame):
    task = family_task(frame, KINDS, target="bad", group="lot", folds=5)
    again = quality.analyse(frame, task)
    assert again.metrics == outcome.metrics
    assert again.shuffled == outcome.shuffled


def test_another_price_moves_the_threshold(outcome, frame):
    dear = family_task(
        frame, KINDS, target="bad", group="lot", folds=5, cost_false_alarm=400_000
    )
    assert quality.analyse(frame, dear).threshold > outcome.threshold


def test_a_model_comes_back_from_disk_the_same(outcome, frame, tmp_path):
    outcome.model.save(tmp_path)
    again = load_model(tmp_path)
    assert np.abs(again.risk(frame) - outcome.model.risk(frame)).max() < 1e-9
    pd.testing.assert_frame_equal(
        again.contributions(frame), outcome.model.contributions(frame)
    )


@pytest.mark.parametrize("name", ["mahalanobis", "neighbours", "logistic", "trees"])
def test_every_candidate_survives_the_disk_without_pickle(name, frame, tmp_path):
    from dataclasses import replace

    from kamp_lib.learning.competition import fit_all

    task = family_task(frame, KINDS, target="bad", group="lot", folds=3)
    contest = quality.fit(quality.split(quality.prepare(frame, task)))
    everything = np.arange(len(frame))
    fit = fit_all(contest.numbers, everything, [name], seed=0)[name]
    model = replace(contest.model, scaler=fit.scaler, fitted=fit.fitted)
    model.save(tmp_path)
    assert np.abs(load_model(tmp_path).risk(frame) - model.risk(frame)).max() < 1e-9
    for file in tmp_path.iterdir():
        assert file.suffix in (".json", ".npz", ".ubj")
    if (tmp_path / "arrays.npz").exists():
        with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
            assert all(arrays[k].dtype.kind == "f" for k in arrays.files)


def test_risk_reads_a_missing_column_as_typical(outcome, frame):
    usual = outcome.tables["ranges"].set_index("column")["typical"]
    whole = pd.DataFrame([usual.to_dict()])
    part = whole.drop(columns="temperature")
    empty = whole.assign(temperature=np.nan)
    risk = outcome.model.risk
    assert risk(part) == risk(empty)
    assert abs(risk(part)[0] - risk(whole)[0]) < 0.02


def test_a_column_that_knows_the_answer_is_left_out_and_told(frame):
    known = frame.assign(repair_minutes=frame["bad"] * 30.0 + frame["pressure"] * 0.01)
    task = family_task(known, KINDS, target="bad", group="lot", folds=4)
    outcome = quality.analyse(known, task)
    assert "leaking-column" in [r.code for r in outcome.verdict.reasons]
    assert "repair_minutes" not in outcome.model.columns


def test_a_flag_that_only_bad_cases_have_leaks_too(frame):
    flag = ((frame["bad"] == 1) & (frame.index % 3 == 0)).astype(int)
    known = frame.assign(mode=flag)
    task = family_task(known, KINDS, target="bad", group="lot")
    assert "mode" in quality.prepare(known, task).leaking


def test_one_kind_of_label_ends_in_not_usable_yet(frame):
    only_good = frame.assign(bad=0)
    task = family_task(only_good, KINDS, target="bad", group="lot")
    outcome = quality.analyse(only_good, task)
    assert [r.code for r in outcome.verdict.reasons] == ["single-class-label"]
    assert outcome.metrics["average_precision"].value is None


def test_without_labels_there_are_control_charts_that_find_a_shift(frame):
    shifted = frame.drop(columns="bad")
    shifted.loc[600:, "temperature"] += 8
    task = family_task(shifted, KINDS, group="lot")
    outcome = quality.analyse(shifted, task)
    chart = outcome.tables["control_chart"]
    assert [r.code for r in outcome.verdict.reasons] == ["no-label"]
    assert set(chart["statistic"]) == {"T2", "Q"}
    flagged = outcome.tables["cases"]["score"] >= outcome.threshold
    assert flagged[600:].mean() > 0.9
    assert flagged[:600].mean() < 0.05
    assert outcome.tables["causes"]["column"].iloc[0] == "temperature"


def test_charts_survive_the_disk(frame, tmp_path):
    plain = frame.drop(columns="bad")
    outcome = quality.analyse(plain, family_task(plain, KINDS, group="lot"))
    outcome.model.save(tmp_path)
    assert (load_model(tmp_path).risk(plain) == outcome.model.risk(plain)).all()


def test_an_unknown_target_column_is_a_usage_error(frame):
    with pytest.raises(UsageError, match="nothing"):
        family_task(frame, KINDS, target="nothing")


def test_each_step_can_be_looked_at(frame):
    task = family_task(frame, KINDS, target="bad", group="lot", folds=3)
    prepared = quality.prepare(frame, task)
    plan = quality.split(prepared)
    contest = quality.fit(plan)
    judged = quality.judge(contest)
    for step in (prepared, plan, contest, judged, quality.explain(judged)):
        assert "<table" in step._repr_html_()
    assert language() == "ko"


def test_a_single_day_is_told_as_a_day_however_its_order_is_cut(frame):
    day = frame.drop(columns="lot")
    day["ts"] = pd.date_range("2026-03-02", periods=len(day), freq="30s", tz="UTC")
    task = family_task(day, {"ts": "time"}, target="bad", folds=3)
    verdict = quality.analyse(day, task).verdict
    assert "too-few-groups" in [r.code for r in verdict.reasons]
    assert "4일 이상" in verdict.collect[0].ko


def test_two_groups_and_one_input_end_in_an_answer():
    """Nothing is left to choose on when one of two groups is held out."""
    frame = lots(groups=2, size=80)[["pressure", "lot", "bad"]]
    task = family_task(frame, KINDS, target="bad", group="lot")
    outcome = quality.analyse(frame, task)
    assert outcome.method == "mahalanobis"
    assert outcome.verdict.value == "not-usable-yet"
    assert "too-few-groups" in [r.code for r in outcome.verdict.reasons]
