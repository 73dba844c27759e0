"""Folders of many files: what belongs together, what is left aside, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kamp_lib.datasets import Raw, ingest, open_dataset, read
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant


def signals(
    path: Path, seed: int, header: str = "Time,Temp,Speed", rows: int = 30
) -> Path:
    """A file of one day or run: a counter and two measured columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    lines = [header]
    for second in range(rows):
        values = rng.normal([200, 35], [2, 1])
        lines.append(
            f"2024-03-{seed % 28 + 1:02} 08:00:{second:02},{values[0]:.3f},{values[1]:.3f}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def codes(raw: Raw) -> dict[str, str]:
    return {f.code: f.message_en for f in raw.findings}


def test_files_of_days_are_joined_in_order(tmp_path: Path) -> None:
    for day in (2, 10, 1):
        signals(tmp_path / f"log_{day}.csv", day)
    raw = read(tmp_path)
    assert [s.name for s in raw.sources] == ["log_1.csv", "log_2.csv", "log_10.csv"]
    assert raw.rows_read == raw.table.num_rows == 90
    assert not codes(raw)


def test_files_named_by_dates_are_one_stream(tmp_path: Path) -> None:
    for day in (5, 6):
        signals(tmp_path / f"2024-01-{day:02}.csv", day)
    assert read(tmp_path).columns == ["Time", "Temp", "Speed"]


def test_a_date_is_the_run_where_rows_have_no_time(tmp_path: Path) -> None:
    for day in (5, 6):
        (tmp_path / f"2024-01-{day:02}.csv").write_text("x,y\n1,2\n")
    assert read(tmp_path).table["run_id"].to_pylist() == ["2024-01-05", "2024-01-06"]


def test_exports_that_overlap_are_stored_once(tenant: Tenant, tmp_path: Path) -> None:
    folder = tmp_path / "weeks"
    whole = signals(tmp_path / "all.csv", 3, rows=60).read_text().splitlines()
    folder.mkdir()
    for name, rows in (("2024-03-04", whole[1:41]), ("2024-03-05", whole[21:])):
        (folder / f"{name}.csv").write_text("\n".join([whole[0], *rows]))
    result = ingest(tenant, "generic", folder)
    assert (result.rows_stored, result.rows_duplicate) == (60, 20)


def test_columns_in_another_order_are_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("b,a\ny,2\n")
    raw = read(tmp_path)
    assert raw.table["a"].to_pylist() == ["1", "2"]
    assert not codes(raw)


def test_columns_in_another_spelling_are_joined_and_told(tmp_path: Path) -> None:
    for run in (1, 2):
        signals(tmp_path / f"run_{run}.csv", run)
    signals(tmp_path / "run_3.csv", 3, header="TIME,temp ,ＳＰＥＥＤ")
    raw = read(tmp_path)
    assert raw.columns == ["run_id", "Time", "Temp", "Speed"]
    assert "temp → Temp" in codes(raw)["column-spelling"]


def test_a_column_that_one_file_lacks_is_told_and_left_blank(tmp_path: Path) -> None:
    for run in (1, 2):
        signals(tmp_path / f"run_{run}.csv", run)
    signals(tmp_path / "run_3.csv", 3, header="Time,Temp,Pressure")
    raw = read(tmp_path)
    assert {"Speed", "Pressure"} < set(raw.columns)
    assert "run_3.csv" not in codes(raw).get("stranger-file", "")
    assert "differing-columns" in codes(raw)


def test_a_stranger_is_named_and_left_aside(tmp_path: Path) -> None:
    for run in range(4):
        signals(tmp_path / f"run_{run}.csv", run)
    (tmp_path / "workers.csv").write_text("worker,shift\n17,A\n23,B\n")
    raw = read(tmp_path)
    assert "workers.csv" in codes(raw)["stranger-file"]
    assert len(raw.sources) == 4


def test_an_archive_is_a_folder_too(tmp_path: Path) -> None:
    for run in range(4):
        signals(tmp_path / "runs" / f"run_{run}.csv", run)
    (tmp_path / "runs" / "workers.csv").write_text("worker,shift\n17,A\n23,B\n")
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "runs")
    raw = read(tmp_path / "packed.zip")
    assert "workers.csv" in codes(raw)["stranger-file"]
    assert set(raw.table["run_id"].to_pylist()) == {"0", "1", "2", "3"}


def test_a_folder_of_unlike_tables_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "b.csv").write_text("worker,shift\n17,A\n23,B\n")
    with pytest.raises(
        KampError, match=r"표가 2개 있습니다\(a\.csv, b\.csv\)"
    ) as caught:
        read(tmp_path)
    assert "one by one" in caught.value.text.en


