"""Masks beside pictures, and labels of pictures in a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kamp_lib.datasets import ingest, open_dataset, read
from kamp_lib.datasets.reading.masks import pair_masks
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 40), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def mask(path: Path, marked: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((40, 40), dtype=np.uint8)
    pixels[:marked, 0] = 255
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(4):
        picture(tmp_path / "set" / "images" / f"{seed}.png", seed)
        mask(tmp_path / "set" / "masks" / f"{seed}.png", marked=16 * (seed % 2))
    return tmp_path / "set"


LAYOUTS = {
    "beside": (["a.png", "a_mask.png", "b_mask.png"], {"a_mask.png": "a.png"}),
    "another format": (["a.jpg", "a_label.bmp"], {"a_label.bmp": "a.jpg"}),
    "folders": (["images/1.png", "masks/1.png"], {"masks/1.png": "images/1.png"}),
    "below a split": (
        ["train/1.png", "test/1.png", "masks/test/1.png"],
        {"masks/test/1.png": "test/1.png"},
    ),
    "by kind of defect": (
        ["train/good/0.png", "test/cut/0.png", "ground_truth/cut/0_mask.png"],
        {"ground_truth/cut/0_mask.png": "test/cut/0.png"},
    ),
    "without its picture": (["a.png", "masks/z.png"], {"masks/z.png": None}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_masks_find_their_pictures(layout: str) -> None:
    names, pairs = LAYOUTS[layout]
    assert pair_masks(names) == pairs


def test_a_mask_is_no_picture_and_tells_the_defect(folder: Path) -> None:
    raw = read(folder)
    table = raw.table.to_pandas()
    assert raw.rows_read == len(table) == 4
    assert table["has_defect"].tolist() == ["no", "yes", "no", "yes"]
    assert table["defect_share"].tolist() == [0, 1, 0, 1]
    assert "masks-read" in {f.code for f in raw.findings}


def test_without_class_folders_the_mask_is_the_judgement(folder: Path) -> None:
    assert read(folder).table["defect_class"].to_pylist() == ["ok", "defect"] * 2


def test_masks_are_kept_beside_the_pictures(tenant: Tenant, folder: Path) -> None:
    ingest(tenant, "machine-vision", folder)
    data = open_dataset(tenant)
    for name in data.to_pandas()["defect_mask"]:
        assert (data.images_folder / name).is_file()


def test_masks_raise_no_warning(tenant: Tenant, folder: Path) -> None:
    result = ingest(tenant, "machine-vision", folder)
    assert {f.severity for f in result.findings} == {"info"}


def test_a_mask_without_its_picture_is_set_aside(folder: Path) -> None:
    mask(folder / "masks" / "77.png", 3)
    raw = read(folder)
    assert [r.code for r in raw.rejected] == ["mask-without-image"]
    assert raw.rows_read == raw.table.num_rows + 1


def labelled(folder: Path, rows: str) -> Path:
    for seed in range(3):
        picture(folder / "images" / f"part_{seed}.png", seed)
    (folder / "labels.csv").write_text(rows, encoding="utf-8")
    return folder


def test_a_table_that_names_the_pictures_labels_them(tmp_path: Path) -> None:
    rows = "파일,판정\npart_0.png,OK\npart_1.png,NG\npart_2.png,OK\n"
    raw = read(labelled(tmp_path, rows))
    assert raw.table["판정"].to_pylist() == ["OK", "NG", "OK"]
    assert "labels-joined" in {f.code for f in raw.findings}


def test_a_table_that_names_half_of_the_pictures_is_asked_about(tmp_path: Path) -> None:
    rows = "file,result\nimages/part_0.png,OK\nimages/part_1.png,NG\n"
    with pytest.raises(KampError, match=r"--labels .*labels\.csv --on file"):
        read(labelled(tmp_path, rows))


def test_a_table_that_has_nothing_to_do_with_the_pictures_is_left_aside(
    tmp_path: Path,
) -> None:
    raw = read(labelled(tmp_path, "day,shift\nMon,early\nTue,late\n"))
    assert "files-left-aside" in {f.code for f in raw.findings}
    assert raw.table.num_rows == 3
