"""Whatever a browser calls a file, it lies below its folder and says the same to a person."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.workspace.names import LONGEST, safe_path, safe_paths

HOSTILE = [
    "../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\system32",
    "C:\\data\\shots.csv",
    "....//....//x",
    "a/../../b",
    "a\x00b.csv",
    "\u202egnp.exe",
    ".",
    "..",
    "",
    "/",
    "~/.ssh/id_rsa",
    "a/./b",
    " . ",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    inside = (tmp_path / safe_path(name)).resolve()
    assert inside.is_relative_to(tmp_path.resolve())
    assert inside != tmp_path.resolve()


@given(st.lists(st.text(max_size=40), min_size=1, max_size=12))
def test_every_name_gets_a_place_of_its_own_on_a_real_disk(names: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for path in safe_paths(names):
            file = root / path
            assert file.resolve().is_relative_to(root)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.open("xb").close()
        assert sum(p.is_file() for p in root.rglob("*")) == len(names)


def test_hangul_in_single_letters_is_put_together() -> None:
    written = normalize("NFD", "샷 기록.csv")
    assert safe_path(written) == PurePosixPath("샷 기록.csv")


def test_three_hundred_characters_keep_their_ending_and_stay_apart() -> None:
    one, other = safe_path("가" * 300 + "1.xlsx"), safe_path("가" * 300 + "2.xlsx")
    assert one.suffix == other.suffix == ".xlsx"
    assert max(len(str(p).encode()) for p in (one, other)) <= LONGEST
    assert one != other


def test_folders_stay_because_they_name_runs_and_classes() -> None:
    assert safe_path("사진/불량/001.png") == PurePosixPath("사진/불량/001.png")


def test_two_files_of_one_name_are_numbered() -> None:
    found = safe_paths(["a.csv", "A.csv", "a.csv"])
    assert [str(p) for p in found] == ["a.csv", "A (2).csv", "a (3).csv"]


def test_a_file_and_a_folder_of_one_name_are_told_apart() -> None:
    assert [str(p) for p in safe_paths(["a", "a/b.csv"])] == ["a", "a (2)/b.csv"]
    assert [str(p) for p in safe_paths(["a/b.csv", "a"])] == ["a/b.csv", "a (2)"]
