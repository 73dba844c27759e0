"""Which files are read as tables, whatever they are called, and what comes out."""

from __future__ import annotations

import json
import sqlite3
import wave
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import scipy.io
from scipy.io import wavfile

from kamp_lib.datasets import ingest, open_dataset, parse, read
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant

TABLE = "시각,온도,판정\n2024-01-01 10:00,21.5,OK\n2024-01-01 10:01,22.5,NG\n"
COLUMNS = ["시각", "온도", "판정"]


def written(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return path


def rows(raw: Raw) -> list[dict[str, Any]]:
    return raw.table.drop_columns(["_file", "_row"]).to_pylist()


def codes(raw: Raw) -> set[str]:
    return {f.code for f in raw.findings}


# --- content before ending


@pytest.mark.parametrize("name", ["a.dat", "a.log", "a.asc", "a.xls", "a.xlsx"])
def test_text_is_read_as_text_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    raw = read(written(tmp_path / name, TABLE.encode("cp949")))
    assert raw.columns == COLUMNS


@pytest.mark.parametrize("name", ["a.csv", "a.xls", "a.txt", "no_ending"])
def test_a_parquet_file_is_known_by_its_bytes(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / name)
    assert rows(read(tmp_path / name)) == [{"a": 1}, {"a": 2}]


def test_a_web_table_called_xls_is_read(tmp_path: Path) -> None:
    page = (
        "<html><meta charset=euc-kr><table><tr><th colspan=3>일보</th></tr>"
        "<tr><th>시각</th><th>온도</th><th>판정</th></tr>"
        "<tr><td>2024-01-01 10:00</td><td>21.5</td><td>&nbsp;OK</td></tr>"
        "<tr><td>2024-01-01 10:01</td><td>22.5</td><td>NG</td></tr></table></html>"
    )
    raw = read(written(tmp_path / "a.xls", page.encode("cp949")))
    assert raw.columns == COLUMNS
    assert raw.table["판정"].to_pylist() == ["OK", "NG"]


def test_cells_of_a_web_table_that_reach_down_fill_their_rows(tmp_path: Path) -> None:
    page = (
        "<table><tr><td>lot</td><td>x</td></tr>"
        "<tr><td rowspan=2>L1</td><td>1</td></tr><tr><td>2</td></tr></table>"
    )
    raw = read(written(tmp_path / "a.xls", page))
    assert rows(raw) == [{"lot": "L1", "x": "1"}, {"lot": "L1", "x": "2"}]


def test_excel_xml_of_2003_is_read(tmp_path: Path) -> None:
    def row(*cells: str) -> str:
        inside = "".join(
            f'<Cell><Data ss:Type="String">{c}</Data></Cell>' for c in cells
        )
        return f"<Row>{inside}</Row>"

    urn = "urn:schemas-microsoft-com:office:spreadsheet"
    book = (
        f'<?xml version="1.0"?><Workbook xmlns="{urn}" xmlns:ss="{urn}">'
        f'<Worksheet ss:Name="일보"><Table>{row(*COLUMNS)}'
        f"{row('2024-01-01T10:00:00.000', '21.5', 'OK')}</Table></Worksheet></Workbook>"
    )
    raw = read(written(tmp_path / "a.xls", book))
    assert raw.columns == COLUMNS
    assert raw.sources[0].details["sheet"] == "일보"


def test_an_error_page_is_said_to_be_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xls", "<!DOCTYPE html>\n<html>로그인 하세요</html>")
    with pytest.raises(KampError, match="웹 페이지"):
        read(path)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"7z\xbc\xaf\x27\x1c", "zip"),
        (b"Rar!\x1a\x07\x01", "zip"),
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"FEA1", "Feather"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_way_out(
    tmp_path: Path, start: bytes, said: str
) -> None:
    path = written(tmp_path / "a.csv", start + b"\0\1\2" * 50)
    with pytest.raises(KampError, match=said):
        read(path)


# --- Parquet, Feather, Arrow


