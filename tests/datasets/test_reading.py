"""Reading: encodings, delimiters, headers, sheets, folders and label files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamp_lib.datasets import parse, read
from kamp_lib.errors import KampError, UsageError

TABLE = "시각,온도,판정\n2020-05-04 10:00:00,21.5,OK\n2020-05-04 10:01:00,22.0,NG\n"


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_korean_text_is_read_in_every_usual_encoding(
    tmp_path: Path, encoding: str
) -> None:
    raw = read(written(tmp_path / "a.csv", TABLE, encoding))
    assert raw.table["판정"].to_pylist() == ["OK", "NG"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    raw = read(written(tmp_path / "a.csv", TABLE.replace(",", delimiter)))
    assert raw.columns == ["시각", "온도", "판정"]


def test_commas_inside_a_semicolon_file_are_decimal_commas(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a;b\n1,5;x\n2,25;y\n")
    frame = parse(read(path)).frame
    assert frame["a"].tolist() == [1.5, 2.25]


def test_rows_carry_the_line_number_an_editor_shows(tmp_path: Path) -> None:
    text = 'a,b\n1,x\n\n2,"two\nlines"\n3,y\n4,z,extra\n5,w\n'
    raw = read(written(tmp_path / "a.csv", text))
    assert raw.table["_row"].to_pylist() == [2, 4, 6, 8]
    assert [(r.row, r.original) for r in raw.rejected] == [(7, "4,z,extra")]


def test_a_quote_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    raw = read(written(tmp_path / "a.csv", 'a,b\n1,"x\n2,y\n3,z\n'))
    assert raw.table["b"].to_pylist() == ['"x', "y", "z"]


def test_an_inch_sign_does_not_disturb_quoted_cells(tmp_path: Path) -> None:
    text = 'a,b\n"1","x, y"\n2,5" pipe\n3,z\n'
    raw = read(written(tmp_path / "a.csv", text))
    assert raw.table["b"].to_pylist() == ["x, y", '5" pipe', "z"]


def test_title_lines_above_the_header_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "월간 보고서\n\na,b,c\n1,2,3\n4,5,6\n")
    raw = read(path)
    assert raw.columns == ["a", "b", "c"]
    assert raw.table["_row"].to_pylist() == [4, 5]


def test_names_that_differ_only_in_case_are_told_apart(tmp_path: Path) -> None:
    raw = read(written(tmp_path / "a.csv", "Temp,temp,\n1,2,3\n4,5,6\n"))
    assert raw.columns == ["Temp", "temp_2", "column_3"]


def test_a_folder_of_runs_gives_each_file_its_number(tmp_path: Path) -> None:
    for run in (1, 2, 10):
        written(tmp_path / f"experiment_{run:02}.csv", "x,y\n1,2\n3,4\n")
    raw = read(tmp_path)
    assert raw.table["run_id"].to_pylist() == ["1", "1", "2", "2", "10", "10"]


def test_labels_of_another_file_are_joined_by_run(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    for run in (1, 2, 14):
        written(runs / f"experiment_{run:02}.csv", "x,y\n1,2\n")
    labels = written(runs / "train.csv", "No,tool\n14,worn\n01,unworn\n")
    raw = read(runs, labels=labels, on="No")
    assert raw.table["tool"].to_pylist() == ["unworn", None, "worn"]
    assert [f.code for f in raw.findings] == ["unlabelled-runs"]


def test_a_label_file_without_the_named_column_says_what_it_has(tmp_path: Path) -> None:
    data = written(tmp_path / "run_1.csv", "x,y\n1,2\n")
    labels = written(tmp_path / "labels.csv", "No,tool\n1,worn\n")
    with pytest.raises(KampError, match="No, tool"):
        read(data, labels=labels, on="Nr")


def test_a_stranger_among_runs_is_refused_by_name(tmp_path: Path) -> None:
    for run in (1, 2, 3):
        written(tmp_path / f"run_{run}.csv", "x,y\n1,2\n")
    written(tmp_path / "train.csv", "No,tool\n1,worn\n")
    with pytest.raises(KampError, match=r"train\.csv.*--labels"):
        read(tmp_path)


def test_links_inside_a_folder_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    written(folder / "run_1.csv", "x,y\n1,2\n")
    secret = written(tmp_path / "secret.csv", "x,y\n9,9\n")
    (folder / "run_2.csv").symlink_to(secret)
    assert [s.name for s in read(folder).sources] == ["run_1.csv"]


def test_labels_need_a_key() -> None:
    with pytest.raises(UsageError):
        read("a.csv", labels="b.csv")


BAD: dict[str, tuple[str, bytes]] = {
    "empty": ("a.csv", b""),
    "blank": ("a.csv", b"\n\n  \n"),
    "junk": ("a.csv", bytes(range(256)) * 40),
    "control characters": ("a.csv", b"\x01\x02\x03,\x04\n" * 50),
    "only a header": ("a.csv", b"a,b,c\n"),
    "a web page": ("a.csv", b"<html><body>error 500</body></html>"),
    "zeros in the middle": ("a.csv", b"a,b\n1,2\n" * 30 + b"3,\x00\n4,5\n"),
    "truncated parquet": ("a.parquet", b"PAR1\x15\x04\x15"),
    "no workbook": ("a.xlsx", b"PK\x03\x04 not a zip"),
    "unknown ending": ("a.docx", b"hello"),
    "no picture": ("a.png", b"\x89PNG\r\n\x1a\n broken"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_in_both_languages(tmp_path: Path, case: str) -> None:
    name, data = BAD[case]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(KampError) as caught:
        read(tmp_path / name)
    for said in (caught.value.text.ko, caught.value.text.en):
        assert name in said
        assert "\n" not in said


def test_a_folder_with_nothing_to_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_bytes(b"x")
    with pytest.raises(KampError, match=str(tmp_path)):
        read(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KampError, match=r"none\.csv"):
        read(tmp_path / "none.csv")
