"""Zip and gz: read as if their files lay in a folder, kept as they came."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
import pyzipper
from PIL import Image

from kamp_lib.datasets import ingest, open_dataset, read
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant


def table(start: int = 0) -> str:
    lines = [f"2024-01-01 10:{i:02},{start + i + 0.5}" for i in range(20)]
    return "\n".join(["시각,온도", *lines, ""])


def packed(path: Path, members: Sequence[tuple[str, str | bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def names(raw: Raw) -> list[str]:
    return [source.name for source in raw.sources]


def test_one_file_in_a_zip_is_read_as_that_file(tmp_path: Path) -> None:
    raw = read(packed(tmp_path / "a.zip", [("shots.csv", table())]))
    assert names(raw) == ["a.zip/shots.csv"]
    assert raw.columns == ["시각", "온도"]


def test_several_files_in_a_zip_are_runs_in_natural_order(tmp_path: Path) -> None:
    members = [(f"day/run_{i}.csv", table(i)) for i in (10, 2, 1)]
    raw = read(packed(tmp_path / "a.zip", members))
    assert [s.run for s in raw.sources] == ["1", "2", "10"]


def test_the_archive_is_the_original_and_is_kept_once(
    tenant: Tenant, tmp_path: Path
) -> None:
    members = [(f"run_{i}.csv", table(i)) for i in range(3)]
    path = packed(tmp_path / "a.zip", members)
    ingest(tenant, "generic", path)
    data = open_dataset(tenant, "generic")
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    assert {f["sha256"] for f in data.files} == {sha}
    assert [f["member"] for f in data.files] == ["run_0.csv", "run_1.csv", "run_2.csv"]
    kept = list((tenant.data / "generic" / "originals").iterdir())
    assert [k.read_bytes() for k in kept] == [path.read_bytes()]


def test_a_file_that_is_stored_is_known_inside_an_archive(
    tenant: Tenant, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(table(), encoding="utf-8")
    ingest(tenant, "generic", tmp_path / "a.csv")
    again = packed(tmp_path / "a.zip", [("a.csv", table())])
    assert ingest(tenant, "generic", again).unchanged


def test_a_gz_is_its_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    more = gzip.compress(b"2024-01-01 11:00,99.5\n")
    path.write_bytes(gzip.compress(table().encode()) + more)
    raw = read(path)
    assert names(raw) == ["a.csv.gz"]
    assert raw.table.num_rows == 21


@pytest.mark.parametrize("name", ["a.gz", "log.2024.gz", "a.CSV.GZ"])
def test_the_name_of_a_gz_need_not_tell_what_it_holds(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(gzip.compress(table().encode("cp949")))
    assert read(tmp_path / name).columns == ["시각", "온도"]


def test_a_file_unpacked_under_its_old_name_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_text(table(), encoding="utf-8")
    assert read(tmp_path / "a.csv.gz").columns == ["시각", "온도"]


def test_what_is_only_called_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"\0\1\2" * 100)
    with pytest.raises(KampError, match="다시 압축"):
        read(tmp_path / "a.zip")


def test_archives_of_a_folder_are_opened_too(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    packed(folder / "day_1.zip", [("a.csv", table())])
    (folder / "day_2.csv.gz").write_bytes(gzip.compress(table(50).encode()))
    assert sorted(names(read(folder))) == ["day_1.zip/a.csv", "day_2.csv.gz"]


def test_names_that_old_windows_wrote_are_korean(tmp_path: Path) -> None:
    data = packed(tmp_path / "a.zip", [("xxxxxxxx.csv", table())]).read_bytes()
    old = "사출온도".encode("cp949")
    (tmp_path / "a.zip").write_bytes(data.replace(b"x" * 8, old))
    assert names(read(tmp_path / "a.zip")) == ["a.zip/사출온도.csv"]


def test_names_that_a_mac_took_apart_are_put_together(tmp_path: Path) -> None:
    members = [(normalize("NFD", "온도.csv"), table())]
    assert names(read(packed(tmp_path / "a.zip", members))) == ["a.zip/온도.csv"]


def test_what_systems_leave_behind_goes_without_saying(tmp_path: Path) -> None:
    litter = ["__MACOSX/._a.csv", ".DS_Store", "Thumbs.db", "~$a.xlsx", "dir/.a.csv"]
    members = [("a.csv", table()), *[(name, b"\0\1") for name in litter]]
    raw = read(packed(tmp_path / "a.zip", members))
    assert names(raw) == ["a.zip/a.csv"]
    assert not raw.findings


def test_what_is_left_aside_is_named(tmp_path: Path) -> None:
    members = [("a.csv", table()), ("manual.hwp", b"x"), ("inner.zip", b"PK")]
    raw = read(packed(tmp_path / "a.zip", members))
    said = {f.code: f.examples for f in raw.findings}
    assert said == {"files-left-aside": ["manual.hwp"], "nested-archive": ["inner.zip"]}


def test_two_members_of_one_name_are_both_read(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = packed(tmp_path / "a.zip", [("a.csv", table()), ("a.csv", table(50))])
    raw = read(path)
    assert names(raw) == ["a.zip/a.csv", "a.zip/a (2).csv"]
    assert raw.table.num_rows == 40


def test_pictures_in_a_zip_have_the_class_of_their_folder(
    tenant: Tenant, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    members = []
    for number in range(6):
        picture = io.BytesIO()
        pixels = random.integers(0, 255, (20, 20), dtype="u1")
        Image.fromarray(pixels).save(picture, "PNG")
        members.append(
            (f"{'ok' if number % 2 else 'ng'}/{number}.png", picture.getvalue())
        )
    ingest(tenant, "machine-vision", packed(tmp_path / "a.zip", members))
    data = open_dataset(tenant, "vision")
    frame = data.to_pandas()
    assert frame["defect_class"].value_counts().to_dict() == {"ok": 3, "ng": 3}
    assert all((data.images_folder / name).is_file() for name in frame["image"])


def test_labels_beside_the_pictures_of_a_zip_are_joined(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("L", (20, 20)).save(picture, "PNG")
    labels = "file,verdict\n" + "".join(f"p{i},ok\n" for i in range(4))
    members = [(f"p{i}.png", picture.getvalue()) for i in range(4)]
    raw = read(packed(tmp_path / "a.zip", [*members, ("labels.csv", labels)]))
    assert raw.table["verdict"].to_pylist() == ["ok"] * 4


def test_packed_labels_are_asked_for_unpacked(tmp_path: Path) -> None:
    (tmp_path / "run_1.csv").write_text(table(), encoding="utf-8")
    labels = packed(tmp_path / "labels.zip", [("labels.csv", "run,x\n1,2\n")])
    with pytest.raises(KampError, match="압축을 풀어"):
        read(tmp_path / "run_1.csv", labels=labels, on="run")


# --- locked


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    with pyzipper.AESZipFile(path, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword("비밀".encode())
        archive.writestr("a.csv", table())
    return path


def test_a_locked_zip_is_read_with_its_password(locked: Path) -> None:
    raw = read(locked, options=Options(password=lambda name: "비밀"))
    assert raw.table.num_rows == 20


@pytest.mark.parametrize(("password", "said"), [(None, "잠긴"), ("x", "맞지 않습니다")])
def test_a_locked_zip_without_its_password(
    locked: Path, password: str | None, said: str
) -> None:
    with pytest.raises(KampError, match=said):
        read(locked, options=Options(password=lambda name: password))


def test_the_password_is_asked_for_by_the_name_of_the_file(locked: Path) -> None:
    asked: list[str] = []

    def ask(name: str) -> str:
        asked.append(name)
        return "비밀"

    read(locked, options=Options(password=ask))
    assert asked == ["a.zip"]