def test_every_type_of_parquet_becomes_something_that_can_be_parsed(
    tmp_path: Path,
) -> None:
    columns: dict[str, Any] = {
        "nested": [{"a": 1, "b": {"c": "x"}}, None],
        "list": [[1, 2], None],
        "dictionary": pa.array(["x", "y"]).dictionary_encode(),
        "decimal": [Decimal("1.50"), None],
        "time": [time(1, 2, 3), None],
        "duration": pa.array([timedelta(seconds=1.5), None], pa.duration("us")),
        "uint64": pa.array([2**64 - 1, 3], pa.uint64()),
        "float16": pa.array([1.5, None], pa.float16()),
        "nothing": pa.nulls(2),
        "when": pa.array([datetime(2024, 1, 1), None], pa.timestamp("ns", "UTC")),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    raw = read(tmp_path / "a.parquet")
    first = rows(raw)[0]
    assert first["nested.b.c"] == "x"
    assert first["list"] == "[1, 2]"
    assert first["uint64"] == "18446744073709551615"
    assert (first["duration"], raw.units["duration"]) == (1.5, "s")
    frame = parse(raw).frame
    assert frame["when"].iloc[0].hour == 9
    assert frame["decimal"].iloc[0] == 1.5


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")
    assert rows(read(tmp_path / "a.parquet")) == [{"a": 1, "a_2": 2}]


def test_an_index_of_times_is_kept_and_one_of_row_numbers_is_not(
    tmp_path: Path,
) -> None:
    import pandas as pd

    frame = pd.DataFrame({"x": [1.0, 2.0]})
    frame.index = pd.to_datetime(["2024-01-01", "2024-01-02"])
    frame.to_parquet(tmp_path / "times.parquet")
    frame.reset_index(drop=True).iloc[::-1].to_parquet(tmp_path / "numbers.parquet")
    assert read(tmp_path / "times.parquet").columns == ["x", "index"]
    assert read(tmp_path / "numbers.parquet").columns == ["x"]


def test_feather_arrow_and_streams_are_read_alike(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    pyarrow.feather.write_feather(table, tmp_path / "a.feather")
    with pyarrow.ipc.new_stream(tmp_path / "a.arrow", table.schema) as stream:
        stream.write_table(table)
    assert rows(read(tmp_path / "a.feather")) == table.to_pylist()
    assert rows(read(tmp_path / "a.arrow")) == table.to_pylist()


def test_a_unit_in_the_metadata_of_a_field_is_kept(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("t", pa.float64(), metadata={"unit": "degC"})])
    pq.write_table(pa.table({"t": [1.5]}, schema=schema), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").units == {"t": "degC"}


# --- JSON


def test_json_lines_are_rows_and_objects_inside_are_columns(tmp_path: Path) -> None:
    text = (
        '{"t": "2024-01-01", "v": {"a": 1.5}}\n\n{"t": "x", "id": 12345678901234567}\n'
    )
    raw = read(written(tmp_path / "a.jsonl", text))
    assert rows(raw) == [
        {"t": "2024-01-01", "v.a": "1.5", "id": None},
        {"t": "x", "v.a": None, "id": "12345678901234567"},
    ]
    assert raw.table["_row"].to_pylist() == [1, 3]


def test_a_broken_line_of_json_is_kept_aside(tmp_path: Path) -> None:
    raw = read(written(tmp_path / "a.jsonl", '{"a":1}\n{"a":2}\n{"a":'))
    assert [(r.row, r.original) for r in raw.rejected] == [(3, '{"a":')]
    assert raw.rows_read == 3


@pytest.mark.parametrize(
    "document",
    [
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        {"meta": {"n": 2}, "data": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]},
        {"a": [1, 2], "b": ["x", "y"]},
    ],
)
def test_json_documents_in_every_usual_shape(tmp_path: Path, document: object) -> None:
    for indent in (None, 2):
        path = written(tmp_path / "a.json", json.dumps(document, indent=indent))
        assert rows(read(path)) == [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]


def test_another_table_of_a_document_can_be_named(tmp_path: Path) -> None:
    document = {"shots": [{"a": 1}, {"a": 2}], "alarms": [{"code": 7}]}
    path = written(tmp_path / "a.json", json.dumps(document))
    assert codes(read(path)) == {"sheet-chosen"}
    assert rows(read(path, options=Options(sheet="alarms"))) == [{"code": "7"}]


@pytest.mark.parametrize("text", ["[" * 100_000, "[[1, 2]]", "{", '"x"', "[1,", "null"])
def test_json_that_holds_no_rows_is_one_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(KampError, match="JSON"):
        read(written(tmp_path / "a.json", text))


# --- SQLite


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE log (t TEXT, v REAL, n INTEGER)")
        values = [(f"2024-01-01 10:00:{i:02}", i / 4, 2**60 + i) for i in range(50)]
        base.executemany("INSERT INTO log VALUES (?, ?, ?)", values)
        base.execute('CREATE TABLE "odd ""name" (a)')
        base.execute('INSERT INTO "odd ""name" VALUES (1)')
        base.execute("""CREATE VIEW endless AS
            WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x FROM r)
            SELECT * FROM r""")
    base.close()
    return path


def test_the_fullest_table_of_a_database_is_read(database: Path) -> None:
    raw = read(database)
    assert rows(raw)[3] == {
        "t": "2024-01-01 10:00:03",
        "v": "0.75",
        "n": "1152921504606846979",
    }
    assert raw.table.num_rows == 50
    assert codes(raw) == {"sheet-chosen"}


def test_another_table_of_a_database_can_be_named(database: Path) -> None:
    assert rows(read(database, options=Options(sheet='odd "name'))) == [{"a": "1"}]


def test_a_view_is_never_run(database: Path) -> None:
    with pytest.raises(UsageError, match="log"):
        read(database, options=Options(sheet="endless"))


def test_reading_a_database_leaves_nothing_beside_it(database: Path) -> None:
    read(database)
    assert [p.name for p in database.parent.iterdir() if p.is_file()] == ["a.db"]


def test_a_database_in_use_is_refused(database: Path) -> None:
    base = sqlite3.connect(database)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("INSERT INTO log VALUES ('x', 1, 1)")
    base.commit()
    with pytest.raises(KampError, match="닫고"):
        read(database)
    base.close()


# --- signals and sound


def test_signals_of_one_length_are_the_columns_of_a_matlab_file(tmp_path: Path) -> None:
    held = {
        "DE": np.arange(100.0).reshape(-1, 1),
        "FE": np.arange(100.0).reshape(1, -1),
        "rpm": 1796,
        "motor": {"fs": 1000.0, "speed": np.arange(7.0)},
    }
    scipy.io.savemat(tmp_path / "a.mat", held, do_compression=True)
    raw = read(tmp_path / "a.mat")
    assert raw.columns == ["time_s", "DE", "FE", "rpm", "motor.fs"]
    assert rows(raw)[99] | {"motor.fs": 0} == {
        "time_s": 0.099,
        "DE": 99.0,
        "FE": 99.0,
        "rpm": 1796,
        "motor.fs": 0,
    }
    assert codes(raw) == {"arrays-left-out"}
    short = read(tmp_path / "a.mat", options=Options(sheet="motor.speed"))
    assert short.table.num_rows == 7


def test_a_matlab_file_of_version_7_3_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["x"] = np.arange(300.0).reshape(1, -1)
        file["st/y"] = np.arange(600.0).reshape(2, 300)
        name = file.create_dataset("name", data=np.array([[97], [98]], dtype="u2"))
        name.attrs["MATLAB_class"] = np.bytes_("char")
    with open(path, "r+b") as raw_file:
        raw_file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
    raw = read(path)
    assert raw.table.num_rows == 300
    assert raw.columns == ["st.y_1", "st.y_2", "x", "name"]
    assert raw.table["name"][0].as_py() == "ab"


@pytest.mark.parametrize("kind", ["i4", ">f8", "f2", "u1", "?", "M8[ms]", "U3", "c16"])
def test_arrays_of_every_type_are_read(tmp_path: Path, kind: str) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros((5, 1)).astype(kind), b=np.arange(5.0))
    assert read(tmp_path / "a.npz").table.num_rows == 5
    np.save(tmp_path / "a.npy", np.zeros((2, 5)).astype(kind))
    assert read(tmp_path / "a.npy").table.num_rows == 5


