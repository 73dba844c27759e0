"""Rejected rows go out as a file, come back mended, and are never lost or doubled."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.datasets import ingest, open_dataset, undo
from kamp_lib.datasets.repair import rejections, repair
from kamp_lib.datasets.storage.sheet import as_it_was, harmless, sheet_bytes
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant

KIND = "generic"
BAD = {5: ("온도", "뜨거움"), 9: ("온도", "n.a.?"), 20: ("pressure", "12 bar?")}


@pytest.fixture
def stored(tenant: Tenant, tmp_path: Path) -> Path:
    """A data set with three rejected rows; the file they go out to."""
    frame = pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=60, freq="61s").astype(str),
            "온도": [f"{200 + i / 10:.1f}" for i in range(60)],
            "pressure": [f"{-60 - i / 7:.2f}" for i in range(60)],
            "code": [f"{i:04}" for i in range(60)],
        }
    )
    for row, (column, text) in BAD.items():
        frame.loc[row, column] = text
    frame.to_csv(tmp_path / "a.csv", index=False)
    ingest(tenant, KIND, tmp_path / "a.csv")
    return tmp_path / "rejected.csv"


def mended(tenant: Tenant, to: Path, cells: dict[int, dict[str, str]]) -> Path:
    """The quarantine as a file, with some cells (by line of the original) edited."""
    to.write_bytes(sheet_bytes(rejections(open_dataset(tenant, KIND))))
    with open(to, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.update(cells.get(int(row["_row"]), {}))
    with open(to, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return to


def test_every_cell_of_a_rejected_row_goes_out_in_its_column(
    tenant: Tenant, stored: Path
) -> None:
    rows = rejections(open_dataset(tenant, KIND))
    assert [(r.place.row, r.cells["code"]) for r in rows] == [
        (7, "0005"),
        (11, "0009"),
        (22, "0020"),
    ]


def test_a_mended_row_takes_the_place_it_had(tenant: Tenant, stored: Path) -> None:
    file = mended(tenant, stored, {7: {"온도": "200.5"}, 11: {"온도": "200.9"}})
    result = repair(tenant, KIND, file)
    data = open_dataset(tenant, KIND)
    frame = data.to_pandas()
    assert (result.rows_repaired, result.rows_left) == (2, 1)
    assert frame["_row"].tolist() == [r for r in range(2, 62) if r != 22]
    row = frame[frame["_row"] == 7].iloc[0]
    assert row[["온도", "pressure", "code"]].tolist() == [200.5, -60.71, "0005"]


def test_what_is_still_wrong_stays_with_its_reason(
    tenant: Tenant, stored: Path
) -> None:
    result = repair(tenant, KIND, mended(tenant, stored, {7: {"온도": "200.5"}}))
    assert [row["row"] for row in result.still] == [11, 22]
    assert open_dataset(tenant, KIND).quarantine()["_row"].tolist() == [11, 22]


def test_rows_add_up_after_a_repair(tenant: Tenant, stored: Path) -> None:
    repair(tenant, KIND, mended(tenant, stored, {7: {"온도": "200.5"}}))
    data = open_dataset(tenant, KIND)
    counts = [m.rows for m in data.state.manifests]
    for rows in counts:
        assert rows["read"] == rows["stored"] + rows["quarantined"] + rows["duplicate"]
    assert (data.rows, data.rows_quarantined) == (58, 2)
    assert len(data.to_pandas()) == 58


def test_lineage_of_a_mended_row_points_to_the_first_file(
    tenant: Tenant, stored: Path
) -> None:
    repair(tenant, KIND, mended(tenant, stored, {7: {"온도": "200.5"}}))
    data = open_dataset(tenant, KIND)
    place = data.to_pandas()["_row"].tolist().index(7)
    origin = data.trace([place])[0]
    assert (origin.file, origin.line, origin.repaired) == ("a.csv", 7, True)


def test_a_repair_can_be_undone(tenant: Tenant, stored: Path) -> None:
    repair(tenant, KIND, mended(tenant, stored, {7: {"온도": "200.5"}}))
    undo(tenant, KIND)
    data = open_dataset(tenant, KIND)
    assert (data.rows, data.quarantine()["_row"].tolist()) == (57, [7, 11, 22])


@pytest.mark.parametrize("cells", [{}, {7: {"_row": "8"}}, {7: {"_ingest": "x"}}])
def test_a_file_that_mends_nothing_changes_nothing(
    tenant: Tenant, stored: Path, cells: dict[int, dict[str, str]]
) -> None:
    file = mended(tenant, stored, cells)
    with pytest.raises(KampError):
        repair(tenant, KIND, file)
    assert open_dataset(tenant, KIND).version == 1


def test_one_file_may_be_handed_in_until_all_is_mended(
    tenant: Tenant, stored: Path
) -> None:
    cells = {7: {"온도": "200.5"}, 11: {"온도": "200.9"}, 22: {"pressure": "-62.86"}}
    whole = mended(tenant, stored, cells).read_bytes()
    stored.unlink()
    repair(tenant, KIND, mended(tenant, stored, {7: {"온도": "200.5"}}))
    stored.write_bytes(whole)
    assert repair(tenant, KIND, stored).rows_repaired == 2
    with pytest.raises(KampError, match="이미"):
        repair(tenant, KIND, stored)
    assert open_dataset(tenant, KIND).rows == 60


def test_a_file_of_another_kind_is_refused(tenant: Tenant, stored: Path) -> None:
    stored.write_text("time,x\n1,2\n", encoding="utf-8")
    with pytest.raises(KampError, match="quarantine --to"):
        repair(tenant, KIND, stored)


def test_a_file_saved_by_a_korean_spreadsheet_is_read(
    tenant: Tenant, stored: Path
) -> None:
    file = mended(tenant, stored, {7: {"온도": "200.5"}})
    file.write_bytes(file.read_text(encoding="utf-8-sig").encode("cp949"))
    assert repair(tenant, KIND, file).rows_repaired == 1


@given(st.text())
def test_an_exported_cell_comes_back_as_it_was(cell: str) -> None:
    assert as_it_was(harmless(cell)) == cell


@given(st.sampled_from("=+-@\t\r＝＋－＠"), st.text())
def test_no_exported_cell_is_a_formula(first: str, rest: str) -> None:
    shown = harmless(first + rest)
    number = shown.replace(",", "").rstrip("% ")
    if not shown.startswith("'"):
        assert set(number) <= set("+-0123456789.eE")


@pytest.mark.parametrize("cell", ["-12.5", "+3", "-1,200.5", "-1e-5", "12 %", "abc"])
def test_numbers_and_words_are_not_touched(cell: str) -> None:
    assert harmless(cell) == cell
