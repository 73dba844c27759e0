"""Patches of good pictures as a memory: what is unlike all of them is suspect.

The idea of PatchCore (Roth et al., 2022) with hand-made descriptors in the place of a
pretrained network, so it runs offline. The distance of every patch is the heat map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from kamp_lib.learning.vision_images import COLOUR_CELLS, Pictures

CELLS = 16  # a patch is two cells wide, so patches overlap by half
GRID = CELLS - 1  # patches a side
MEMORY = 1500  # patches remembered; more costs time and changes little
REFERENCE = 40  # good pictures that tell how far good ones are from each other
SAMPLE = 20_000  # patches that the covariance is estimated from
SHRINKAGE = 0.02  # of the covariance, so that tiny differences are not blown up


def describe(pictures: Pictures) -> np.ndarray:
    """Descriptors of all patches: brightness, detail at three scales, edges, colour.

    Returns
    -------
    ndarray of float32, shape (n, 15 * 15, d)
    """
    parts = [_describe(batch) for batch in pictures.batches()]
    return np.concatenate(parts)


def _describe(pictures: Pictures) -> np.ndarray:
    light = pictures.grey.astype(np.float32) / 255
    # scales follow the working size, so that a bigger size really shows smaller things
    fine, middle, coarse = (gaussian_filter(light, (0, s, s)) for s in (1, 2, 4))
    down = np.gradient(fine, axis=1)
    across = np.gradient(fine, axis=2)
    strength = np.hypot(down, across)
    angle = np.arctan2(down, across)
    detail = [np.abs(light - fine), np.abs(fine - middle), np.abs(middle - coarse)]
    edges = [strength * np.cos(angle - k * np.pi / 4) ** 2 for k in range(4)]
    maps = np.stack([light, *detail, middle - coarse, *edges, strength], axis=-1)
    cell = pictures.size // CELLS
    mean, spread, high, low = _pool(maps, cell)
    tone = _pool(pictures.colour, COLOUR_CELLS // CELLS)
    values = np.concatenate([mean, spread, high, low[..., :1], *tone[:2]], axis=-1)
    # a square root keeps one bright glint from outweighing everything else
    rooted = np.sign(values) * np.sqrt(np.abs(values))
    return rooted.reshape(len(pictures), GRID * GRID, -1).astype(np.float32)


def _pool(
    maps: np.ndarray, cell: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, spread, highest and lowest value of each patch of 2 x 2 cells."""
    n, size, _, channels = maps.shape
    side = size // cell
    cut = maps.reshape(n, side, cell, side, cell, channels)

    def corners(a: np.ndarray) -> list[np.ndarray]:
        return [a[:, :-1, :-1], a[:, 1:, :-1], a[:, :-1, 1:], a[:, 1:, 1:]]

    pixels = 4 * cell * cell
    mean = np.add.reduce(corners(cut.sum(axis=(2, 4)))) / pixels
    square = np.add.reduce(corners((cut**2).sum(axis=(2, 4)))) / pixels
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    high = np.maximum.reduce(corners(cut.max(axis=(2, 4))))
    low = np.minimum.reduce(corners(cut.min(axis=(2, 4))))
    return mean, spread, high, low


@dataclass
class PatchMemory:
    """Patches of good pictures, and how far a picture's patches are from them.

    `usual` and `spread` are the distances that patches of good pictures at that place
    reach by themselves, so that a rim that always varies does not glow; `limit` is what
    one good patch in 200 exceeds: heat is told in limits.
    """

    mean: np.ndarray
    whitening: np.ndarray
    patches: np.ndarray
    usual: np.ndarray
    spread: np.ndarray
    limit: np.ndarray

    @classmethod
    def fit(cls, good: np.ndarray, seed: int = 0) -> PatchMemory:
        """Remember patches of good pictures, shape (n, patches, d)."""
        rng = np.random.default_rng(seed)
        n, places, width = good.shape
        flat = good.reshape(-1, width)
        sample = flat[rng.choice(len(flat), min(SAMPLE, len(flat)), replace=False)]
        mean = sample.mean(axis=0)
        scale = sample.std(axis=0)
        scale[scale < 1e-6] = 1.0
        covariance = np.cov((sample - mean) / scale, rowvar=False)
        covariance += SHRINKAGE * np.eye(width)
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T / scale[:, None]
        chosen = rng.choice(len(flat), min(MEMORY, len(flat)), replace=False)
        remembered = ((flat[chosen] - mean) @ whitening).astype(np.float32)
        none, one = np.zeros(places), np.ones(places)
        memory = cls(mean, whitening, remembered, none, one, np.ones(1))
        # some good pictures are measured against the patches of the others
        some = np.sort(rng.choice(n, min(REFERENCE, n), replace=False))
        heat = np.stack(
            [memory._distances(good[k], hide=chosen // places == k) for k in some]
        )
        memory.usual = np.median(heat, axis=0)
        deviation = np.median(np.abs(heat - memory.usual), axis=0) * 1.4826
        memory.spread = deviation + 0.25 * np.median(heat) + 1e-6
        relative = (heat - memory.usual) / memory.spread
        memory.limit = np.maximum(np.quantile(relative, [0.995]), 0.1)
        return memory

    def heat(self, descriptors: np.ndarray) -> np.ndarray:
        """How unlike good each patch is, in limits, shape (n, places)."""
        distance = np.stack([self._distances(picture) for picture in descriptors])
        return (distance - self.usual) / self.spread / self.limit

    def _distances(
        self, picture: np.ndarray, hide: np.ndarray | None = None
    ) -> np.ndarray:
        """Distance to the nearest remembered patch, shape (places,).

        `hide` leaves remembered patches out: the picture's own ones.
        """
        white = ((picture - self.mean) @ self.whitening).astype(np.float32)
        known = self.patches if hide is None else self.patches[~hide]
        if not len(known):  # one good picture only: nothing to compare
            return np.zeros(len(white), dtype=np.float32)
        half = (known**2).sum(axis=1) / 2
        nearest = (half[None, :] - white @ known.T).min(axis=1)
        return np.sqrt(np.maximum(2 * nearest + (white**2).sum(axis=1), 0))

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(vars(self))


def picture_score(heat: np.ndarray) -> np.ndarray:
    """One number per picture: the whole (mean) and the worst places count alike."""
    ordered = np.sort(heat, axis=1)
    worst = ordered[:, -max(1, heat.shape[1] // 50) :].mean(axis=1)
    return heat.mean(axis=1) + worst / 4