def test_bearing_recordings_of_a_folder_are_runs(
    tenant: Tenant, tmp_path: Path
) -> None:
    folder = tmp_path / "bearing"
    folder.mkdir()
    for name, channels in {
        "B_7": "DE FE BA",
        "IR_7": "DE FE BA",
        "Normal": "DE FE",
    }.items():
        arrays = {
            c: np.arange(50.0).reshape(-1, 1) + len(name) for c in channels.split()
        }
        np.savez(folder / f"{name}.npz", **arrays)
    result = ingest(tenant, "generic", folder)
    assert "differing-columns" in {f.code for f in result.findings}
    frame = open_dataset(tenant, "generic").to_pandas()
    assert frame.groupby("run_id").size().to_dict() == {
        "B_7": 50,
        "IR_7": 50,
        "Normal": 50,
    }


def test_real_bearing_recordings(real_data: Path) -> None:
    raw = read(real_data / "cwru_bearing")
    assert len(raw.sources) == 10
    assert raw.columns == ["run_id", "DE", "FE", "BA"]
    assert "differing-columns" in codes(raw)
    normal = raw.table.filter(pa.compute.equal(raw.table["run_id"], "1797_Normal"))
    assert normal["BA"].null_count == normal.num_rows == 243_938


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8"])
def test_a_sound_is_the_same_whatever_its_bits(tmp_path: Path, kind: str) -> None:
    wave_ = np.sin(np.arange(400) / 5)[:, None] * [1, 0.5]
    scale = {"u1": (127, 128), "i2": (2**15 - 1, 0), "i4": (2**31 - 1, 0)}
    factor, offset = scale.get(kind, (1, 0))
    wavfile.write(tmp_path / "a.wav", 8000, (wave_ * factor + offset).astype(kind))
    table = read(tmp_path / "a.wav").table
    heard = np.column_stack([table["channel_1"], table["channel_2"]])
    assert np.abs(heard - wave_).max() < 0.02
    assert table["time_s"][8].as_py() == 0.001


