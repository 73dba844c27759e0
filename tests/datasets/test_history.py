"""Versions: what made them, how they differ, going back, and giving old ones up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.datasets import ingest, open_dataset, restore, undo
from kamp_lib.datasets.storage.retention import (
    Policy,
    policies_path,
    policy_for,
    remember_policy,
    retain,
)
from kamp_lib.datasets.storage.store import Store
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant

KIND = "generic"


def csv(folder: Path, year: int, rows: int = 30, **changes: object) -> Path:
    rng = np.random.default_rng(year)
    time = pd.date_range(f"{year}-01-01", periods=rows, freq="61s").astype(str)
    frame = pd.DataFrame({"time": time, "x": rng.normal(5, 1, rows)})
    path = folder / f"{year}.csv"
    frame.assign(**changes).to_csv(path, index=False)
    return path


@pytest.fixture
def three(tenant: Tenant, tmp_path: Path) -> Tenant:
    """Two appends and a replacement."""
    ingest(tenant, KIND, csv(tmp_path, 2020))
    ingest(tenant, KIND, csv(tmp_path, 2021, 20, x=50.5, y=np.arange(20) / 3))
    ingest(tenant, KIND, csv(tmp_path, 2022, 10), replace=True)
    return tenant


def run_record(tenant: Tenant, version: int, name: str = "") -> Path:
    folder = tenant.runs / (name or f"20260101-00000{version}-model-abc")
    folder.mkdir(parents=True)
    dataset = {"name": KIND, "version": version, "fingerprint": "f"}
    record = {
        "run": folder.name,
        "status": "succeeded",
        "model": {"id": "model"},
        "dataset": dataset,
        "started": "2026-01-01T00:00:00Z",
    }
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return folder / "run.json"


def originals(tenant: Tenant) -> int:
    return len(list(Store(tenant.data / KIND).originals.glob("*")))


def test_history_names_what_who_and_how_many(three: Tenant) -> None:
    undo(three, KIND)
    restore(three, KIND, 1)
    made = open_dataset(three, KIND).history()
    assert [(v.version, v.what, v.rows, v.to) for v in made] == [
        (1, "append", 30, None),
        (2, "append", 50, None),
        (3, "replace", 10, None),
        (4, "undo", 50, 2),
        (5, "restore", 30, 1),
    ]
    assert all(v.who and v.quality is not None for v in made)
    assert made[1].files == ["2021.csv"]


def test_a_difference_names_files_columns_ranges_and_findings(three: Tenant) -> None:
    found = open_dataset(three, KIND, 2).diff(open_dataset(three, KIND, 1))
    assert [(f.file, f.before, f.after) for f in found.files] == [("2021.csv", 0, 20)]
    assert [(c.column, c.before, c.after) for c in found.columns] == [("y", None, "double")]  # fmt: skip
    assert [r.column for r in found.ranges] == ["x"]
    assert "schema-drift" in {f.code for f in found.findings_new}


def test_a_version_does_not_differ_from_itself(three: Tenant) -> None:
    found = open_dataset(three, KIND).diff(open_dataset(three, KIND))
    lists = (found.files, found.columns, found.ranges)
    assert [*map(len, lists)] == [0, 0, 0]
    assert (found.findings_new, found.findings_gone) == ([], [])


def test_a_restored_version_is_a_new_one_and_can_be_undone(three: Tenant) -> None:
    before = open_dataset(three, KIND, 1).to_pandas()
    assert restore(three, KIND, 1).version == 4
    pd.testing.assert_frame_equal(open_dataset(three, KIND).to_pandas(), before)
    undo(three, KIND)
    assert open_dataset(three, KIND).rows == 10


def test_given_up_versions_lose_rows_and_originals(three: Tenant) -> None:
    done = retain(three, KIND, Policy(keep_versions=1))
    assert (done.given_up, originals(three)) == ([1, 2], 1)
    with pytest.raises(KampError, match="보관"):
        open_dataset(three, KIND, 1)
    assert open_dataset(three, KIND).rows == 10
    names = [v.files for v in open_dataset(three, KIND).history()]
    assert names[:2] == [["2020.csv"], ["2021.csv"]]


def test_a_dry_run_says_the_same_and_deletes_nothing(three: Tenant) -> None:
    planned = retain(three, KIND, Policy(keep_versions=1), dry_run=True)
    assert originals(three) == 3
    done = retain(three, KIND, Policy(keep_versions=1))
    assert (planned.given_up, planned.files) == (done.given_up, done.files)


def test_rows_of_an_undone_ingest_are_purged(three: Tenant) -> None:
    undo(three, KIND)
    retain(three, KIND, Policy(keep_versions=1))
    data = open_dataset(three, KIND)
    kept = {p.name for p in Store(three.data / KIND).table_folder.glob("*.parquet")}
    assert kept == {p.name for p in data.state.files}
    assert (data.rows, originals(three)) == (50, 2)


def test_young_versions_are_kept(three: Tenant) -> None:
    assert retain(three, KIND, Policy(keep_days=1)).given_up == []
    assert retain(three, KIND, Policy(keep_days=0)).given_up == [1, 2]


def test_cleaning_up_twice_changes_nothing(three: Tenant) -> None:
    retain(three, KIND, Policy(keep_versions=1))
    assert retain(three, KIND, Policy(keep_versions=1)).given_up == []
    assert open_dataset(three, KIND).version == 4


def test_a_version_that_a_run_used_is_kept_unless_told(three: Tenant) -> None:
    run_record(three, 1)
    done = retain(three, KIND, Policy(keep_versions=1))
    assert (done.given_up, list(done.used)) == ([2], [1])
    assert open_dataset(three, KIND, 1).rows == 30
    retain(three, KIND, Policy(keep_versions=1), even_used=True)
    with pytest.raises(KampError, match="보관"):
        open_dataset(three, KIND, 1)


def test_an_undo_to_a_version_that_was_given_up_is_refused(three: Tenant) -> None:
    retain(three, KIND, Policy(keep_versions=1))
    with pytest.raises(KampError, match="보관"):
        undo(three, KIND)
    assert open_dataset(three, KIND).rows == 10


def test_a_policy_is_remembered_for_one_data_set_and_for_all(tenant: Tenant) -> None:
    remember_policy(tenant, None, Policy(keep_days=30))
    remember_policy(tenant, KIND, Policy(keep_versions=2))
    assert policy_for(tenant, KIND) == Policy(keep_versions=2)
    assert policy_for(tenant, "other") == Policy(keep_days=30)


@pytest.mark.parametrize(
    "text", ["a: 5", "- x", "a: {keep: 1}", ": {", "a: {keep_days: -1}"]
)
def test_a_policy_file_that_says_nonsense_is_named(tenant: Tenant, text: str) -> None:
    policies_path(tenant).write_text(text, encoding="utf-8")
    with pytest.raises(KampError, match=r"retention\.yaml"):
        policy_for(tenant, KIND)


def test_a_policy_that_keeps_nothing_in_particular_is_refused(three: Tenant) -> None:
    with pytest.raises(UsageError, match="--keep"):
        retain(three, KIND, Policy())


def test_the_runs_of_a_data_set_are_found(three: Tenant) -> None:
    run_record(three, 2)
    found = open_dataset(three, KIND).runs()
    assert [(r.run, r.dataset.version) for r in found.runs if r.dataset] == [
        ("20260101-000002-model-abc", 2)
    ]


@pytest.mark.parametrize("how", ["nonsense", "link", "linked folder", "huge", "number"])
def test_a_hostile_record_of_a_run_is_not_believed(
    three: Tenant, tmp_path: Path, how: str
) -> None:
    record = run_record(three, 1)
    if how == "nonsense":
        record.write_text('{"run": 5}')
    elif how == "number":
        record.write_text(
            record.read_text().replace('"version": 1', '"version": 1e999')
        )
    elif how == "huge":
        with open(record, "ab") as file:
            file.truncate(17 * 2**20)
    elif how == "link":
        record.rename(tmp_path / "run.json")
        record.symlink_to(tmp_path / "run.json")
    else:
        moved = record.parent.rename(tmp_path / "moved")
        record.parent.symlink_to(moved)
    found = open_dataset(three, KIND).runs()
    assert found.runs == []
    assert len(found.unreadable) == (how != "linked folder")
