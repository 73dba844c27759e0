"""Folders of pictures: classes, splits, modes, twins and origin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from kamp_lib.datasets import ingest, open_dataset, read
from kamp_lib.tenancy import Tenant


def picture(
    path: Path, seed: int, mode: str = "RGB", origin: str | None = None
) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 40), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngInfo()
    if origin:
        info.add_text("kamp:origin", origin)
    Image.fromarray(pixels).convert(mode).save(path, pnginfo=info)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(
        ["train/ok/a", "train/bad/b", "test/ok/c", "test/bad/d", "image/e"]
    ):
        picture(tmp_path / "set" / f"{name}.png", seed)
    return tmp_path / "set"


def test_class_and_split_are_the_folders_names(folder: Path) -> None:
    table = read(folder).table.to_pandas().set_index("_file")
    assert table.loc["test/bad/d.png", ["defect_class", "split"]].tolist() == [
        "bad",
        "test",
    ]


def test_a_picture_outside_the_splits_has_no_class(folder: Path) -> None:
    table = read(folder).table.to_pandas().set_index("_file")
    assert table.loc["image/e.png", ["defect_class", "split"]].isna().all()


def test_pictures_are_stored_by_content_beside_the_table(
    tenant: Tenant, folder: Path
) -> None:
    ingest(tenant, "machine-vision", folder)
    data = open_dataset(tenant)
    frame = data.to_pandas()
    assert len(frame) == 5
    assert all((data.images_folder / name).is_file() for name in frame["image"])


def test_a_folder_ingested_twice_changes_nothing(tenant: Tenant, folder: Path) -> None:
    ingest(tenant, "machine-vision", folder)
    assert ingest(tenant, "machine-vision", folder).unchanged


def test_new_pictures_of_a_known_folder_are_added(tenant: Tenant, folder: Path) -> None:
    ingest(tenant, "machine-vision", folder)
    picture(folder / "train/ok/new.png", 77)
    result = ingest(tenant, "machine-vision", folder)
    assert (result.rows_stored, result.rows_duplicate) == (1, 5)


def test_mixed_modes_are_told(folder: Path) -> None:
    picture(folder / "train/ok/grey.png", 20, "L")
    picture(folder / "train/ok/alpha.png", 21, "RGBA")
    found = next(f for f in read(folder).findings if f.code == "mixed-image-modes")
    assert found.count == 2


def test_the_same_picture_in_two_splits_is_told(folder: Path) -> None:
    picture(folder / "test/ok/again.png", 0)
    found = [f for f in read(folder).findings if f.code == "near-duplicate-images"]
    assert [f.count for f in found] == [1]


def test_a_broken_picture_is_quarantined(tenant: Tenant, folder: Path) -> None:
    (folder / "train/ok/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n none")
    result = ingest(tenant, "machine-vision", folder)
    row = open_dataset(tenant).quarantine().iloc[0]
    assert (result.rows_read, result.rows_stored, result.rows_quarantined) == (6, 5, 1)
    assert (row["_file"], row["reason_code"]) == (
        "train/ok/broken.png",
        "unreadable-image",
    )


def test_simulated_pictures_say_so(tenant: Tenant, tmp_path: Path) -> None:
    for seed in range(3):
        picture(tmp_path / "sim/ok" / f"{seed}.png", seed, origin="simulated")
    assert ingest(tenant, "machine-vision", tmp_path / "sim").simulated