def test_a_sound_of_24_bits_is_read(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(3)
        file.setframerate(48_000)
        file.writeframes(b"\xff\xff\x7f" * 100)
    raw = read(tmp_path / "a.wav")
    assert raw.table["channel_1"][0].as_py() == pytest.approx(1, abs=1e-6)
    assert raw.units == {"time_s": "s"}


def test_a_recording_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    wavfile.write(tmp_path / "a.wav", 8000, np.zeros(1000, dtype="i2"))
    written(tmp_path / "b.wav", (tmp_path / "a.wav").read_bytes()[:1044])
    raw = read(tmp_path / "b.wav")
    assert raw.table.num_rows == 500
    assert codes(raw) == {"cut-short"}


# --- damaged and hostile


def test_python_objects_in_arrays_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object))
    np.savez(tmp_path / "a.npz", a=np.array([Trap()], dtype=object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(KampError, match="객체"):
            read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_an_hdf5_file_cannot_reach_other_files(tmp_path: Path) -> None:
    secret = written(tmp_path / "secret", b"s" * 100)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink(str(secret), "/x")
        file.create_dataset(
            "raw", shape=(100,), dtype="u1", external=[(str(secret), 0, 100)]
        )
    with pytest.raises(KampError, match="데이터가 없습니다"):
        read(tmp_path / "a.h5")


def test_a_small_file_that_declares_a_huge_array_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", shape=(10**12,), dtype="f8", chunks=(1000,))
    with pytest.raises(KampError, match="너무 큽니다"):
        read(tmp_path / "a.h5")


def one_of_each(folder: Path) -> list[Path]:
    """A small good file of every binary kind."""
    table = pa.table({"a": list(range(300)), "b": ["x"] * 300})
    pq.write_table(table, folder / "a.parquet")
    pyarrow.feather.write_feather(table, folder / "a.feather")
    numbers = np.random.default_rng(0).normal(size=(300, 2))
    scipy.io.savemat(folder / "a.mat", {"x": numbers})
    np.savez(folder / "a.npz", x=numbers)
    wavfile.write(folder / "a.wav", 8000, numbers.astype("f4"))
    with h5py.File(folder / "a.h5", "w") as file:
        file["x"] = numbers
    with sqlite3.connect(folder / "a.sqlite") as base:
        base.execute("CREATE TABLE t (a, b)")
        base.executemany("INSERT INTO t VALUES (?, ?)", numbers.tolist())
    base.close()
    return sorted(folder.iterdir())


def test_damaged_files_are_read_or_refused_in_one_sentence(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    good = tmp_path / "good"
    good.mkdir()
    for path in one_of_each(good):
        data = path.read_bytes()
        for attempt in range(5):
            broken = bytearray(data[: int(random.integers(1, len(data)))])
            if attempt % 2:
                broken = bytearray(data)
                for place in random.integers(0, len(data), 8):
                    broken[place] = int(random.integers(0, 256))
            file = written(tmp_path / path.name, bytes(broken))
            assert "\n" not in said_of(file)


def said_of(file: Path) -> str:
    """What is said of a file that cannot be read."""
    try:
        read(file)
    except KampError as error:
        return str(error)
    return ""
