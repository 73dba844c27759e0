"""What a picture looks like, in numbers, with no downloaded weights.

Edges by direction (HOG), surface texture (LBP at three scales), brightness and colour
of blocks, and the radial spectrum. Every number knows where on the picture it was
measured, so that a model's reasons can be told as places.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from skimage.feature import hog, local_binary_pattern

from kamp_lib.learning.vision_images import WORKERS, Pictures
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

CELLS = 8  # HOG cells a side
BLOCKS = 4  # blocks a side for texture, brightness and colour
ORIENTATIONS = 9
RADII = (1, 2, 4)  # of the texture patterns, in pixels
RINGS = 32  # of the spectrum
MEASURING = Text("특징 재기", "Measuring features")

KINDS = {
    "edge": Text("윤곽·긁힘 방향", "edges and their direction"),
    "texture": Text("표면 결", "surface texture"),
    "brightness": Text("밝기", "brightness"),
    "colour": Text("색", "colour"),
    "pattern": Text("전체 무늬의 촘촘함", "fineness of the overall pattern"),
}


@dataclass(frozen=True)
class Layout:
    """What each feature is and where: `kind` and the centre (0-1; NaN = everywhere)."""

    kind: np.ndarray
    y: np.ndarray
    x: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)


@cache
def layout() -> Layout:
    """The layout of the feature vector; the same at every working size."""
    kinds: list[str] = []
    places: list[tuple[float, float]] = []

    def add(kind: str, centres: list[tuple[float, float]], each: int) -> None:
        for centre in centres:
            kinds.extend([kind] * each)
            places.extend([centre] * each)

    inner = [i / CELLS for i in range(1, CELLS)]
    add("edge", [(y, x) for y in inner for x in inner], 4 * ORIENTATIONS)
    middle = [(i + 0.5) / BLOCKS for i in range(BLOCKS)]
    blocks = [(y, x) for y in middle for x in middle]
    for _ in RADII:
        add("texture", blocks, 10)
    for _ in range(4):
        add("brightness", blocks, 1)
    for _ in range(2):
        add("colour", blocks, 2)
    add("pattern", [(np.nan, np.nan)], RINGS)
    y, x = np.array(places).T
    return Layout(np.array(kinds), y, x)


def measure(pictures: Pictures, progress: Progress = silent) -> np.ndarray:
    """Feature vectors of pictures.

    Returns
    -------
    ndarray of float32, shape (n, len(layout()))
    """
    rings = _rings(pictures.size)
    features = np.zeros((len(pictures), len(layout())), dtype=np.float32)

    def one(row: int) -> None:
        features[row] = _measure_one(pictures.grey[row], pictures.colour[row], rings)

    with ThreadPoolExecutor(WORKERS) as pool:
        for done, _ in enumerate(pool.map(one, range(len(pictures))), start=1):
            if done % 50 == 0 or done == len(pictures):
                progress(MEASURING, done=done, total=len(pictures))
    return features


def _measure_one(grey: np.ndarray, colour: np.ndarray, rings: np.ndarray) -> np.ndarray:
    size = grey.shape[0]
    light = grey.astype(np.float32) / 255
    cell = size // CELLS
    parts = [hog(light, ORIENTATIONS, (cell, cell), (2, 2)).astype(np.float32)]
    parts += [_texture(grey, radius) for radius in RADII]
    blocks = _blocks(light)
    low, high = np.quantile(blocks, [0.05, 0.95], axis=1)
    parts += [blocks.mean(axis=1), blocks.std(axis=1), low, high]
    for channel in range(2):
        cells = _blocks(colour[..., channel])
        parts.append(np.column_stack([cells.mean(axis=1), cells.std(axis=1)]).ravel())
    spectrum = np.log1p(np.abs(np.fft.fft2(light - light.mean()))).ravel()
    inside = rings < RINGS
    total = np.bincount(rings[inside], spectrum[inside], minlength=RINGS)
    count = np.bincount(rings[inside], minlength=RINGS)
    parts.append(total / np.maximum(count, 1))
    return np.concatenate(parts)


def _texture(grey: np.ndarray, radius: int) -> np.ndarray:
    """Histogram of the ten uniform local binary patterns, block by block."""
    size = grey.shape[0]
    pattern = local_binary_pattern(grey, 8, radius, "uniform").astype(np.int64)
    block = np.arange(size) * BLOCKS // size
    place = (block[:, None] * BLOCKS + block[None, :]) * 10 + pattern
    count = np.bincount(place.ravel(), minlength=BLOCKS * BLOCKS * 10)
    return count / (size // BLOCKS) ** 2


def _blocks(values: np.ndarray) -> np.ndarray:
    """A square picture cut into 4 x 4 blocks, shape (16, pixels)."""
    side = values.shape[0] // BLOCKS
    cut = values.reshape(BLOCKS, side, BLOCKS, side).swapaxes(1, 2)
    return cut.reshape(BLOCKS * BLOCKS, -1)


def _rings(size: int) -> np.ndarray:
    """The ring of each spectrum sample, flat; numbers from 32 on are left out."""
    frequency = np.fft.fftfreq(size)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    return np.floor(radius * 2 * RINGS).astype(np.int64).ravel()
