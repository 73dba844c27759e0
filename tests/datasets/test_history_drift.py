"""Next month's file is held against the history, and a month like the others says nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib import testbed
from kamp_lib.catalog import standard_models
from kamp_lib.datasets import IngestResult, ingest, open_dataset
from kamp_lib.tenancy import Tenant

KIND = "generic"
CODES = ("schema-drift", "range-drift")


def month(number: int, rows: int = 300, **changes: object) -> pd.DataFrame:
    rng = np.random.default_rng(number)
    frame = pd.DataFrame(
        {
            "time": pd.date_range(f"2024-{number:02}-01", periods=rows, freq="60s"),
            "온도": rng.normal(200, 3, rows).round(2),
            "pressure": rng.normal(60, 5, rows).round(2),
            "judge": rng.choice(["OK", "NG"], rows, p=[0.9, 0.1]),
        }
    )
    return frame.assign(**changes)


def brought(tenant: Tenant, folder: Path, frame: pd.DataFrame) -> IngestResult:
    path = folder / f"{frame['time'].iloc[0]:%Y-%m}.csv"
    frame.to_csv(path, index=False)
    return ingest(tenant, KIND, path)


def said(result: IngestResult) -> dict[str, list[str]]:
    return {f.code: f.columns for f in result.findings if f.code in CODES}


@pytest.mark.parametrize("seed", range(4))
def test_a_month_like_the_others_says_nothing(
    tenant: Tenant, tmp_path: Path, seed: int
) -> None:
    brought(tenant, tmp_path, month(2 * seed + 1))
    assert said(brought(tenant, tmp_path, month(2 * seed + 2, 120))) == {}


def test_a_column_that_is_gone_is_named_with_the_version(
    tenant: Tenant, tmp_path: Path
) -> None:
    brought(tenant, tmp_path, month(1))
    result = brought(tenant, tmp_path, month(2).drop(columns="pressure"))
    found = next(f for f in result.findings if f.code == "schema-drift")
    assert found.columns == ["pressure"]
    assert "1판" in found.message_ko


def test_a_new_column_is_only_mentioned(tenant: Tenant, tmp_path: Path) -> None:
    brought(tenant, tmp_path, month(1))
    result = brought(tenant, tmp_path, month(2, humidity=np.arange(300) % 40 + 0.5))
    found = next(f for f in result.findings if f.code == "schema-drift")
    assert (found.severity, found.columns) == ("info", ["humidity"])


def test_a_renamed_column_is_recognised_by_its_values(
    tenant: Tenant, tmp_path: Path
) -> None:
    brought(tenant, tmp_path, month(1))
    result = brought(tenant, tmp_path, month(2).rename(columns={"pressure": "PRS_2"}))
    found = next(f for f in result.findings if f.code == "schema-drift")
    assert found.examples == ["pressure → PRS_2"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("온도", np.random.default_rng(0).normal(260, 3, 300)),
        ("pressure", np.random.default_rng(0).normal(60, 40, 300)),
        ("온도", np.where(np.arange(300) % 2, np.nan, 200.5)),
        ("judge", np.where(np.arange(300) % 5, "OK", "보류")),
        ("time", pd.date_range("2024-02-01", periods=300, freq="300s")),
    ],
    ids=["level", "spread", "missing", "words", "interval"],
)
def test_what_left_the_history_is_told(
    tenant: Tenant, tmp_path: Path, column: str, values: object
) -> None:
    brought(tenant, tmp_path, month(1))
    result = brought(tenant, tmp_path, month(2, **{column: values}))
    assert said(result) == {"range-drift": [column]}


def test_a_value_seen_two_months_ago_is_no_news(tenant: Tenant, tmp_path: Path) -> None:
    brought(tenant, tmp_path, month(1))
    warm = np.random.default_rng(0).normal(260, 3, 300)
    brought(tenant, tmp_path, month(2, 온도=warm))
    assert said(brought(tenant, tmp_path, month(3))) == {}


def test_a_replacement_has_no_history(tenant: Tenant, tmp_path: Path) -> None:
    brought(tenant, tmp_path, month(1))
    path = tmp_path / "new.csv"
    month(2, 온도=999.0).drop(columns="judge").to_csv(path, index=False)
    assert said(ingest(tenant, KIND, path, replace=True)) == {}


def test_the_figures_are_kept_with_the_ingest(tenant: Tenant, tmp_path: Path) -> None:
    brought(tenant, tmp_path, month(1))
    summary = open_dataset(tenant, KIND).state.manifests[0].summaries["온도"]
    assert (summary.rows, round(summary.median)) == (300, 200)


def test_a_new_setting_is_only_mentioned(tenant: Tenant, tmp_path: Path) -> None:
    brought(tenant, tmp_path, month(1, gain=4.5))
    result = brought(tenant, tmp_path, month(2, gain=3.0))
    found = next(f for f in result.findings if f.code == "range-drift")
    assert (found.severity, found.columns) == ("info", ["gain"])


MODELS = [m.id for m in standard_models().values() if m.simulator]


@pytest.mark.parametrize(
    "seed", [pytest.param(s, marks=pytest.mark.long) for s in range(1, 5)] + [0]
)
@pytest.mark.parametrize("model", MODELS)
def test_the_next_month_of_a_simulated_machine_says_nothing_grave(
    tenant: Tenant, tmp_path: Path, model: str, seed: int
) -> None:
    for part in (0, 1):
        made = testbed.simulate(
            model, tmp_path / str(part), seed=7 * seed + part, size="fast"
        )
        result = ingest(
            tenant,
            made.equipment,
            made.files,
            labels=made.labels,
            on=made.on,
            dataset="x",
        )
    assert [
        f.code for f in result.findings if f.code in CODES and f.severity != "info"
    ] == []