def test_names_that_slipped_by_one_column_do_not_join(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = ["Stroke", "Force", "Temp", "Speed", "Depth"]
    values = rng.normal([1, 100, 200, 3000, 40_000], 0.1, (40, 5)).round(3)
    late = np.roll(values, 1, axis=1)
    for name, header, cells in (
        ("1.csv", columns, values),
        ("2.csv", columns, values + 0.01),
        ("3.csv", [c.lower() for c in columns], late),
    ):
        rows = [",".join(map(str, row)) for row in cells.tolist()]
        (tmp_path / name).write_text("\n".join([",".join(header), *rows]))
    assert "3.csv" in codes(read(tmp_path))["stranger-file"]


def test_a_copy_counts_as_duplicates(tenant: Tenant, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    for run in (1, 2):
        signals(folder / f"run_{run}.csv", run)
    for name in ("run_2 (1).csv", "run_2 - 복사본.csv"):
        (folder / name).write_bytes((folder / "run_2.csv").read_bytes())
    result = ingest(tenant, "generic", folder)
    assert (result.rows_stored, result.rows_duplicate) == (60, 60)
    assert "same-file-twice" in {f.code for f in result.findings}


def test_one_content_under_two_runs_is_kept_and_doubted(tmp_path: Path) -> None:
    for run in (1, 2):
        signals(tmp_path / f"run_{run}.csv", run)
    (tmp_path / "run_7.csv").write_bytes((tmp_path / "run_2.csv").read_bytes())
    raw = read(tmp_path)
    found = next(f for f in raw.findings if f.code == "same-file-twice")
    assert (found.severity, found.examples) == ("warning", ["run_2.csv = run_7.csv"])
    assert raw.table.num_rows == 90


def test_folders_of_kinds_become_a_column(tmp_path: Path) -> None:
    for run in (1, 2):
        signals(tmp_path / "정상" / f"{run}.csv", run)
        signals(tmp_path / "베어링 마모" / f"{run}.csv", run + 10)
    raw = read(tmp_path)
    assert set(raw.table["folder"].to_pylist()) == {"정상", "베어링 마모"}
    assert "folders-as-column" in codes(raw)


def test_splits_become_a_column_of_their_own(tmp_path: Path) -> None:
    signals(tmp_path / "train" / "1.csv", 1)
    signals(tmp_path / "test" / "2.csv", 2)
    raw = read(tmp_path)
    assert set(raw.table["split"].to_pylist()) == {"train", "test"}
    assert "folder" not in raw.columns


def test_folders_named_by_dates_are_no_column(tmp_path: Path) -> None:
    for month in ("01", "02"):
        signals(tmp_path / "2024" / month / "a.csv", int(month))
    assert "folder" not in read(tmp_path).columns


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    signals(tmp_path / "run_1.csv", 1)
    (tmp_path / "manual.docx").write_bytes(b"PK")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    said = codes(read(tmp_path))["files-left-aside"]
    assert "manual.docx" in said
    assert "Thumbs" not in said


def test_what_all_files_say_is_said_once(tmp_path: Path) -> None:
    for run in range(3):
        text = signals(tmp_path / "x.csv", run).read_text()
        (tmp_path / f"run_{run}.csv").write_text("생산 실적\n\n" + text)
    (tmp_path / "x.csv").unlink()
    found = [f for f in read(tmp_path).findings if f.code == "title-lines"]
    assert [f.count for f in found] == [3]


def test_a_screenshot_among_tables_is_left_aside(tmp_path: Path) -> None:
    from PIL import Image

    for run in (1, 2):
        signals(tmp_path / f"run_{run}.csv", run)
    Image.new("L", (8, 8)).save(tmp_path / "screen.png")
    assert "screen.png" in codes(read(tmp_path))["files-left-aside"]


def test_units_that_differ_between_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("Time,Temp\ns,degC\n1,20\n2,21\n3,22\n")
    (tmp_path / "2.csv").write_text("Time,Temp\ns,degF\n1,70\n2,71\n3,72\n")
    with pytest.raises(KampError, match="degF"):
        read(tmp_path)


def test_the_next_months_folder_is_added(tenant: Tenant, tmp_path: Path) -> None:
    for month, run in (("03", 1), ("04", 2)):
        signals(tmp_path / month / f"2024-{month}-01.csv", run)
        ingest(tenant, "generic", tmp_path / month)
    assert open_dataset(tenant, "generic").rows == 60


def days(folder: Path, numbers: list[int]) -> Path:
    for day in numbers:  # of March 2024; the 2nd is a Saturday
        signals(folder / f"2024-03-{day:02}.csv", day - 1)
    return folder


def missing(tenant: Tenant, folder: Path) -> list[str]:
    result = ingest(tenant, "generic", folder)
    return [e for f in result.findings if f.code == "missing-files" for e in f.examples]


def test_a_day_without_its_file_is_told(tenant: Tenant, tmp_path: Path) -> None:
    folder = days(tmp_path / "logs", [4, 5, 6, 8, 11, 12])
    assert missing(tenant, folder) == ["2024-03-07"]


def test_free_weekends_are_no_gap(tenant: Tenant, tmp_path: Path) -> None:
    folder = days(tmp_path / "logs", [4, 5, 6, 7, 8, 11, 12])
    assert missing(tenant, folder) == []


def test_a_weekend_counts_where_weekends_are_worked(
    tenant: Tenant, tmp_path: Path
) -> None:
    folder = days(tmp_path / "logs", [1, 2, 3, 4, 5, 6, 7, 8, 10, 11])
    assert missing(tenant, folder) == ["2024-03-09"]


def test_an_empty_day_does_not_stop_the_others(tmp_path: Path) -> None:
    days(tmp_path, [4, 5, 6])
    (tmp_path / "2024-03-07.csv").write_text("")
    (tmp_path / "2024-03-08.csv").write_text("Time,Temp,Speed\n")
    with pytest.raises(KampError, match=r"2024-03-07\.csv"):
        read(tmp_path)
    days(tmp_path, [11, 12])
    said = codes(read(tmp_path))["unreadable-file"]
    assert "2024-03-07.csv, 2024-03-08.csv" in said


def test_files_named_one_by_one_all_have_to_be_readable(tmp_path: Path) -> None:
    paths = [signals(tmp_path / f"{run}.csv", run) for run in range(4)]
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(KampError, match=r"x\.csv"):
        read([*paths, tmp_path / "x.csv"])
