"""Near-identical pictures: within a folder, across splits, with what is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kamp_lib.datasets import ingest, read
from kamp_lib.datasets.checks.images import Stored, near_duplicates, near_twins
from kamp_lib.datasets.types import Finding
from kamp_lib.tenancy import Tenant


def part(path: Path, seed: int, quality: int = 95) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (32, 32), dtype=np.uint8))
    coarse.resize((200, 200), Image.Resampling.BICUBIC).save(path, quality=quality)


def twins(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if f.code == "near-duplicate-images"]


def pairs(small: np.ndarray, since: int = 0) -> set[tuple[int, int]]:
    found = near_twins(small, since=since)
    return {
        (int(i), int(j))
        for one, other in found
        for i, j in zip(one, other, strict=True)
    }


def obvious_pairs(small: np.ndarray) -> set[tuple[int, int]]:
    """The same, one pair at a time."""
    from scipy.ndimage import gaussian_filter

    flat = small.astype(float)
    fine = np.stack([p - gaussian_filter(p, 3.0) for p in flat - flat.mean(axis=0)])
    return {
        (i, j)
        for j in range(len(fine))
        for i in range(j)
        if np.corrcoef(fine[i].ravel(), fine[j].ravel())[0, 1] > 0.95
    }


def test_blocks_find_what_comparing_one_by_one_finds() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (40, 64, 64), dtype=np.uint8)
    small[30] = np.clip(small[3].astype(int) + 9, 0, 255)
    small[31] = np.clip(small[3].astype(int) + rng.integers(-9, 9, (64, 64)), 0, 255)
    assert pairs(small) == obvious_pairs(small) == {(3, 30), (3, 31), (30, 31)}


def test_only_pairs_with_a_new_picture_are_told() -> None:
    small = np.random.default_rng(1).integers(0, 255, (6, 64, 64), dtype=np.uint8)
    small[1], small[5] = small[0], small[0]
    assert pairs(small, since=4) == {(0, 5), (1, 5)}


def test_a_picture_a_thousand_times_is_counted_and_said_once() -> None:
    seen = [Stored(f"{n}.png", "same", None, None) for n in range(1000)]
    [found] = near_duplicates(seen, np.zeros((1000, 64, 64), dtype=np.uint8))
    assert (found.count, len(found.examples)) == (999, 5)


def test_the_same_part_saved_again_is_a_twin(tmp_path: Path) -> None:
    for seed in range(5):
        part(tmp_path / "ok" / f"{seed}.jpg", seed)
    part(tmp_path / "ok" / "again.jpg", 2, quality=70)
    [found] = twins(read(tmp_path).findings)
    assert found.examples == ["ok/2.jpg = ok/again.jpg"]


def test_twins_on_both_sides_of_the_split_are_counted(tmp_path: Path) -> None:
    for seed in range(4):
        part(tmp_path / "train" / "ok" / f"{seed}.jpg", seed)
        part(tmp_path / "test" / "ng" / f"{seed}.jpg", seed + 10)
    part(tmp_path / "test" / "ok" / "twin.jpg", 1, quality=70)
    part(tmp_path / "test" / "ng" / "twin.jpg", 2, quality=70)
    [found] = twins(read(tmp_path).findings)
    assert found.count == 2
    assert (
        "2 on both sides of the split and 1 with different labels" in found.message_en
    )


def test_a_new_picture_is_held_against_the_stored_ones(
    tenant: Tenant, tmp_path: Path
) -> None:
    for seed in range(5):
        part(tmp_path / "march" / f"{seed}.jpg", seed)
        part(tmp_path / "april" / f"{seed}.jpg", seed + 20)
    part(tmp_path / "april" / "twin.jpg", 3, quality=70)
    assert not twins(ingest(tenant, "machine-vision", tmp_path / "march").findings)
    [found] = twins(ingest(tenant, "machine-vision", tmp_path / "april").findings)
    assert found.examples == ["3.jpg = twin.jpg"]


@pytest.mark.parametrize("seed", range(3))
def test_different_parts_under_one_lamp_are_no_twins(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:200, 0:200]
    disc = 200.0 * (np.hypot(y - 100, x - 100) < 80)
    for number in range(12):
        noise = rng.normal(0, 12, disc.shape)
        pixels = np.clip(disc + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    assert not twins(read(tmp_path).findings)
