"""A dry run shows the first rows as they would be stored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kamp_lib.datasets import ingest
from kamp_lib.datasets.preview import first_rows
from kamp_lib.tenancy import Tenant


def csv(folder: Path, rows: int = 20) -> Path:
    lines = ["시각,사이클 시간,작업자"]
    lines += [f"2026-03-02 09:00:{i:02},{30 + i / 10},홍길동" for i in range(rows)]
    file = folder / "shots.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_a_dry_run_shows_the_first_rows_under_their_stored_names(
    tenant: Tenant, tmp_path: Path
) -> None:
    result = ingest(tenant, "injection-moulding", csv(tmp_path), dry_run=True)
    assert result.first_rows is not None
    assert result.first_rows.columns == list(result.mapping.names().values())
    assert len(result.first_rows.rows) == 8


def test_the_first_rows_name_nobody(tenant: Tenant, tmp_path: Path) -> None:
    result = ingest(tenant, "injection-moulding", csv(tmp_path), dry_run=True)
    assert "홍길동" not in result.model_dump_json()


def test_an_ingest_that_stores_shows_no_first_rows(
    tenant: Tenant, tmp_path: Path
) -> None:
    assert ingest(tenant, "injection-moulding", csv(tmp_path)).first_rows is None


def test_times_are_shown_on_the_local_clock() -> None:
    frame = pd.DataFrame({"ts": pd.to_datetime(["2026-03-02 00:00"], utc=True)})
    assert first_rows(frame, "Asia/Seoul").rows == [["2026-03-02 09:00:00"]]


def test_gaps_are_empty_and_long_cells_are_cut() -> None:
    frame = pd.DataFrame({"a": [None, "x" * 500], "b": [float("nan"), 0.1 + 0.2]})
    assert first_rows(frame, "UTC").rows == [["", ""], ["x" * 60, "0.3"]]
