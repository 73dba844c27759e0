from __future__ import annotations

import numpy as np
import pandas as pd
from small_machine import check, found, samples, shots

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import checks


def test_a_label_of_one_kind_is_found():
    frame = shots().assign(verdict="Y")
    single = found(frame, "single-class-label")
    assert (single[0].count, single[0].examples) == (400, ["Y"])


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
