"""The real factory files: counts add up and values have the right types."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kamp_lib.datasets import Dataset, IngestResult, ingest, open_dataset
from kamp_lib.tenancy import Tenant, add_tenant


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    return add_tenant("real", "실제", home=tmp_path_factory.mktemp("kamp"))


def stored(tenant: Tenant, result: IngestResult) -> tuple[Dataset, pd.DataFrame]:
    counted = result.rows_stored + result.rows_quarantined + result.rows_duplicate
    assert result.rows_read == counted
    data = open_dataset(tenant, result.dataset)
    frame = data.to_pandas()
    assert len(frame) == data.rows == result.rows_stored
    return data, frame


def codes(result: IngestResult) -> set[str]:
    return {f.code for f in result.findings}


def test_labelled_injection_file(company: Tenant, real_data: Path) -> None:
    path = real_data / "kamp_injection_moulding" / "labeled_data.csv"
    result = ingest(company, "injection-moulding", path)
    data, frame = stored(company, result)
    source = {c.name: c.source for c in data.columns}
    names = {s: n for n, s in source.items()}
    assert (result.dataset, result.rows_read, result.rows_stored) == (
        "injection",
        5232,
        5232,
    )
    assert frame["ts"].iloc[0] == pd.Timestamp("2020-10-16 04:57:47", tz="Asia/Seoul")
    assert frame["cycle_time"].iloc[0] == 59.52000045776367
    assert frame[names["_id"]].iloc[0] == "5f8928bb9c0189cc666ef19b"
    assert frame[names["Reason"]].isna().sum() == 5172
    assert "text-for-missing" in codes(result)


def test_shifted_injection_parquet(company: Tenant, real_data: Path) -> None:
    path = real_data / "kamp_injection_moulding" / "molding.parquet"
    result = ingest(company, "injection-moulding", path, dataset="molding")
    _, frame = stored(company, result)
    assert (result.rows_read, result.rows_duplicate) == (7996, 2764)
    assert {"shifted-columns", "duplicate-rows"} <= codes(result)
    assert frame["cycle_time"].median() == pytest.approx(59.6, abs=1)


def test_standardised_injection_file(company: Tenant, real_data: Path) -> None:
    path = real_data / "kamp_injection_moulding" / "moldset_labeled_cn7_missing.csv"
    result = ingest(company, "injection-moulding", path, dataset="cn7")
    _, frame = stored(company, result)
    assert result.rows_stored == 1211
    assert frame.drop(columns=["_file", "_row"]).isna().sum().sum() == 941


def test_press_file(company: Tenant, real_data: Path) -> None:
    result = ingest(company, "press", real_data / "kamp_press" / "press.csv")
    _, frame = stored(company, result)
    assert result.rows_stored == 64_359
    assert frame["ts"].iloc[0] == pd.Timestamp("2020-05-04", tz="Asia/Seoul")
    assert frame["_row"].tolist() == list(range(2, 64_361))


def test_the_press_parquet_holds_the_same_rows(
    company: Tenant, real_data: Path
) -> None:
    folder = real_data / "kamp_press"
    ingest(company, "press", folder / "press.csv", dataset="press-csv")
    ingest(company, "press", folder / "press_part.parquet", dataset="press-parquet")
    one, two = (
        open_dataset(company, name).to_pandas().drop(columns=["_file", "_row"])
        for name in ("press-csv", "press-parquet")
    )
    pd.testing.assert_frame_equal(one, two)


def test_cnc_runs_with_labels(company: Tenant, real_data: Path) -> None:
    folder = real_data / "kamp_cnc"
    result = ingest(
        company, "cnc-machine", folder, labels=folder / "train.csv", on="No"
    )
    data, frame = stored(company, result)
    names = {c.source: c.name for c in data.columns}
    runs = frame.groupby("run_id")[names["tool_condition"]].agg(["nunique", "first"])
    assert result.rows_stored == 32_048
    assert len(runs) == 25
    assert (runs["nunique"] == 1).all()
    assert (runs.loc["14", "first"], runs.loc["24", "first"]) == ("worn", "unworn")
    assert "copied-runs" in codes(result)


def test_casting_images(company: Tenant, real_data: Path) -> None:
    result = ingest(company, "machine-vision", real_data / "vision_casting")
    data, frame = stored(company, result)
    counts = frame.groupby(["split", "defect_class"]).size().to_dict()
    assert counts == {
        ("test", "def_front"): 453,
        ("test", "ok_front"): 262,
        ("train", "def_front"): 197,
        ("train", "ok_front"): 205,
    }
    assert "near-duplicate-images" in codes(result)
    assert all((data.images_folder / name).is_file() for name in frame["image"])


def test_chromate_images(company: Tenant, real_data: Path) -> None:
    folder = real_data / "kamp_chromate"
    result = ingest(company, "machine-vision", folder, dataset="chromate")
    _, frame = stored(company, result)
    assert frame["color_mode"].value_counts().to_dict() == {"RGBA": 8, "RGB": 3}
    assert frame["defect_class"].isna().sum() == 3
    assert {"mixed-image-modes", "near-duplicate-images"} <= codes(result)
