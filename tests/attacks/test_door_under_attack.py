"""Attacks on the door: whatever comes in, one sentence and the store as it was."""

from __future__ import annotations

import os
from pathlib import Path
from unicodedata import normalize

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kamp_lib.datasets import ingest, open_dataset, read
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant

TABLE = "a,b\n" + "".join(f"{i},x{i}\n" for i in range(20))


def csv(folder: Path, text: str = TABLE, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mapping(folder: Path, text: str) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(f"equipment: generic\n{text}", encoding="utf-8")
    return path


@pytest.fixture(params=["pipe", "device"])
def endless(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Something by a file's name that never ends."""
    path = tmp_path / "endless.csv"
    if request.param == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    return path


def test_what_never_ends_is_not_read(endless: Path) -> None:
    with pytest.raises(KampError, match="endless"):
        read(endless)


def test_a_mapping_file_that_never_ends_is_not_read(
    tenant: Tenant, tmp_path: Path, endless: Path
) -> None:
    with pytest.raises(KampError, match="endless"):
        ingest(tenant, "generic", csv(tmp_path), mapping=endless)


@pytest.mark.parametrize("encoding", ["cp949", "latin-1"])
def test_a_file_name_that_is_no_utf8_is_read(
    tenant: Tenant, tmp_path: Path, encoding: str
) -> None:
    name = {"cp949": "사출", "latin-1": "é\xff"}[encoding].encode(encoding)
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name + b".csv"))
    path.write_text(TABLE)
    ingest(tenant, "generic", path)
    file = open_dataset(tenant, "generic").files[0]["name"]
    assert file == {"cp949": "사출.csv", "latin-1": "\ufffd\ufffd.csv"}[encoding]


def test_binary_columns_of_parquet_become_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": [b"ab", None], "bytes": [b"\xff\x00", b"x"]}
    pq.write_table(pa.table(columns), path)
    table = read(path).table
    assert table["text"].to_pylist() == ["ab", None]
    assert table["bytes"].to_pylist() == ["ff00", "78"]


def test_names_that_look_the_same_are_told_apart(tmp_path: Path) -> None:
    apart = normalize("NFD", "온도")
    raw = read(csv(tmp_path, f"온도,{apart},a\u200bb\n" + "1,2,3\n" * 9))
    assert raw.columns == ["온도", "온도_2", "ab"]


@pytest.mark.parametrize("name", ["_file", "_ROW", "_ingest", "x\ny", "a\x1b[2J"])
def test_a_mapping_cannot_take_a_name_of_the_store(
    tenant: Tenant, tmp_path: Path, name: str
) -> None:
    path = mapping(tmp_path, f"columns: [{{source: a, name: {ascii(name)!s}}}]")
    path.write_text(path.read_text().replace("'", '"'))
    with pytest.raises(KampError, match=r"mapping\.yaml"):
        ingest(tenant, "generic", csv(tmp_path), mapping=path)
    assert not list(tenant.data.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "record_kind: [1]\ncolumns: [{source: a, name: q}]",
        "record_kind: nonsense\ncolumns: [{source: a, name: q}]",
    ],
)
def test_a_mapping_cannot_invent_a_record_kind(
    tenant: Tenant, tmp_path: Path, text: str
) -> None:
    with pytest.raises((KampError, UsageError), match=r"record_kind|nonsense"):
        ingest(tenant, "generic", csv(tmp_path), mapping=mapping(tmp_path, text))


def test_a_confidence_that_is_no_number_counts_as_none(
    tenant: Tenant, tmp_path: Path
) -> None:
    entry = "columns: [{source: a, name: q, proposed: q, confidence: [high]}]"
    ingest(tenant, "generic", csv(tmp_path), mapping=mapping(tmp_path, entry))
    assert "q" in open_dataset(tenant, "generic").schema.names


def test_rows_of_a_label_file_without_a_key_are_passed_over(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    for number in (1, 2):
        csv(runs, name=f"run_{number}.csv")
    labels = csv(tmp_path, "No,tool\n1,worn\n,\n,\n2,new\n", "labels.csv")
    raw = read(runs, labels=labels, on="No")
    assert set(raw.table["tool"].to_pylist()) == {"worn", "new"}
