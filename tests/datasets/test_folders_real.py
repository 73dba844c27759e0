"""Real folders in one go: each ends in one table, or in a sentence that says why not."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest

from kamp_lib.datasets import read
from kamp_lib.errors import KampError


def test_the_label_file_among_cnc_runs_is_found(real_data: Path) -> None:
    raw = read(real_data / "kamp_cnc")
    frame = raw.table.select(["run_id", "tool_condition"]).to_pandas()
    judged = frame.groupby("run_id")["tool_condition"].agg(["nunique", "first"])
    assert raw.labels is not None
    assert raw.labels.name == "train.csv"
    assert (raw.rows_read, len(judged), judged["nunique"].max()) == (32_048, 25, 1)
    assert judged["first"].value_counts().to_dict() == {"worn": 14, "unworn": 11}


def test_the_two_equal_cnc_runs_are_named(real_data: Path) -> None:
    found = [
        f for f in read(real_data / "kamp_cnc").findings if f.code == "same-file-twice"
    ]
    assert [f.examples for f in found] == [["experiment_14.csv = experiment_24.csv"]]


def test_the_pump_test_bed_keeps_its_folders(real_data: Path) -> None:
    raw = read(real_data / "skab")
    kinds = pc.unique(raw.table["folder"]).to_pylist()
    assert sorted(kinds) == ["anomaly-free", "other", "valve1", "valve2"]
    assert (len(raw.sources), raw.rows_read) == (35, 46_806)
    assert "files-left-aside" in {f.code for f in raw.findings}


def test_months_of_spare_parts_become_records(real_data: Path) -> None:
    raw = read(real_data / "carparts" / "carparts.csv")
    blank = pc.sum(pc.equal(raw.table["value"], "")).as_py()
    assert raw.columns == ["Part", "period", "value"]
    assert (raw.rows_read, raw.table.num_rows, blank) == (136_374, 136_374, 6_122)
    assert raw.table["period"][50].as_py() == "2002-03-01"


def test_three_versions_of_one_injection_table_are_not_mixed(real_data: Path) -> None:
    with pytest.raises(KampError, match="3개"):
        read(real_data / "kamp_injection_moulding")


def test_the_list_of_lives_among_engine_runs_is_left_aside(real_data: Path) -> None:
    raw = read(real_data / "cmapss")
    [found] = [f for f in raw.findings if f.code == "stranger-file"]
    assert found.examples == ["RUL_FD001.txt"]
    assert raw.rows_read == 20_631 + 13_096


def test_twins_of_castings_are_counted_by_split_and_class(real_data: Path) -> None:
    raw = read(real_data / "vision_casting")
    [found] = [f for f in raw.findings if f.code == "near-duplicate-images"]
    assert found.count == 44
    assert "22 on both sides of the split." in found.message_en
