"""Stored tables as CSV, and the stream in which they leave a company's walls."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from kamp_lib.datasets import ingest, open_dataset
from kamp_lib.datasets.csv_copies import write_framed, write_quarantine, write_rows
from kamp_lib.datasets.csv_frames import HEADER, LONGEST, Framed, Part, frames
from kamp_lib.tenancy import Tenant

SHOTS = "shot_id,금형온도,때\n1,80.5,2026-03-02 09:00\n2,,2026-03-02 09:01\n"


@pytest.fixture
def shots(tenant: Tenant, tmp_path: Path) -> Tenant:
    """A company with a small data set `generic`."""
    (tmp_path / "shots.csv").write_text(SHOTS, encoding="utf-8")
    ingest(tenant, "generic", [tmp_path / "shots.csv"])
    return tenant


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")


def test_a_copy_holds_the_rows_and_where_they_came_from(shots: Tenant) -> None:
    data, out = open_dataset(shots), io.BytesIO()
    write_rows(data, out)
    copy, stored = read(out.getvalue()), data.to_pandas()
    assert list(copy.columns) == list(data.schema.names)
    assert copy["금형온도"].tolist()[0] == 80.5
    assert copy["금형온도"].isna().tolist() == stored["금형온도"].isna().tolist()
    assert copy["_row"].tolist() == stored["_row"].tolist()


def test_a_copy_opens_in_excel_as_utf_8(shots: Tenant) -> None:
    out = io.BytesIO()
    write_rows(open_dataset(shots), out)
    assert out.getvalue().startswith(b"\xef\xbb\xbf")


def test_a_table_longer_than_a_piece_is_whole(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.datasets.csv_copies.PIECE", 7)
    lines = [f"{n},{n * 1.5}" for n in range(100)]
    (tmp_path / "a.csv").write_text("shot_id,x\n" + "\n".join(lines) + "\n")
    ingest(tenant, "generic", [tmp_path / "a.csv"])
    out = io.BytesIO()
    write_rows(open_dataset(tenant), out)
    assert read(out.getvalue())["x"].tolist() == [n * 1.5 for n in range(100)]


def test_a_column_that_came_later_is_empty_before(
    shots: Tenant, tmp_path: Path
) -> None:
    (tmp_path / "more.csv").write_text("shot_id,금형온도,압력\n3,81.5,7.5\n")
    ingest(shots, "generic", [tmp_path / "more.csv"])
    out = io.BytesIO()
    write_rows(open_dataset(shots), out)
    copy = read(out.getvalue())
    assert copy.sort_values("shot_id")["압력"].isna().tolist() == [True, True, False]


def test_without_rejected_rows_there_is_no_second_file(shots: Tenant) -> None:
    out = io.BytesIO()
    write_quarantine(open_dataset(shots), out)
    assert out.getvalue() == b""


def test_rejected_rows_are_written_verbatim_with_the_reason(
    tenant: Tenant, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("shot_id,x\n1,2\nshot_id,x\n2,3\n")
    ingest(tenant, "generic", [tmp_path / "a.csv"])
    data, out = open_dataset(tenant), io.BytesIO()
    assert data.rows_quarantined == 1
    write_quarantine(data, out)
    copy = read(out.getvalue())
    assert len(copy) == 1
    assert copy.to_csv().count("shot_id") >= 1


def test_a_damaged_data_set_leaves_a_complaint_and_the_others_their_rows(
    shots: Tenant,
) -> None:
    out = io.BytesIO()
    write_framed(shots, ["no-such", "generic"], out)
    out.seek(0)
    taken: dict[tuple[int, Part], bytes] = {}
    for number, part, data in frames(out, 2):
        taken[number, part] = taken.get((number, part), b"") + data
    assert set(taken) == {(0, Part.COMPLAINT), (1, Part.ROWS)}
    assert "no-such" in taken[0, Part.COMPLAINT].decode()
    assert len(read(taken[1, Part.ROWS])) == 2


def test_what_is_framed_comes_out_as_it_went_in() -> None:
    out = io.BytesIO()
    long = bytes(range(256)) * (LONGEST // 100)
    Framed(out, 0, Part.ROWS).write(long)
    Framed(out, 3, Part.COMPLAINT).write(b"why")
    Framed(out, 0, Part.ROWS).write(b"")
    out.seek(0)
    taken = list(frames(out, 4))
    assert b"".join(d for n, p, d in taken if (n, p) == (0, Part.ROWS)) == long
    assert taken[-1] == (3, Part.COMPLAINT, b"why")
    assert max(len(data) for _, _, data in taken) == LONGEST


@pytest.mark.parametrize(
    "stream",
    [
        b"\0",
        HEADER.pack(0, 0, 5) + b"four",
        HEADER.pack(2, 0, 0),
        HEADER.pack(2**32 - 1, 0, 0),
        HEADER.pack(0, 7, 0),
        HEADER.pack(0, 0, LONGEST + 1) + b"x" * (LONGEST + 1),
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_a_stream_that_lies_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(frames(io.BytesIO(stream), 2))
