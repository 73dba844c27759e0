from __future__ import annotations

import numpy as np
import pandas as pd
from datasets.small_machine import check, found, samples, shots

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import checks


def test_a_label_of_one_kind_is_found():
    frame = shots().assign(verdict="Y")
    single = found(frame, "single-class-label")
    assert (single[0].count, single[0].examples) == (400, ["Y"])


def test_a_label_of_one_kind_in_two_spellings_is_one_kind():
    frame = shots().assign(verdict=pd.array(["Y", "y"] * 200, "string"))
    assert found(frame, "single-class-label")[0].count == 400


def test_a_label_is_known_by_its_name_where_the_catalogue_knows_none():
    frame = shots().drop(columns="verdict").assign(TAG="OK")
    codes = {f.code for f in checks.check(frame, equipment_type("generic"), "record")}
    assert "single-class-label" in codes


def test_a_column_that_repeats_the_label_is_found():
    frame = shots()
    frame["inspect"] = frame["verdict"].map({"Y": "PASS", "N": "FAIL"})
    assert found(frame, "label-in-disguise")[0].columns == ["inspect", "verdict"]


def test_a_column_filled_only_for_failures_is_found():
    frame = shots()
    frame["remark"] = pd.array(np.where(frame["verdict"] == "N", "gas", None), "string")
    assert found(frame, "label-in-disguise")[0].columns[0] == "remark"


def test_a_number_that_splits_the_labels_is_found():
    frame = shots()
    frame["depth"] = np.where(frame["verdict"] == "N", 9.0, 1.0) + np.random.rand(400)
    assert found(frame, "label-in-disguise")[0].columns[0] == "depth"


def test_few_runs_can_be_split_by_chance_and_raise_nothing():
    frame = samples(runs=6)
    clamp = {r: i for i, r in enumerate(["00", "02", "04", "01", "03", "05"])}
    frame["clamp"] = frame["run_id"].map(clamp).astype(float)
    assert found(frame, "label-in-disguise", "sample") == []


def test_equal_process_values_with_both_labels_are_twins():
    left, right = shots(), shots()
    right["verdict"] = "Y"
    failures = int((left["verdict"] == "N").sum())
    frame = pd.concat([left.assign(side="L"), right.assign(side="R")])
    twins = found(frame, "contradicting-twins")
    assert twins[0].count == failures
    assert f"{2 * failures:,}" in twins[0].message_en


def test_check_accepts_an_empty_frame():
    assert check(shots().head(0)) == []


def test_flags_that_are_up_only_for_bad_records_are_kinds_of_failure():
    rng = np.random.default_rng(0)
    frame = shots(2000).drop(columns="verdict")
    kind = rng.choice(["", "wear", "heat"], 2000, p=[0.95, 0.03, 0.02])
    frame["TWF"], frame["HDF"] = (kind == "wear") * 1, (kind == "heat") * 1
    frame["Machine failure"] = (kind != "") * 1
    findings = checks.check(frame, equipment_type("generic"), "record")
    flags = [f for f in findings if f.code == "label-in-disguise"]
    assert flags[0].columns == ["TWF", "HDF", "Machine failure"]


def test_a_flag_that_is_up_for_good_records_too_is_no_kind_of_failure():
    rng = np.random.default_rng(0)
    frame = shots(2000).drop(columns="verdict")
    frame["night"] = (rng.random(2000) < 0.3) * 1
    frame["failure"] = (rng.random(2000) < 0.1) * 1
    findings = checks.check(frame, equipment_type("generic"), "record")
    assert [f for f in findings if f.code == "label-in-disguise"] == []


def test_grades_from_0_to_4_are_not_read_as_good_and_bad():
    frame = shots().assign(verdict=np.arange(400) % 5)
    codes = {f.code for f in check(frame)}
    assert "graded-label" in codes
    assert not codes & {"label-in-disguise", "contradicting-twins"}


def test_a_label_is_known_by_its_values_where_they_are_plain():
    frame = shots().drop(columns="verdict")
    frame["상태"] = pd.array(np.where(np.arange(400) % 9 == 0, "NG", "OK"), "string")
    frame["후처리"] = frame["상태"].map({"NG": "폐기", "OK": "출하"})
    findings = checks.check(frame, equipment_type("generic"), "record")
    disguised = [f for f in findings if f.code == "label-in-disguise"]
    assert disguised[0].columns == ["후처리", "상태"]


def test_settings_that_repeat_make_no_twins():
    rng = np.random.default_rng(0)
    frame = shots(400)[["_file", "_row", "verdict"]].assign(
        exposure_time=rng.choice([100, 200], 400),
        gain=rng.choice([1.5, 2.5], 400),
        light_level=rng.integers(1, 100, 400),
        defect_class=lambda f: f["verdict"].map({"Y": "ok", "N": "ng"}),
    )
    findings = checks.check(frame, "machine-vision", "image")
    assert [f for f in findings if f.code == "contradicting-twins"] == []


def test_runs_with_an_empty_label_are_named():
    frame = samples(runs=6)
    frame.loc[frame["run_id"] == "03", "verdict"] = None
    blank = found(frame, "unlabelled-runs", "sample")
    assert blank[0].examples == ["03"]


def test_a_label_in_several_spellings_is_a_label():
    frame = shots().drop(columns="verdict")
    frame["판정"] = pd.array(["OK", "ok", "ＯＫ", "NG"] * 100, "string")
    frame["후처리"] = frame["판정"].eq("NG").map({True: "폐기", False: "출하"})
    findings = checks.check(frame, equipment_type("generic"), "record")
    assert any(f.code == "label-in-disguise" for f in findings)
