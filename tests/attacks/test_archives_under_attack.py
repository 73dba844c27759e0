"""Archives that mean harm: one sentence, nothing unpacked anywhere, the store untouched."""

from __future__ import annotations

import gzip
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest

from kamp_lib.datasets import ingest, read
from kamp_lib.datasets.reading import archives, kinds
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant

TABLE = "a,b\n" + "".join(f"{i},x{i}\n" for i in range(20))


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where archives are unpacked."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def packed(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../a.csv",
        "x/../../a.csv",
        "/etc/a.csv",
        "\\\\host\\a.csv",
        "..\\a.csv",
        "C:\\a.csv",
        "c:a.csv",
    ],
)
def test_a_path_that_leads_out_refuses_the_archive(
    tenant: Tenant, tmp_path: Path, name: str
) -> None:
    with pytest.raises(KampError, match="안전하지 않은"):
        ingest(tenant, "generic", packed(tmp_path / "a.zip", "good.csv", name))
    assert not list(tenant.data.iterdir())


def test_a_name_with_a_null_byte_refuses_the_archive(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", "aXb.csv")
    path.write_bytes(path.read_bytes().replace(b"aXb.csv", b"a\0b.csv"))
    with pytest.raises(KampError, match=r"a\.zip"):
        read(path)


def test_a_link_refuses_the_archive(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(KampError, match="링크"):
        read(tmp_path / "a.zip")


def test_members_are_never_unpacked_under_their_own_names(
    tmp_path: Path, scratch: Path
) -> None:
    raw = read(packed(tmp_path / "a.zip", "con.csv", "x" * 200 + ".csv"))
    unpacked = [p.name for p in scratch.rglob("*.csv")]
    assert sorted(unpacked) == ["1.csv", "2.csv"]
    del raw
    assert not list(scratch.iterdir())


def test_nothing_stays_behind_when_an_archive_is_refused(
    tmp_path: Path, scratch: Path
) -> None:
    path = packed(tmp_path / "a.zip", "a.csv", "b.csv")
    data = bytearray(path.read_bytes())
    data[data.rfind(b"b.csv", 0, data.find(b"PK\x01\x02")) + 8] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(KampError, match="망가진"):
        read(path)
    assert not list(scratch.iterdir())


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits small enough to be reached at once."""
    monkeypatch.setattr(archives, "PLENTY", 1 << 20)
    monkeypatch.setattr(kinds, "MOST_MEMBERS", 50)


@pytest.mark.usefixtures("little")
def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, scratch: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bytes(8 << 20))
    with pytest.raises(KampError, match="너무 커집니다"):
        read(tmp_path / "a.zip")
    assert not list(scratch.rglob("*.csv"))


@pytest.mark.usefixtures("little")
def test_a_bomb_that_lies_about_its_size_gets_no_further_than_it_said(
    tmp_path: Path, scratch: Path
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", bytes(8 << 20))
    size = (8 << 20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(KampError, match=r"a\.zip"):
        read(path)


@pytest.mark.usefixtures("little")
def test_a_gz_bomb_is_stopped_while_it_inflates(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(bytes(64 << 20)))
    with pytest.raises(KampError, match="너무 커집니다"):
        read(tmp_path / "a.csv.gz")
    assert not list(scratch.iterdir())


@pytest.mark.usefixtures("little")
def test_an_archive_of_countless_members_is_refused(tmp_path: Path) -> None:
    names = [f"{i}.csv" for i in range(60)]
    with pytest.raises(KampError, match="너무 많습니다"):
        read(packed(tmp_path / "a.zip", *names))


def test_real_data_of_much_repetition_are_no_bomb(tmp_path: Path) -> None:
    rows = "시각,온도\n" + "2024-01-01 10:00:00,23.5\n" * 100_000
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", rows)
    assert read(tmp_path / "a.zip").table.num_rows == 100_000


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_one_sentence(tmp_path: Path, part: float) -> None:
    whole = packed(tmp_path / "whole.zip", "a.csv", "b.csv").read_bytes()
    squeezed = gzip.compress(TABLE.encode() * 50)
    for name, data in {"a.zip": whole, "a.csv.gz": squeezed}.items():
        (tmp_path / name).write_bytes(data[: int(len(data) * part)])
        with pytest.raises(KampError, match="망가진"):
            read(tmp_path / name)


@pytest.mark.parametrize("method", [9, 98])
def test_a_strange_compression_is_said_to_be_one(tmp_path: Path, method: int) -> None:
    path = packed(tmp_path / "a.zip", "a.csv")
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.find(mark) + at] = method
    path.write_bytes(data)
    with pytest.raises(KampError, match="압축 방식"):
        read(path)


def test_an_archive_with_nothing_to_read_says_so(tmp_path: Path) -> None:
    for path in (packed(tmp_path / "a.zip"), packed(tmp_path / "b.zip", "a.exe")):
        with pytest.raises(KampError, match="읽을 수 있는 파일이 없습니다"):
            read(path)
