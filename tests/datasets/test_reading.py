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


def test_columns_of_fixed_width_tell_which_cell_is_empty(tmp_path: Path) -> None:
    text = "NO   TEMP  PRES  STAT\n" + "".join(
        f"{i:<5}{20 + i:>4}  {'' if i % 4 == 0 else 100 + i:>4}  OK\n"
        for i in range(20)
    )
    raw = read(written(tmp_path / "a.txt", text, "cp949"))
    assert raw.columns == ["NO", "TEMP", "PRES", "STAT"]
    assert raw.table["PRES"].to_pylist()[:3] == ["", "101", "102"]
    assert set(raw.table["STAT"].to_pylist()) == {"OK"}


def test_a_rule_below_the_header_tells_where_columns_begin(tmp_path: Path) -> None:
    text = "id  ts                  temp\n--- ------------------- ----\n" + "".join(
        f"{i:<3} 2020-05-04 10:00:{i:02} {20 + i / 4:<4}\n" for i in range(12)
    )
    raw = read(written(tmp_path / "a.txt", text + "\n(12 rows affected)\n"))
    assert raw.table["ts"].to_pylist()[3] == "2020-05-04 10:00:03"
    assert (raw.table.num_rows, len(raw.rejected)) == (12, 1)


def test_a_value_wider_than_its_column_is_never_cut(tmp_path: Path) -> None:
    rows = [f"{i:<4} {'' if i % 3 else i:>5} {20 + i:>4}" for i in range(30)]
    rows[25] = "25   1234567   45"
    raw = read(written(tmp_path / "a.txt", "no       a temp\n" + "\n".join(rows)))
    assert [r.row for r in raw.rejected] == [27]


def test_rows_short_of_their_last_cells_are_filled_when_it_is_a_habit(
    tmp_path: Path,
) -> None:
    rows = [f"L{i},{i}.5" + (",burr" if i % 9 == 0 else "") for i in range(30)]
    raw = read(written(tmp_path / "a.csv", "lot,temp,defect\n" + "\n".join(rows)))
    assert (raw.table.num_rows, raw.rejected) == (30, [])
    assert "short-rows" in [f.code for f in raw.findings]


def test_one_short_row_is_rejected(tmp_path: Path) -> None:
    rows = [f"L{i},{i}.5,x" for i in range(30)]
    rows[7] = "L7,7.5"
    raw = read(written(tmp_path / "a.csv", "lot,temp,defect\n" + "\n".join(rows)))
    assert [(r.row, r.code) for r in raw.rejected] == [(9, "wrong-field-count")]


def test_two_header_rows_and_titles_come_again_between_pasted_exports(
    tmp_path: Path,
) -> None:
    part = "일보,,\n시각,온도,\n,상,하\n10:00,1.5,2.5\n10:01,1.5,2.5\n10:02,1.5,2\n"
    raw = read(written(tmp_path / "a.csv", part * 3))
    assert raw.columns == ["시각", "온도 상", "온도 하"]
    assert raw.table.num_rows == 9
    assert {r.code for r in raw.rejected} == {"repeated-header"}
    assert len(raw.rejected) == 6


@pytest.mark.parametrize("text", ["Temp [°C];x\n20,5;1\n21,5;2\n", "Länge µm;x\n1;2\n"])
def test_a_western_machine_is_not_taken_for_a_korean_one(
    tmp_path: Path, text: str
) -> None:
    raw = read(written(tmp_path / "a.csv", text, "latin-1"))
    assert raw.columns[0] == text.split(";")[0]


def test_letters_cut_in_half_by_a_field_are_counted(tmp_path: Path) -> None:
    word = "금형온도상승".encode("cp949")
    rows = [b"%d,%s,1.5" % (i, word[: 9 if i % 7 == 0 else 8]) for i in range(50)]
    header = "번호,설명,값".encode("cp949")
    (tmp_path / "a.csv").write_bytes(b"\n".join([header, *rows]))
    raw = read(tmp_path / "a.csv")
    assert raw.columns == ["번호", "설명", "값"]
    assert [(f.code, f.count) for f in raw.findings] == [("mixed-encodings", 8)]


def test_zeros_at_the_end_are_what_a_power_cut_leaves(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2.5\n2,3.5\n" + bytes(500))
    assert read(tmp_path / "a.csv").table.num_rows == 2
