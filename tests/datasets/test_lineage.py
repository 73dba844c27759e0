"""From a stored row back to the file, the sheet and the line that it came from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kamp_lib.datasets import ingest, open_dataset
from kamp_lib.errors import UsageError
from kamp_lib.tenancy import Tenant

KIND = "generic"


def frame(rows: int, year: int) -> pd.DataFrame:
    time = pd.date_range(f"{year}-01-01", periods=rows, freq="61s").astype(str)
    return pd.DataFrame({"time": time, "x": np.arange(rows) + year / 10})


@pytest.fixture
def stored(tenant: Tenant, tmp_path: Path) -> Tenant:
    frame(20, 2020).to_csv(tmp_path / "a.csv", index=False)
    frame(15, 2021).to_excel(tmp_path / "b.xlsx", index=False, sheet_name="자료")
    ingest(tenant, KIND, tmp_path / "a.csv")
    ingest(tenant, KIND, tmp_path / "b.xlsx")
    return tenant


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(row=st.integers(0, 34))
def test_every_row_leads_back_to_the_line_it_came_from(
    stored: Tenant, row: int
) -> None:
    data = open_dataset(stored, KIND)
    origin = data.trace([row])[0]
    held = data.to_pandas().iloc[row]
    assert (origin.file, origin.line) == (held["_file"], held["_row"])
    assert origin.original is not None
    if origin.file == "a.csv":
        line = origin.original.read_text(encoding="utf-8").splitlines()[origin.line - 1]
        assert float(line.split(",")[1]) == held["x"]


def test_a_row_of_a_sheet_names_the_sheet(stored: Tenant) -> None:
    origin = open_dataset(stored, KIND).trace([34])[0]
    assert (origin.file, origin.sheet, origin.version) == ("b.xlsx", "자료", 2)


def test_the_original_is_the_file_with_that_content(stored: Tenant) -> None:
    first, last = open_dataset(stored, KIND).trace([0, 34])
    assert first.original is not None
    assert first.original.name == first.sha256
    assert first.original.is_file()
    assert last.sha256 != first.sha256


@pytest.mark.parametrize("row", [-1, 35])
def test_a_row_that_is_not_there_is_refused(stored: Tenant, row: int) -> None:
    with pytest.raises(UsageError, match="35"):
        open_dataset(stored, KIND).trace([row])
