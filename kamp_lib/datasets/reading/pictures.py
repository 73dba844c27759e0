"""One picture file: whether it opens whole, what it is, and what it looks like small.

The small look is upright (EXIF orientation applied) with transparency laid on white, as
the analysis sees the picture; the file itself is kept as it came.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from kamp_lib.datasets.raw import sha256_of
from kamp_lib.datasets.reading.thermal import is_radiometric, looks_false_coloured
from kamp_lib.progress import Progress
from kamp_lib.text import Text

SIDE = 64  # of the small look
# More pixels or bytes than this are no inspection picture, but an attack or a mistake.
MOST_PIXELS = 100_000_000
MOST_BYTES = 1 << 29
WORKERS = 2
ORIGIN_CHUNK = "kamp:origin"  # PNG text that a simulator writes
ORIENTATION, MAKER, EXIF_IFD, TAKEN = 0x0112, 0x010F, 0x8769, 0x9003
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ENDINGS_OF = {
    "PNG": {".png"},
    "JPEG": {".jpg", ".jpeg"},
    "MPO": {".jpg", ".jpeg"},  # a JPEG with a second one inside, as phones write it
    "BMP": {".bmp"},
    "DIB": {".bmp"},
    "TIFF": {".tif", ".tiff"},
    "WEBP": {".webp"},
}


@dataclass(frozen=True)
class Picture:
    """What one readable picture is; `small` is grey, uint8, 64 x 64."""

    width: int  # upright
    height: int
    mode: str
    format: str
    pages: int
    turned: bool
    origin: str | None
    taken: str | None  # when, as the camera's clock says
    radiometric: bool
    false_coloured: bool
    small: np.ndarray


@dataclass(frozen=True)
class Look:
    """What became of one file: a picture, or a code of `raw.REASONS` why not."""

    sha256: str
    bytes: int
    picture: Picture | None = None
    fault: str | None = None


def look_at_all(
    paths: Sequence[Path], progress: Progress, step: Text
) -> Iterator[Look]:
    """Look at every file, in order; decoding runs beside in threads."""
    with ThreadPoolExecutor(WORKERS) as pool, _quiet():
        for done, seen in enumerate(pool.map(look, paths)):
            if done % 50 == 0:
                progress(step, done=done, total=len(paths))
            yield seen


def look(path: Path) -> Look:
    """Open one picture, whole; a file that is none says why."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        with open(path, "rb") as file:
            sha = hashlib.file_digest(file, "sha256").hexdigest()
        return Look(sha, size, fault="image-too-large")
    data = path.read_bytes()
    sha, size = sha256_of(data), len(data)
    seen = _picture(data) if data else "empty-image"
    if isinstance(seen, str):
        return Look(sha, size, fault=seen)
    return Look(sha, size, seen)


def _picture(data: bytes) -> Picture | str:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                return "image-too-large"
            return _described(image, data)
    except Image.DecompressionBombError:
        return "image-too-large"
    except UnidentifiedImageError:
        return "unreadable-image"
    except Exception:  # a decoder fed damaged bytes may raise anything
        return "cut-image"


def _described(image: Image.Image, data: bytes) -> Picture:
    width, height, mode, kind = image.width, image.height, image.mode, image.format
    origin = image.info.get(ORIGIN_CHUNK)
    orientation, maker, taken = _camera_facts(image)
    pages = 1 if kind == "MPO" else int(getattr(image, "n_frames", 1))
    if orientation >= 5:
        width, height = height, width
    small = small_colour(image, orientation)
    return Picture(
        width=width,
        height=height,
        mode=mode,
        format=kind or "",
        pages=pages,
        turned=orientation in UPRIGHT,
        origin=str(origin) if origin else None,
        taken=taken,
        radiometric=is_radiometric(data),
        false_coloured=looks_false_coloured(np.asarray(small), maker),
        small=np.asarray(small.convert("L")),
    )


def _camera_facts(image: Image.Image) -> tuple[int, str, str | None]:
    """Orientation, maker and time of the camera; broken EXIF says nothing."""
    try:
        exif = image.getexif()
        orientation = exif.get(ORIENTATION)
        taken = exif.get_ifd(EXIF_IFD).get(TAKEN)
        maker = str(exif.get(MAKER) or "").strip("\x00 ")
    except Exception:  # EXIF is written by cameras of every kind
        return (1, "", None)
    known = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", str(taken))
    when = "{}-{}-{} {}".format(*known.groups()) if known else None
    return (orientation if orientation in UPRIGHT else 1, maker, when)


def small_colour(image: Image.Image, orientation: int = 1) -> Image.Image:
    """The picture as 64 x 64 RGB, upright; decodes all of it."""
    if image.format == "JPEG":
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # skips detail, not bytes
    image.load()
    if image.mode.startswith("I") or image.mode == "F":
        image = _deep(image)
    elif image.mode in ("P", "PA", "1") or "transparency" in image.info:
        image = image.convert("RGBA")
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    if "A" in small.getbands():
        small = small.convert("RGBA")
        white = Image.new("RGBA", small.size, (255, 255, 255, 255))
        small = Image.alpha_composite(white, small)
    small = small.convert("RGB")
    turn = UPRIGHT.get(orientation)
    return small.transpose(turn) if turn is not None else small


def _deep(image: Image.Image) -> Image.Image:
    """A 16- or 32-bit grey picture, stretched between its own 0.5 and 99.5 percent."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    low, high = np.quantile(values, [0.005, 0.995])
    scaled = (values - low) / max(float(high - low), 1e-6)
    return Image.fromarray((np.clip(scaled, 0, 1) * 255).astype(np.uint8))


def marked_share(path: Path) -> float | None:
    """The share of a mask's pixels that are marked; None when it is no picture."""
    try:
        with Image.open(path) as image, _quiet():
            if image.width * image.height > MOST_PIXELS:
                return None
            noise = 32 if image.format == "JPEG" else 0
            plain = image.mode in ("1", "L", "P", "F") or image.mode.startswith("I")
            pixels = np.asarray(image if plain else image.convert("RGB").convert("L"))
            return float((pixels > noise).mean())
    except Exception:  # a decoder fed damaged bytes may raise anything
        return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns of large and odd pictures; what is wrong is said by us, once."""
    log = logging.getLogger("PIL")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
