from __future__ import annotations

import numpy as np
import pandas as pd
from datasets.small_machine import MACHINE, check, shots

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.quality import WEIGHTS, quality_advice, quality_score
from kamp_lib.datasets.types import Quality


def score(frame: pd.DataFrame, **rest) -> Quality:
    given = {
        "rows_read": len(frame),
        "rows_quarantined": 0,
        "rows_duplicate": 0,
        **rest,
    }
    return quality_score(
        frame, check(frame), equipment=MACHINE, record_kind="shot", **given
    )


def test_clean_data_have_a_full_score():
    assert score(shots()).score == 100.0


def test_the_score_is_the_weighted_mean_of_its_parts():
    frame = shots().drop(columns="ts")
    frame.loc[:40, "cycle_time"] = np.nan
    quality = score(frame, rows_quarantined=10, rows_duplicate=5)
    mean = sum(w * getattr(quality, part) for part, w in WEIGHTS.items())
    assert abs(quality.score - mean) < 0.11


def test_gaps_lower_completeness_only():
    frame = shots()
    frame.loc[:199, "cycle_time"] = np.nan
    quality = score(frame)
    assert quality.completeness < 100
    assert quality.uniqueness == quality.consistency == quality.timeliness == 100


def test_quarantined_rows_lower_validity():
    assert score(shots(), rows_quarantined=100).validity == 75.0


def test_missing_time_lowers_timeliness():
    assert score(shots().drop(columns="ts")).timeliness == 50.0


def test_every_part_stays_between_0_and_100():
    frame = shots()
    findings = [finding("repeated-header", count=1)] + [
        finding("single-class-label", column="y", value="Y", severity="error")
    ] * 9
    quality = quality_score(
        frame,
        findings,
        rows_read=1,
        rows_quarantined=1,
        rows_duplicate=1,
        equipment=MACHINE,
        record_kind="shot",
    )
    assert all(0 <= value <= 100 for value in quality.model_dump().values())


def test_advice_names_the_weightiest_part_first():
    frame = shots().drop(columns="ts")
    advice = quality_advice(score(frame), [])
    assert advice[0].en.startswith("Timeliness (+5.0)")
    assert quality_advice(score(shots()), []) == []


def test_a_placeholder_counts_against_its_column_where_no_range_is_known():
    frame = pd.DataFrame({"a": [-999.0, *range(99)], "b": range(100)})
    found = finding("sentinel-value", columns=["a"], count=1, column="a", value="-999")
    quality = quality_score(
        frame,
        [found],
        rows_read=100,
        rows_quarantined=0,
        rows_duplicate=0,
        equipment="generic",
        record_kind=None,
    )
    assert quality.validity == 99


def test_advice_says_what_to_do_about_the_cause():
    found = finding("duplicate-rows", count=40)
    advice = quality_advice(score(shots(), rows_duplicate=40), [found])
    assert advice[0].en.endswith("Check whether the same period was exported twice.")
