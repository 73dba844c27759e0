"""Pictures as arrays: any mode and size in, one working size out.

Features and patches work on a grey picture of one size; colour is kept beside it at a
coarse grid, because a stain can change the colour and leave the brightness alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

# Colour is kept at this many cells a side, whatever the working size.
COLOUR_CELLS = 32
# The working size is a multiple of this, so that cells and patches fall on whole pixels.
SIZE_STEP = 32
WORKERS = 2
READING = Text("사진 읽기", "Reading pictures")


@dataclass(frozen=True)
class Pictures:
    """Pictures of one data set at working size.

    Attributes
    ----------
    grey : ndarray of uint8, shape (n, size, size)
    colour : ndarray of float32, shape (n, 32, 32, 2)
        Red minus green and blue minus green, -1 to 1; all zero for grey pictures.
    """

    grey: np.ndarray
    colour: np.ndarray

    def __len__(self) -> int:
        return len(self.grey)

    @property
    def size(self) -> int:
        return int(self.grey.shape[1])

    def __getitem__(self, rows: np.ndarray | slice) -> Pictures:
        return Pictures(self.grey[rows], self.colour[rows])

    def batches(self, rows: int = 64) -> Iterator[Pictures]:
        """The pictures, `rows` at a time, so that memory stays small."""
        for start in range(0, len(self), rows):
            yield self[start : start + rows]


def open_picture(path: Path, size: int | None = None) -> Image.Image:
    """One picture as RGB, upright, transparency laid on white.

    Parameters
    ----------
    path : Path
    size : int, optional
        The side that will be needed; lets the JPEG decoder skip detail.

    Raises
    ------
    OSError
        When the file is no readable picture.
    """
    with Image.open(path) as opened:
        if size is not None and opened.format == "JPEG":
            opened.draft("RGB", (2 * size, 2 * size))
        picture = ImageOps.exif_transpose(opened)
        if picture.mode.startswith("I") or picture.mode == "F":
            return _deep(picture)
        if "A" in picture.getbands() or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
            picture = Image.alpha_composite(white, picture)
        return picture.convert("RGB")


def _deep(picture: Image.Image) -> Image.Image:
    """A 16- or 32-bit grey picture, stretched between its own 0.5 and 99.5 percent."""
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    low, high = np.quantile(values, [0.005, 0.995])
    scaled = (values - low) / max(float(high - low), 1e-6)
    eight = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(eight).convert("RGB")


def read_pictures(
    paths: Sequence[Path], size: int = 128, progress: Progress = silent
) -> tuple[Pictures, np.ndarray]:
    """Read pictures at working size; unreadable ones are left out and told.

    Parameters
    ----------
    paths : sequence of Path
    size : int, default=128
        Side of the working picture in pixels, rounded to a multiple of 32.

    Returns
    -------
    pictures : Pictures
        The readable ones, in order.
    readable : ndarray of bool, shape (len(paths),)

    Raises
    ------
    KampError
        When not one of the files can be read.
    """
    size = max(SIZE_STEP, round(size / SIZE_STEP) * SIZE_STEP)
    grey = np.zeros((len(paths), size, size), dtype=np.uint8)
    colour = np.zeros((len(paths), COLOUR_CELLS, COLOUR_CELLS, 2), dtype=np.float32)
    readable = np.zeros(len(paths), dtype=bool)

    def read(row: int) -> None:
        try:
            picture = open_picture(paths[row], size)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
            return
        box = Image.Resampling.BOX
        small = picture.resize((size, size), box, reducing_gap=2.0)
        grey[row] = np.asarray(small.convert("L"))
        cells = np.asarray(
            small.resize((COLOUR_CELLS, COLOUR_CELLS), box), dtype=np.float32
        )
        colour[row] = (cells[..., [0, 2]] - cells[..., [1]]) / 255
        readable[row] = True

    with ThreadPoolExecutor(WORKERS) as pool:
        for done, _ in enumerate(pool.map(read, range(len(paths))), start=1):
            if done % 50 == 0 or done == len(paths):
                progress(READING, done=done, total=len(paths))
    if not readable.any():
        raise KampError(
            "읽을 수 있는 사진이 한 장도 없습니다. 사진 파일을 다시 가져오세요.",
            "not one picture could be read; ingest the picture files again",
        )
    return Pictures(grey[readable], colour[readable]), readable
