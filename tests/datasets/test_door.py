"""The door: counts that add up, versions, undo, replace, same file twice, dry run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kamp_lib.datasets import ingest, list_datasets, open_dataset, undo
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant

KIND = "generic"


def table(rows: int = 40, start: str = "2020-05-04", seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "time": pd.date_range(start, periods=rows, freq="61s").astype(str),
            "온도": rng.normal(200, 3, rows).round(3),
            "count": rng.integers(0, 1000, rows),
            "code": [f"{i:04}" for i in range(rows)],
            "판정": rng.choice(["양품", "불량"], rows),
        }
    )


def saved(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with its content's hash; locks aside."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.name.endswith(".lock")
    }


def values(tenant: Tenant, name: str = KIND) -> pd.DataFrame:
    return open_dataset(tenant, name).to_pandas().drop(columns=["_file", "_row"])


def test_rows_come_back_as_they_stood_in_the_file(
    tenant: Tenant, tmp_path: Path
) -> None:
    frame = table()
    ingest(tenant, KIND, saved(frame, tmp_path / "a.csv"), mapping=None)
    stored = open_dataset(tenant, KIND).to_pandas()
    assert stored["온도"].tolist() == frame["온도"].tolist()
    assert stored["code"].tolist() == frame["code"].tolist()
    assert stored["_row"].tolist() == list(range(2, 42))


def test_local_times_are_stored_in_utc(tenant: Tenant, tmp_path: Path) -> None:
    ingest(tenant, KIND, saved(table(), tmp_path / "a.csv"))
    times = open_dataset(tenant, KIND).to_pandas().select_dtypes("datetimetz")
    assert times.iloc[0, 0] == pd.Timestamp("2020-05-04", tz="Asia/Seoul")
    assert str(times.iloc[:, 0].dt.tz) == "UTC"


@pytest.mark.parametrize("variant", ["cp949", "semicolon", "tab", "bom", "xlsx"])
def test_the_same_table_in_another_format_is_stored_alike(
    tenant: Tenant, tmp_path: Path, variant: str
) -> None:
    frame = table()
    ingest(tenant, KIND, saved(frame, tmp_path / "a.csv"), dataset="plain")
    path = tmp_path / f"b.{'xlsx' if variant == 'xlsx' else 'csv'}"
    if variant == "xlsx":
        frame.to_excel(path, index=False)
    else:
        encoding = {"cp949": "cp949", "bom": "utf-8-sig"}.get(variant, "utf-8")
        delimiter = {"semicolon": ";", "tab": "\t"}.get(variant, ",")
        frame.to_csv(path, index=False, encoding=encoding, sep=delimiter)
    ingest(tenant, KIND, path, dataset="other")
    pd.testing.assert_frame_equal(values(tenant, "plain"), values(tenant, "other"))


def test_a_rejected_row_is_kept_verbatim_with_its_reason(
    tenant: Tenant, tmp_path: Path
) -> None:
    path = saved(table(), tmp_path / "a.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[6] = lines[6].replace(lines[6].split(",")[1], ' "12 kg"', 1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = ingest(tenant, KIND, path)
    row = open_dataset(tenant, KIND).quarantine().iloc[0]
    assert (result.rows_stored, result.rows_quarantined) == (39, 1)
    assert (row["_file"], row["_row"], row["reason_code"]) == (
        "a.csv",
        7,
        "not-a-number",
    )
    assert row["original"] == lines[6]


CELL = st.sampled_from(
    ["1.5", "20", "", "-", "x", "2020-01-02", "None", '"a,b"', "007"]
)
ROW = st.tuples(CELL, CELL, CELL)
RAGGED = st.lists(CELL, min_size=1, max_size=5)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(ROW, min_size=4, max_size=40),
    ragged=st.lists(RAGGED, max_size=3),
    random=st.randoms(use_true_random=False),
)
def test_rows_in_are_rows_out(
    tenant: Tenant, tmp_path: Path, rows: list, ragged: list, random: Random
) -> None:
    lines = [",".join(row) for row in [*rows, *ragged]]
    random.shuffle(lines)
    path = tmp_path / "fuzz.csv"
    text = "\n".join(["a,b,c", "1,2,x", *lines, "3,4,y"])
    path.write_text(text + "\n", encoding="utf-8")
    filled = [line for line in lines if line.strip(",")]
    result = ingest(tenant, KIND, path, dry_run=True)
    counted = result.rows_stored + result.rows_quarantined + result.rows_duplicate
    assert result.rows_read == counted == len(filled) + 2


def test_the_same_file_twice_changes_nothing(tenant: Tenant, tmp_path: Path) -> None:
    path = saved(table(), tmp_path / "a.csv")
    first = ingest(tenant, KIND, path)
    before = tree(tenant.data)
    again = ingest(tenant, KIND, path.rename(tmp_path / "renamed.csv"))
    assert (again.unchanged, again.rows_duplicate, again.rows_stored) == (True, 40, 0)
    assert again.quality == first.quality
    assert tree(tenant.data) == before


def test_rows_that_are_stored_already_are_duplicates(
    tenant: Tenant, tmp_path: Path
) -> None:
    frame = table(60)
    ingest(tenant, KIND, saved(frame[:40], tmp_path / "may.csv"))
    result = ingest(tenant, KIND, saved(frame[20:], tmp_path / "june.csv"))
    assert (result.rows_stored, result.rows_duplicate) == (20, 20)
    assert values(tenant)["code"].tolist() == frame["code"].tolist()


def test_a_dry_run_writes_nothing(tenant: Tenant, tmp_path: Path) -> None:
    before = sorted(tenant.home.rglob("*"))
    result = ingest(tenant, KIND, saved(table(), tmp_path / "a.csv"), dry_run=True)
    assert result.rows_stored == 40
    assert result.version is None
    assert sorted(tenant.home.rglob("*")) == before


def test_undo_takes_back_the_last_ingest_with_its_quarantine(
    tenant: Tenant, tmp_path: Path
) -> None:
    ingest(tenant, KIND, saved(table(seed=1), tmp_path / "a.csv"))
    before = values(tenant)
    more = table(30, "2020-06-01", 2).astype(str)
    more.loc[4, "온도"] = "뜨거움"
    ingest(tenant, KIND, saved(more, tmp_path / "b.csv"))
    assert len(open_dataset(tenant, KIND).quarantine()) == 1
    now = undo(tenant, KIND)
    assert now is not None
    assert now.version == 3
    assert len(now.quarantine()) == 0
    pd.testing.assert_frame_equal(values(tenant), before)


def test_undo_goes_back_step_by_step_to_nothing(tenant: Tenant, tmp_path: Path) -> None:
    for month in (1, 2, 3):
        frame = table(10, f"2020-{month:02}-01", month)
        ingest(tenant, KIND, saved(frame, tmp_path / f"{month}.csv"))
    left = []
    while (now := undo(tenant, KIND)) is not None:
        left.append(now.rows)
    assert left == [20, 10]
    assert list_datasets(tenant) == []


def test_a_data_set_can_be_filled_again_after_undo(
    tenant: Tenant, tmp_path: Path
) -> None:
    path = saved(table(), tmp_path / "a.csv")
    ingest(tenant, KIND, path)
    undo(tenant, KIND)
    other = pd.DataFrame(
        {"time": ["2020-05-04 10:00:00"] * 3, "온도": ["가", "나", "다"]}
    )
    ingest(tenant, KIND, saved(other, tmp_path / "b.csv"))
    assert values(tenant)["온도"].tolist() == ["가", "나", "다"]


def test_replace_takes_the_place_of_all_rows_and_can_be_undone(
    tenant: Tenant, tmp_path: Path
) -> None:
    ingest(tenant, KIND, saved(table(seed=1), tmp_path / "a.csv"))
    before = values(tenant)
    new = table(7, seed=2).rename(columns={"count": "pieces"})
    ingest(tenant, KIND, saved(new, tmp_path / "b.csv"), replace=True)
    assert values(tenant)["pieces"].tolist() == new["pieces"].tolist()
    undo(tenant, KIND)
    pd.testing.assert_frame_equal(values(tenant), before)


def test_an_old_version_stays_readable(tenant: Tenant, tmp_path: Path) -> None:
    ingest(tenant, KIND, saved(table(seed=1), tmp_path / "a.csv"))
    first = open_dataset(tenant, KIND)
    ingest(tenant, KIND, saved(table(9, seed=2), tmp_path / "b.csv"), replace=True)
    old = open_dataset(tenant, KIND, version=1)
    assert (old.rows, old.fingerprint) == (40, first.fingerprint)


def test_whole_numbers_that_get_fractions_widen_the_table(
    tenant: Tenant, tmp_path: Path
) -> None:
    one, two = table(seed=1), table(10, "2021-01-01", 2)
    two["count"] += 0.5
    ingest(tenant, KIND, saved(one, tmp_path / "a.csv"))
    ingest(tenant, KIND, saved(two, tmp_path / "b.csv"))
    stored = values(tenant)["count"].tolist()
    assert stored == [*one["count"].tolist(), *two["count"].tolist()]
    assert undo(tenant, KIND).rows == 40  # type: ignore[union-attr]


def test_a_column_that_turns_into_text_is_refused(
    tenant: Tenant, tmp_path: Path
) -> None:
    ingest(tenant, KIND, saved(table(seed=1), tmp_path / "a.csv"))
    before = tree(tenant.data)
    bad = table(10, "2021-01-01").assign(온도="뜨거움")
    with pytest.raises(KampError, match="온도"):
        ingest(tenant, KIND, saved(bad, tmp_path / "b.csv"))
    assert tree(tenant.data) == before


def test_simulated_rows_do_not_mix_with_real_ones(
    tenant: Tenant, tmp_path: Path
) -> None:
    ingest(tenant, KIND, saved(table(seed=1), tmp_path / "a.csv"))
    with pytest.raises(KampError, match="--dataset"):
        ingest(tenant, KIND, saved(table(seed=2), tmp_path / "b.csv"), simulated=True)


def test_simulated_data_says_so(tenant: Tenant, tmp_path: Path) -> None:
    result = ingest(tenant, KIND, saved(table(), tmp_path / "a.csv"), simulated=True)
    data = open_dataset(tenant, KIND)
    assert result.simulated
    assert data.simulated
    assert "모의" in data._repr_html_()


def test_the_mapping_is_remembered_and_an_edit_of_it_used(
    tenant: Tenant, tmp_path: Path
) -> None:
    first = ingest(tenant, KIND, saved(table(seed=1), tmp_path / "a.csv"))
    assert first.mapping_file is not None
    path = Path(first.mapping_file)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("name: 온도", "name: barrel"), encoding="utf-8")
    more = saved(table(10, "2021-01-01"), tmp_path / "b.csv")
    ingest(tenant, KIND, more, replace=True)
    assert "barrel" in values(tenant).columns


def test_a_missing_data_set_is_answered_with_those_there_are(
    tenant: Tenant, tmp_path: Path
) -> None:
    ingest(tenant, KIND, saved(table(), tmp_path / "a.csv"))
    with pytest.raises(KampError, match=KIND):
        open_dataset(tenant, "nothing")


@pytest.mark.parametrize("name", ["../x", "A", "", "a/b", "mappings", "x" * 70])
def test_names_that_lead_elsewhere_are_refused(
    tenant: Tenant, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError):
        ingest(tenant, KIND, saved(table(), tmp_path / "a.csv"), dataset=name or "-")


def test_the_same_content_and_version_have_one_fingerprint(
    tenant: Tenant, tmp_path: Path
) -> None:
    path = saved(table(), tmp_path / "a.csv")
    ingest(tenant, KIND, path, dataset="one")
    ingest(tenant, KIND, path, dataset="two")
    one, two = open_dataset(tenant, "one"), open_dataset(tenant, "two")
    ingest(
        tenant, KIND, saved(table(5, "2022-01-01"), tmp_path / "b.csv"), dataset="two"
    )
    three = open_dataset(tenant, "two")
    assert one.fingerprint == open_dataset(tenant, "one").fingerprint
    assert len({two.fingerprint, three.fingerprint}) == 2


def test_history_tells_what_was_done(tenant: Tenant, tmp_path: Path) -> None:
    ingest(tenant, KIND, saved(table(), tmp_path / "a.csv"))
    ingest(tenant, KIND, saved(table(5, "2022-01-01"), tmp_path / "b.csv"))
    undo(tenant, KIND)
    history = open_dataset(tenant, KIND).history()
    assert [(v.what, v.rows) for v in history] == [
        ("append", 40),
        ("append", 45),
        ("undo", 40),
    ]


def test_the_original_file_is_kept_by_its_hash(tenant: Tenant, tmp_path: Path) -> None:
    path = saved(table(), tmp_path / "a.csv")
    result = ingest(tenant, KIND, path)
    kept = tenant.data / KIND / "originals" / result.files[0]["sha256"]
    assert kept.read_bytes() == path.read_bytes()
