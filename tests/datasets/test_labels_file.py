"""Labels in another file: found unasked, by file, by row, repeated, contradicting."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kamp_lib.datasets import Raw, read
from kamp_lib.errors import KampError


def runs(folder: Path, count: int = 5) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for run in range(1, count + 1):
        (folder / f"experiment_{run:02}.csv").write_text(f"x,y\n{run},2\n{run},3\n")
    return folder


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def codes(raw: Raw) -> set[str]:
    return {f.code for f in raw.findings}


def test_a_label_file_is_found_and_joined(tmp_path: Path) -> None:
    folder = runs(tmp_path)
    table(
        folder / "train.csv",
        "No,tool",
        *(f"{n},{'worn' * (n > 2)}" for n in range(1, 6)),
    )
    raw = read(folder)
    assert raw.table["tool"].to_pylist()[-1] == "worn"
    assert raw.labels is not None
    assert raw.labels.name == "train.csv"
    assert raw.rows_read == 10
    assert "labels-joined" in codes(raw)


@pytest.mark.parametrize(
    "key", ["experiment_{:02}", "experiment_{:02}.CSV", "{}", "{:03}"]
)
def test_files_may_be_named_in_any_way(tmp_path: Path, key: str) -> None:
    folder = runs(tmp_path)
    rows = [f"{key.format(n)},{n * n}" for n in range(1, 6)]
    raw = read(
        runs(tmp_path), labels=table(folder / "l.csv", "file,grade", *rows), on="file"
    )
    assert raw.table["grade"].to_pylist()[::2] == ["1", "4", "9", "16", "25"]


def test_a_doubtful_label_file_is_refused_with_the_command(tmp_path: Path) -> None:
    folder = runs(tmp_path)
    path = table(folder / "notes.csv", "run,remark", "2,loud", "4,hot")
    with pytest.raises(KampError) as caught:
        read(folder)
    assert f"--labels {path} --on run" in caught.value.text.ko


def test_one_number_in_two_folders_means_neither_file(tmp_path: Path) -> None:
    for kind in ("valve1", "valve2"):
        runs(tmp_path / kind, 2)
    labels = table(tmp_path / "l.csv", "file,ok", "valve1/experiment_01,1", "2,0")
    raw = read(tmp_path, labels=labels, on="file")
    assert raw.table["ok"].to_pylist() == ["1", "1", *[None] * 6]


def test_rows_are_labelled_by_a_number_both_tables_have(tmp_path: Path) -> None:
    data = table(
        tmp_path / "data.csv",
        "serial,force",
        "001,5.5",
        "002,6.5",
        "002,6.7",
        "003,7.5",
    )
    labels = table(
        tmp_path / "inspection.csv", "Serial,verdict", "1,OK", "2,NG", "3,OK"
    )
    raw = read([data, labels])
    assert raw.table["verdict"].to_pylist() == ["OK", "NG", "NG", "OK"]
    assert "labels-joined" in codes(raw)


def test_rows_are_labelled_under_another_name_when_told(tmp_path: Path) -> None:
    data = table(
        tmp_path / "data.csv",
        "시리얼,force",
        "A1,5.5",
        "A2,6.5",
        "A9,1.5",
        "A3,2.5",
        "A4,9",
    )
    labels = table(tmp_path / "l.csv", "serial_no,ok", "A1,1", "A2,0", "A3,1", "A4,1")
    raw = read(data, labels=labels, on="serial_no")
    assert raw.table["ok"].to_pylist() == ["1", "0", None, "1", "1"]
    unlabelled = next(f for f in raw.findings if f.code == "unlabelled-runs")
    assert unlabelled.examples == ["A9"]


def test_a_key_under_two_names_is_proposed_with_the_command(tmp_path: Path) -> None:
    data = table(
        tmp_path / "data.csv", "serial,force", *(f"A{n},{n}.5" for n in range(20))
    )
    rows = [f"A{n},{'OK' if n % 3 else 'NG'}" for n in range(20)]
    labels = table(tmp_path / "검사.csv", "시리얼,판정", *rows)
    with pytest.raises(KampError, match=f"--labels {labels} --on 시리얼"):
        read([data, labels])
    raw = read([data, labels], labels=labels, on="시리얼")
    assert raw.table["판정"].to_pylist()[:2] == ["NG", "OK"]


def test_a_doubtful_label_file_in_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    folder = runs(tmp_path / "runs")
    table(folder / "notes.csv", "run,remark", "2,loud", "4,hot")
    shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    with pytest.raises(KampError, match=r"압축을 풀고 --labels notes\.csv --on run"):
        read(tmp_path / "packed.zip")


def test_repeated_labels_count_once(tmp_path: Path) -> None:
    labels = table(
        tmp_path / "l.csv", "No,ok", "1,y", "1,y", "2,n", "3,y", "4,y", "5,y"
    )
    raw = read(runs(tmp_path / "runs"), labels=labels, on="No")
    assert raw.table["ok"].to_pylist()[:4] == ["y", "y", "n", "n"]
    assert codes(raw) == {"repeated-label-rows"}


def test_contradicting_labels_are_left_blank(tmp_path: Path) -> None:
    labels = table(
        tmp_path / "l.csv", "No,ok", "1,y", "1,n", "2,n", "3,y", "4,y", "5,y"
    )
    raw = read(runs(tmp_path / "runs"), labels=labels, on="No")
    assert raw.table["ok"].to_pylist()[:4] == [None, None, "n", "n"]
    assert "contradicting-labels" in codes(raw)


def test_a_column_that_names_nothing_once_is_no_key(tmp_path: Path) -> None:
    rows = [f"alu,{n}" for n in range(5)]
    labels = table(tmp_path / "l.csv", "material,ok", *rows)
    with pytest.raises(KampError, match="여러 번"):
        read(runs(tmp_path / "runs"), labels=labels, on="material")


def test_labels_without_a_file_are_told(tmp_path: Path) -> None:
    rows = [f"{n},y" for n in range(1, 9)]
    raw = read(
        runs(tmp_path / "runs"),
        labels=table(tmp_path / "l.csv", "No,ok", *rows),
        on="No",
    )
    assert codes(raw) == {"unused-labels"}


def test_a_label_of_a_name_that_is_taken_keeps_a_name_of_its_own(
    tmp_path: Path,
) -> None:
    rows = [f"{n},good" for n in range(1, 6)]
    raw = read(
        runs(tmp_path / "runs"),
        labels=table(tmp_path / "l.csv", "No,y", *rows),
        on="No",
    )
    assert raw.table["y"].to_pylist()[:2] == ["2", "3"]
    assert raw.table["y_2"].to_pylist()[:2] == ["good", "good"]
