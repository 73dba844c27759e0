"""A machine's file without any label still ends in a page that says what to collect."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kamp_lib import reports
from kamp_lib.tenancy import Tenant
from kamp_lib.testbed import simulate
from kamp_lib.workbench import Company

pytestmark = pytest.mark.e2e


def test_strokes_without_labels_end_in_control_charts(
    tenant: Tenant, tmp_path: Path
) -> None:
    raw = simulate("press-die-breakage", tmp_path / "raw", size="fast")
    (file,) = raw.files
    strokes = pd.read_csv(file, encoding="utf-8-sig")
    unlabelled = tmp_path / "strokes.csv"
    strokes.drop(columns="금형이상").to_csv(
        unlabelled, index=False, encoding="utf-8-sig"
    )
    company = Company(tenant)
    company.ingest("press", unlabelled)
    bundle = company.run("press-die-breakage")
    record = bundle.record
    assert record.status == "succeeded", record.reason
    assert record.verdict is not None
    assert record.verdict.value == "not-usable-yet"
    assert "no-label" in [reason.code for reason in record.verdict.reasons]
    assert record.verdict.collect
    assert not bundle.table("control_chart").empty
    assert (bundle.path / "first-paint.html").is_file()
    assert reports.publish(tenant, record.run).is_dir()
