"""Small pictures for the page: a thumbnail, and the same with its suspect places.

The overlay is one hue (vermillion of Okabe and Ito's colour-blind-safe set) on grey,
with an outline, so that it also reads in black and white.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter, zoom

from kamp_lib.learning.vision_images import open_picture
from kamp_lib.learning.vision_patches import GRID

SIDE = 192  # longest side of the small pictures, pixels
LARGEST = 30_000  # bytes of one file
VERMILLION = np.array([213, 94, 0], dtype=np.float32)
OUTLINE = np.array([0, 0, 0], dtype=np.float32)
FAINT, STRONG = 0.6, 2.0  # heat (in limits of good patches) where colour starts, ends


def small_picture(path: Path) -> Image.Image:
    """The picture at page size, its proportions kept."""
    picture = open_picture(path, SIDE)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return picture


def thumbnail(path: Path) -> bytes:
    """The picture at page size as JPEG, at most 30 kB."""
    out = BytesIO()
    small_picture(path).save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def overlay(path: Path, heat: np.ndarray) -> bytes:
    """The picture in grey with its suspect places in colour, as PNG, at most 30 kB.

    Parameters
    ----------
    path : Path
    heat : ndarray, shape (225,)
        How unlike good each patch is, in limits of good ones.
    """
    base = small_picture(path).convert("L")
    grey = np.asarray(base, dtype=np.float32)[..., None].repeat(3, axis=2)
    glow = _spread_out(heat, base.height, base.width)
    share = np.clip((glow - FAINT) / (STRONG - FAINT), 0, 1)[..., None] * 0.7
    picture = grey * (1 - share) + VERMILLION * share
    hottest = max(float(glow.max()) * 0.6, 1.0)
    inside = glow >= hottest
    edge = binary_dilation(inside) & ~binary_erosion(inside)
    picture[edge] = OUTLINE
    return _png(Image.fromarray(picture.astype(np.uint8)))


def _spread_out(heat: np.ndarray, height: int, width: int) -> np.ndarray:
    """The patch grid at picture size, smooth, each patch around its own centre."""
    cells = np.pad(heat.reshape(GRID, GRID), 1, mode="edge")
    # patch centres sit on the inner corners of a 16 x 16 grid: pad, then crop half a cell
    factor = 8
    fine = gaussian_filter(
        zoom(cells, factor, order=1, grid_mode=True, mode="nearest"), 4
    )
    half = factor // 2
    fine = fine[half:-half, half:-half]
    ratio = (height / fine.shape[0], width / fine.shape[1])
    return zoom(fine, ratio, order=1, grid_mode=True, mode="nearest")


def _png(picture: Image.Image) -> bytes:
    """PNG with as many colours as fit in 30 kB."""
    for colours in (96, 64, 40, 24, 12):
        out = BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= LARGEST:
            break
    return out.getvalue()


def place_of(heat: np.ndarray) -> tuple[int, int]:
    """The third (row, column; 0-2) of the picture where the heat is strongest."""
    peak = int(gaussian_filter(heat.reshape(GRID, GRID), 0.7).argmax())
    row, column = divmod(peak, GRID)
    return row * 3 // GRID, column * 3 // GRID
