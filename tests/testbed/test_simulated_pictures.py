from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kamp_lib.testbed import simulate
from kamp_lib.testbed.vision import KINDS, ORIGIN_CHUNK, SIDE, picture


@pytest.mark.parametrize("kind", KINDS)
def test_a_defect_is_where_its_mask_says(kind: str):
    contrasts = []
    for seed in range(5):
        _, nothing = picture(np.random.default_rng(seed), "", 128.0, 1.0, 1.0)
        bad, mask = picture(np.random.default_rng(seed), kind, 128.0, 1.0, 1.0)
        assert not nothing.any()
        assert 20 < mask.sum() < SIDE * SIDE / 4
        usual = bad[~mask].mean()
        contrasts.append(
            np.abs(bad[mask] - usual).mean() / np.abs(bad[~mask] - usual).mean()
        )
    assert np.mean(contrasts) > 1.3


def test_pictures_lie_in_the_folder_of_their_verdict(tmp_path: Path):
    made = simulate("machine-vision-surface", tmp_path, size=40)
    folder = made.files[0]
    bad = set(made.truth.loc[made.truth["cause"] != "", "file"])
    assert {p.stem for p in (folder / "ng").iterdir()} == bad
    assert {p.stem for p in (folder / "ok").iterdir()} == set(made.truth["file"]) - bad


def test_a_picture_carries_its_origin(tmp_path: Path):
    made = simulate("machine-vision-surface", tmp_path, size=40)
    path = next((made.files[0] / "ok").iterdir())
    with Image.open(path) as image:
        assert image.info[ORIGIN_CHUNK] == "simulated"
        assert (image.size, image.mode) == ((SIDE, SIDE), "L")
