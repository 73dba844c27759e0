"""Thermal pictures: what in them are colours, and what would be temperatures.

A camera saves a thermal picture coloured by a palette: the colours are no degrees. Some
keep the temperatures beside (radiometric JPEG); no library under a licence that fits
reads them, so they are not read, and that is said.
"""

from __future__ import annotations

import re

import numpy as np

RADIOMETRIC = re.compile(rb"\xff\xe1..FLIR\x00", re.DOTALL)
MAKERS = re.compile(r"flir|testo|fluke|seek thermal|hikmicro|infiray|optris", re.I)
# Colours from cold to hot, as the cameras' usual palettes run.
IRON = "00000a 190064 5a0096 a50a96 d73246 f06e0a fcaf05 ffe150 fffff0"
RAINBOW = "000080 0000ff 0080ff 00ffff 40ff80 c0ff00 ffff00 ff8000 ff0000 800000"
PALETTE_POINTS = 32
NEAR = 45.0  # distance in RGB at which a pixel lies on a palette
COLOURFUL = 60  # largest less smallest channel


def is_radiometric(data: bytes) -> bool:
    """Whether a JPEG holds the temperatures beside the picture."""
    return data[:2] == b"\xff\xd8" and bool(RADIOMETRIC.search(data[: 1 << 20]))


def looks_false_coloured(pixels: np.ndarray, maker: str = "") -> bool:
    """Whether a picture's colours are those of a thermal camera's palette.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    maker : str
        Who made the camera, from the file's EXIF.
    """
    few = pixels[::4, ::4].reshape(-1, 3).astype(np.float32)
    colourful = np.ptp(few, axis=1) > COLOURFUL
    if MAKERS.search(maker):
        return bool(colourful.mean() > 0.1)
    if colourful.mean() < 0.5:
        return False
    return any(_runs_along(few, palette) for palette in (_IRON, _RAINBOW))


def _runs_along(pixels: np.ndarray, palette: np.ndarray) -> bool:
    """Nearly all pixels lie on the palette, and they fill much of its length."""
    apart = np.linalg.norm(pixels[:, None] - palette[None], axis=2)
    near = apart.min(axis=1) < NEAR
    if near.mean() < 0.85:
        return False
    part = apart.argmin(axis=1)[near] * 8 // PALETTE_POINTS
    filled = np.bincount(part, minlength=8) >= 0.02 * len(pixels)
    return int(filled.sum()) >= 4


def _palette(stops: str) -> np.ndarray:
    colours = np.array([list(bytes.fromhex(c)) for c in stops.split()], np.float32)
    at = np.linspace(0, len(colours) - 1, PALETTE_POINTS)
    return np.stack([np.interp(at, range(len(colours)), c) for c in colours.T], axis=1)


_IRON, _RAINBOW = _palette(IRON), _palette(RAINBOW)
