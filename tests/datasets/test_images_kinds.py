"""Pictures of every kind a factory has: depths, palettes, turns, pages, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kamp_lib.datasets import ingest, open_dataset, read
from kamp_lib.datasets.reading.pictures import look
from kamp_lib.datasets.reading.thermal import looks_false_coloured
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant

SIZE = (48, 32)  # width, height


def shapes(seed: int = 0) -> np.ndarray:
    """A smooth grey picture that is not the same upside down."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (4, 6), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC))


def codes(folder: Path) -> set[str]:
    return {f.code for f in read(folder).findings}


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "CMYK", "P", "1", "I;16"])
def test_every_colour_mode_is_read(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(shapes())
    if mode == "I;16":
        image = Image.fromarray(shapes().astype(np.uint16) * 200)
    elif mode == "P":
        image = image.convert("RGB").quantize(32)
    else:
        image = image.convert(mode)
    image.save(tmp_path / "a.tif")
    seen = look(tmp_path / "a.tif").picture
    assert seen is not None
    assert seen.mode == mode
    assert np.ptp(seen.small) > 100


def test_floats_with_holes_are_stretched_for_comparison(tmp_path: Path) -> None:
    values = shapes().astype(np.float32) / 1000
    values[0, 0] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tiff")
    seen = look(tmp_path / "a.tiff").picture
    assert seen is not None
    assert (seen.mode, np.ptp(seen.small) > 200) == ("F", True)


def turned_copies(folder: Path) -> None:
    upright = Image.fromarray(shapes())
    upright.save(folder / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown correctly when turned clockwise by a quarter
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    lying.save(folder / "lying.png", exif=exif)


def test_a_picture_turned_by_its_exif_is_the_upright_one(tmp_path: Path) -> None:
    turned_copies(tmp_path)
    lying, upright = (look(tmp_path / n).picture for n in ("lying.png", "upright.png"))
    assert lying is not None
    assert upright is not None
    assert (lying.width, lying.height, lying.turned) == (*SIZE, True)
    assert np.array_equal(lying.small, upright.small)


def test_a_turn_is_told_and_the_original_kept(tenant: Tenant, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    turned_copies(folder)
    result = ingest(tenant, "machine-vision", folder)
    kept = {p.read_bytes() for p in open_dataset(tenant).images_folder.iterdir()}
    assert "turned-images" in {f.code for f in result.findings}
    assert kept == {p.read_bytes() for p in folder.iterdir()}


def test_the_cameras_clock_becomes_the_time(tenant: Tenant, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:03:05 10:11:12"
    for seed in range(3):
        picture = Image.fromarray(shapes(seed))
        picture.save(tmp_path / f"{seed}.jpg", exif=exif)
    ingest(tenant, "machine-vision", [*tmp_path.glob("*.jpg")])
    times = open_dataset(tenant).to_pandas()["ts"].dt.tz_convert("Asia/Seoul")
    assert str(times.iloc[0]) == "2024-03-05 10:11:12+09:00"


def test_further_pages_are_told(tmp_path: Path) -> None:
    pages = [Image.fromarray(shapes(seed)) for seed in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert "several-pages" in codes(tmp_path)


def test_an_animation_is_told(tmp_path: Path) -> None:
    pages = [Image.fromarray(shapes(seed)) for seed in range(3)]
    pages[0].save(tmp_path / "a.webp", save_all=True, append_images=pages[1:])
    assert "several-pages" in codes(tmp_path)


def test_a_wrong_ending_is_told_and_read_by_content(tmp_path: Path) -> None:
    Image.fromarray(shapes()).save(tmp_path / "a.jpg", format="PNG")
    assert "wrong-image-ending" in codes(tmp_path)


def bomb(path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(path)


def cut(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])


DAMAGE = {
    "empty-image": lambda path: path.write_bytes(b""),
    "unreadable-image": lambda path: path.write_bytes(b"<svg xmlns='...'/>"),
    "cut-image": cut,
    "image-too-large": bomb,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("reason", DAMAGE)
def test_what_cannot_be_opened_is_rejected_with_its_reason(
    tmp_path: Path, reason: str
) -> None:
    Image.fromarray(shapes()).save(tmp_path / "good.png")
    DAMAGE[reason](tmp_path / "bad.png")
    raw = read(tmp_path)
    assert [(r.file, r.code) for r in raw.rejected] == [("bad.png", reason)]
    assert raw.rows_read == raw.table.num_rows + len(raw.rejected)


def test_an_svg_alone_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg/>")
    with pytest.raises(KampError, match=r"a\.svg"):
        read(tmp_path / "a.svg")


def iron(values: np.ndarray) -> np.ndarray:
    """Temperatures coloured as a thermal camera does."""
    stops = np.array([[0, 0, 10], [90, 0, 150], [215, 50, 70], [252, 175, 5]], float)
    at = values / values.max() * (len(stops) - 1)
    channels = [np.interp(at, range(len(stops)), c) for c in stops.T]
    return np.stack(channels, axis=-1).astype(np.uint8)


def test_a_palette_is_not_taken_for_temperatures(tmp_path: Path) -> None:
    y, x = np.mgrid[0:64, 0:64]
    hot = iron(np.hypot(y - 20, x - 40))
    Image.fromarray(hot).save(tmp_path / "motor.png")
    assert codes(tmp_path) == {"thermal-palette"}


def test_a_part_of_brass_is_no_thermal_picture() -> None:
    light = shapes().astype(float) / 255
    brass = (np.array([210, 160, 60]) * light[..., None]).astype(np.uint8)
    assert not looks_false_coloured(brass)


def test_temperatures_inside_a_jpeg_are_said_not_to_be_read(tmp_path: Path) -> None:
    path = tmp_path / "flir.jpg"
    Image.fromarray(shapes()).save(path)
    data = path.read_bytes()
    block = b"FLIR\x00\x01\x00\x00"
    size = (len(block) + 2).to_bytes(2, "big")
    path.write_bytes(data[:2] + b"\xff\xe1" + size + block + data[2:])
    found = next(f for f in read(path).findings if f.code == "thermal-palette")
    assert "cannot be read" in found.message_en
