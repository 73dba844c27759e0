"""Large files: the same result however they are sliced, in bounded memory, or nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kamp_lib.datasets import ingest, open_dataset, spool
from kamp_lib.datasets.reading import slices, text_table
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.text import Text

KIND = "generic"
NUMBER = st.sampled_from(["1.5", "20.25", "-3.125", "1e-3", "7", ""])
WORD = st.sampled_from(["", "-", "x", "OK", "가나", '"a,b"', '"a\nb"', "007", "nan"])
ROW = st.tuples(NUMBER, st.one_of(NUMBER, WORD), WORD, st.integers(0, 99).map(str))


def whole_or_sliced(
    monkeypatch: pytest.MonkeyPatch, path: Path, home: Path, size: int | None
) -> dict[str, Any]:
    """What an ingest gives: rows, counts, quarantine and codes, or why it refuses."""
    with monkeypatch.context() as patch:
        if size is not None:
            patch.setattr(slices, "SLICE", size)
            patch.setattr(slices, "FIRST", size)
            patch.setattr(text_table, "LARGE", 0)
            patch.setattr(spool, "IN_MEMORY", 0)
        tenant = add_tenant("acme", "가", home=home)
        try:
            result = ingest(tenant, KIND, path)
        except KampError as error:
            return {"error": str(error)}
        data = open_dataset(tenant, result.dataset)
        return {
            "rows": data.to_pandas().to_csv(),
            "types": data.to_pandas().dtypes.astype(str).to_dict(),
            "quarantine": data.quarantine().filter(regex="^(?!_ingest)").to_csv(),
            "counts": (result.rows_read, result.rows_stored, result.rows_duplicate),
            "codes": sorted(f.code for f in result.findings),
            "files": [f["sha256"] for f in result.files],
        }


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(ROW, min_size=5, max_size=60),
    ragged=st.lists(st.lists(WORD, min_size=1, max_size=6), max_size=2),
    size=st.integers(8, 300),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp949", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_file_gives_the_same_whole_and_in_tiny_slices(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, ...]],
    ragged: list[list[str]],
    size: int,
    encoding: str,
    end: str,
) -> None:
    place = tmp_path_factory.mktemp("large")
    lines = ["time,온도,압력,비고,no"]
    for second, row in enumerate(rows):
        lines.append(f"2026-01-01 00:00:{second:02}," + ",".join(row))
    lines[3:3] = [",".join(cells) for cells in ragged]
    path = place / "a.csv"
    path.write_bytes((end.join(lines) + end).encode(encoding))
    whole = whole_or_sliced(monkeypatch, path, place / "whole", None)
    assert whole_or_sliced(monkeypatch, path, place / "sliced", size) == whole


def csv(path: Path, rows: int) -> Path:
    frame = pd.DataFrame({"a": range(rows), "b": [n / 7 for n in range(rows)]})
    frame.to_csv(path, index=False)
    return path


def test_a_file_that_grows_while_it_is_read_is_refused(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv(tmp_path / "a.csv", 2000)
    monkeypatch.setattr(slices, "SLICE", 1000)
    monkeypatch.setattr(slices, "FIRST", 1000)
    monkeypatch.setattr(text_table, "LARGE", 0)

    def grows(step: Text, *, done: float = 0, total: float | None = None) -> None:
        if total and 0 < done < total:
            with open(path, "a") as file:
                file.write("1,2\n")

    with pytest.raises(KampError, match="읽는 동안 바뀌었습니다"):
        ingest(tenant, KIND, path, progress=grows)
    assert not tenant.data.exists() or not list(tenant.data.iterdir())


def test_an_endless_line_is_refused(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open(path, "wb") as file:
        file.write(b"a,b\n1,2\n")
        for _ in range(100):
            file.write(b"x" * (1 << 20))
    with pytest.raises(KampError, match="16 MB가 넘는 줄"):
        ingest(tenant, KIND, path)


def test_one_column_and_many_columns_are_read(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("value\n" + "".join(f"{n / 3}\n" for n in range(100)))
    assert ingest(tenant, KIND, path).rows_stored == 100


def test_stopping_a_large_ingest_leaves_nothing(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv(tmp_path / "a.csv", 2000)
    monkeypatch.setattr(slices, "SLICE", 1000)
    monkeypatch.setattr(text_table, "LARGE", 0)
    monkeypatch.setattr(spool, "IN_MEMORY", 0)
    before = sorted(os.listdir(tenant.home))

    def stop(step: Text, *, done: float = 0, total: float | None = None) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(tenant, KIND, path, progress=stop)
    assert sorted(os.listdir(tenant.home)) == before


def test_mapped_columns_hold_what_was_laid_out(tmp_path: Path) -> None:
    kept = spool.Spool(tmp_path)
    for values in (
        pd.Series([1.5, None, 3.0]),
        pd.Series([1, 2, 3]),
        pd.Series(pd.to_datetime(["2026-01-01", None, "2026-01-03"])),
        pd.Series(["a", None, "가"], dtype="string"),
    ):
        held = kept.series(values)
        spool.let_go()
        pd.testing.assert_series_equal(held, values)
    assert os.listdir(tmp_path) == []
