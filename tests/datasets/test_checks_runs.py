from __future__ import annotations

import numpy as np
import pandas as pd
from datasets.small_machine import found, samples


def with_copy(alter: list[str], label: str = "Y") -> pd.DataFrame:
    """Run 00 once more as run 99, with some columns scaled."""
    frame = samples().assign(
        torque=lambda f: np.random.default_rng(3).normal(9, 1, len(f)).round(3)
    )
    copy = frame[frame["run_id"] == "00"].assign(
        run_id="99", _file="run99.csv", verdict=label
    )
    for name in alter:
        copy[name] = (1.03 * copy[name] + 0.2).round(2)
    return pd.concat([frame, copy], ignore_index=True)


def test_a_copied_run_is_named_with_its_original():
    copies = found(with_copy([]), "copied-runs", "sample")
    assert copies[0].examples == ["00 = 99"]
    assert "every value equal" in copies[0].message_en
    assert "labels differ" not in copies[0].message_en


def test_a_copy_with_the_opposite_label_says_so():
    copies = found(with_copy([], label="N"), "copied-runs", "sample")
    assert "labels differ" in copies[0].message_en


def test_an_altered_copy_is_found_by_the_columns_that_were_left():
    copies = found(with_copy(["spindle_current", "torque"]), "copied-runs", "sample")
    assert copies[0].examples == ["00 = 99"]


def test_part_of_a_run_pasted_into_another_is_found():
    frame = with_copy([])
    rng = np.random.default_rng(9)
    fresh = (frame["run_id"] == "99") & (frame["_row"] > 180)
    for name in ("spindle_current", "barrel_temperature", "vibration", "torque"):
        frame.loc[fresh, name] = rng.normal(20, 3, fresh.sum()).round(3)
    assert found(frame, "copied-runs", "sample")[0].examples == ["00 = 99"]


def test_runs_of_one_programme_share_positions_and_are_no_copies():
    frame = samples()
    path = np.sin(np.linspace(0, 9, 300)).round(3)
    frame["position"] = np.tile(path, 6)
    assert found(frame, "copied-runs", "sample") == []
