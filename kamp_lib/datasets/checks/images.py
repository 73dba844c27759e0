"""Images that are nearly the same picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

SIDE = 64
ALIKE = 0.95  # correlation of the fine structure of two pictures
BLOCK = 500


def near_twins(paths: list[Path]) -> list[tuple[int, int]]:
    """Positions of pairs of images whose fine structure correlates above 0.95.

    Each picture is shrunk to 64 x 64 grey; light and large shapes that all pictures
    share are taken away, so that two different parts under one lamp are no twins.
    """
    if len(paths) < 2:
        return []
    small = np.stack([_small(path) for path in paths])
    small -= small.mean(axis=0)  # what all pictures share says nothing
    fine = small.reshape(len(small), -1)
    norm = np.linalg.norm(fine, axis=1, keepdims=True)
    fine = np.divide(fine, norm, out=np.zeros_like(fine), where=norm > 1e-6)
    pairs = []
    for start in range(0, len(fine), BLOCK):
        alike = fine[start : start + BLOCK] @ fine[start:].T
        for i, j in zip(*np.nonzero(alike > ALIKE), strict=True):
            if j > i:
                pairs.append((start + int(i), start + int(j)))
    return pairs


def _small(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        image.draft("L", (2 * SIDE, 2 * SIDE))
        grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(grey, dtype=np.float32)
    return pixels - gaussian_filter(pixels, 3.0)
