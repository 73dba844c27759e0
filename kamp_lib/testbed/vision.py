"""A camera above plated, brushed metal plates: pictures in the folders ok/ and ng/.

Each plate has its own brushing marks, each lot its own shade and coarseness, and the lamp
ages over the weeks. Defects have a known kind and place:

| kind | how it looks | where it comes from |
|---|---|---|
| `scratch` | a thin bright or dark line across the grain | handling |
| `pit` | small dark spots with a bright rim | gas bubbles in the bath |
| `stain` | a soft, wide change of shade | rinsing |
| `crack` | a dark, jagged line that branches | stress in the layer |

Good plates are not perfect either: dust and faint marks of handling that an inspector
lets pass.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, PngImagePlugin
from scipy.ndimage import gaussian_filter, gaussian_filter1d, zoom

from kamp_lib.testbed.export import write_frame
from kamp_lib.testbed.signals import working_days
from kamp_lib.testbed.simulation import Simulation

SIDE = 160  # pixels
KINDS = ("scratch", "pit", "stain", "crack")
NG_SHARE = 0.3  # inspectors keep more bad plates than they make
PER_LOT = 20
ORIGIN_CHUNK = "kamp:origin"
HEADERS = {
    "file": "사진파일",
    "ts": "촬영시각",
    "lot_id": "로트번호",
    "product_code": "품명",
    "camera_id": "카메라",
    "side": "검사면",
    "exposure_time": "노출시간(us)",
    "gain": "게인(dB)",
    "light_level": "조명밝기(%)",
    "pixel_size": "픽셀크기(um)",
}


def simulate_vision(
    to: Path, seed: int, cases: int, defects: tuple[str, ...]
) -> Simulation:
    """Write PNG pictures into ok/ and ng/, and the camera's log beside them."""
    rng = np.random.default_rng(seed)
    plan = _plan(rng, cases)
    kinds = plan["kind"].to_numpy()
    bad = kinds != ""
    if "single-class-label" in defects:
        bad = np.zeros(cases, dtype=bool)
    folder = to / "images"
    for name in ("ok", "ng"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for earlier in (folder / name).glob("plate_*.png"):  # of a larger simulation
            earlier.unlink()
    truth, previous = [], None
    for number in range(cases):
        row = plan.iloc[number]
        if bad[number] == (kinds[number] != ""):
            kind = str(kinds[number])
        else:
            kind = ""
        pixels, mask = picture(rng, kind, row["shade"], row["coarse"], row["light"])
        if "near-duplicate-images" in defects and number % 10 == 9 and previous:
            # the same plate photographed again, a little brighter
            pixels, mask, kind, bad[number] = previous
            pixels = pixels + 3.0 + rng.normal(0, 1.0, pixels.shape)
        previous = (pixels, mask, kind, bad[number])
        place = "ng" if bad[number] else "ok"
        colours = "mixed-image-modes" in defects and number % 3 == 0
        _write(folder / place / f"{row['name']}.png", pixels, colours=colours)
        truth.append({"file": row["name"], "cause": kind, "mask": mask})
    log = plan.drop(columns=["kind", "shade", "coarse", "light"])
    log = log.rename(columns={"name": "file"})
    labels = write_frame(
        log,
        [HEADERS[c] for c in log.columns],
        to / "촬영이력.csv",
        encoding="utf-8-sig",
    )
    return Simulation(
        model="machine-vision-surface",
        equipment="machine-vision",
        dataset="vision",
        files=[folder],
        labels=labels,
        on=HEADERS["file"],
        truth=pd.DataFrame(truth),
        defects=defects,
    )


def picture(
    rng: np.random.Generator, kind: str, shade: float, coarse: float, light: float
) -> tuple[np.ndarray, np.ndarray]:
    """One plate: grey values (float, 0 to 255) and the mask of its defect.

    Parameters
    ----------
    kind : str
        One of `KINDS`, or empty for a good plate.
    shade, coarse : float
        Of the lot: mean grey value, and length scale of its brushing relative to 1.
    light : float
        Of the lamp, relative to 1.
    """
    grain = gaussian_filter1d(_noise(rng), 9.0 * coarse, axis=1, truncate=3)
    fine = gaussian_filter1d(_noise(rng), 1.5, axis=1)
    cloud = _slow(rng, 22.0)
    # no two plates are brushed alike
    deep, sharp, blotchy = rng.uniform(0.75, 1.3, 3)
    surface = (
        7.0 * deep * grain / grain.std()
        + 3.0 * sharp * fine / fine.std()
        + 2.5 * blotchy * cloud / cloud.std()
    )
    surface = surface + _dust(rng)
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    if kind:
        change = _DEFECTS[kind](rng)
        surface = surface + change
        mask = np.abs(change) > 4.0
    x0, y0 = rng.normal(0, 0.15, 2)
    across, down = np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    lamp = 1.0 - 0.16 * ((down - x0) ** 2 + (across - y0) ** 2)
    pixels = light * lamp * (shade + surface) + rng.uniform(1.3, 2.1) * _noise(rng)
    return pixels, mask


def _noise(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((SIDE, SIDE), dtype=np.float32)


def _slow(rng: np.random.Generator, scale: float) -> np.ndarray:
    """A random surface that varies over `scale` pixels, drawn on a coarser grid."""
    factor = max(1, int(scale / 3))
    coarse = -(-SIDE // factor) + 4
    field = rng.standard_normal((coarse, coarse), dtype=np.float32)
    field = gaussian_filter(field, scale / factor)
    return np.asarray(zoom(field, factor, order=1)[:SIDE, :SIDE])


def _dust(rng: np.random.Generator) -> np.ndarray:
    """Specks and faint marks that are no defect."""
    layer = np.zeros((SIDE, SIDE), dtype=np.float32)
    for _ in range(rng.poisson(rng.gamma(1.0, 4.0))):
        x, y = rng.integers(2, SIDE - 2, 2)
        layer[y, x] += rng.normal(0, 75.0)
    layer = gaussian_filter(layer, 0.8)
    if rng.random() < 0.2:
        layer += _line(
            rng, length=rng.uniform(15, 30), width=0.8, depth=rng.normal(0, 4)
        )
    return layer


def _scratch(rng: np.random.Generator) -> np.ndarray:
    depth = rng.choice([-1.0, 1.0]) * rng.uniform(16, 45)
    return _line(
        rng, length=rng.uniform(45, 110), width=rng.uniform(0.8, 1.5), depth=depth
    )


def _line(
    rng: np.random.Generator, *, length: float, width: float, depth: float
) -> np.ndarray:
    """A slightly bent line across the grain."""
    angle = rng.uniform(0.3, np.pi - 0.3)
    x, y = rng.uniform(0.25 * SIDE, 0.75 * SIDE, 2)
    along = np.linspace(-0.5, 0.5, int(3 * length)) * length
    bend = rng.normal(0, 0.06) * along**2 / length
    return _drawn(
        x + along * np.cos(angle) - bend * np.sin(angle),
        y + along * np.sin(angle) + bend * np.cos(angle),
        width,
        depth,
    )


def _drawn(x: np.ndarray, y: np.ndarray, width: float, depth: float) -> np.ndarray:
    """A path drawn with a soft pen; `depth` is the change of grey in its middle."""
    layer = np.zeros((SIDE, SIDE), dtype=np.float32)
    column, row = np.round(x).astype(int), np.round(y).astype(int)
    inside = (column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE)
    layer[row[inside], column[inside]] = 1.0
    layer = gaussian_filter(layer, width)
    return depth * layer / max(float(layer.max()), 1e-9)


def _pit(rng: np.random.Generator) -> np.ndarray:
    down, across = np.ogrid[0:SIDE, 0:SIDE]
    layer = np.zeros((SIDE, SIDE))
    x0, y0 = rng.uniform(30, SIDE - 30, 2)
    for _ in range(int(rng.integers(1, 6))):
        x, y = x0 + rng.normal(0, 14), y0 + rng.normal(0, 14)
        size = rng.uniform(1.8, 3.4)
        far = np.hypot(across - x, down - y) / size
        rim = np.exp(-(((far - 1.5) / 0.35) ** 2))
        layer += -rng.uniform(24, 52) * np.exp(-(far**2)) + 14 * rim
    return layer


def _stain(rng: np.random.Generator) -> np.ndarray:
    down, across = np.ogrid[0:SIDE, 0:SIDE]
    x, y = rng.uniform(40, SIDE - 40, 2)
    wide, high = rng.uniform(12, 26, 2)
    ragged = _slow(rng, 5.0)
    far = np.hypot((across - x) / wide, (down - y) / high) + 0.2 * ragged / ragged.std()
    depth = rng.choice([-1.0, -1.0, 1.0]) * rng.uniform(9, 22)
    return np.asarray(depth / (1 + np.exp((far - 1.0) * 9)))


def _crack(rng: np.random.Generator) -> np.ndarray:
    layer = np.zeros((SIDE, SIDE))
    x, y = rng.uniform(0.3 * SIDE, 0.7 * SIDE, 2)
    angle = rng.uniform(0, 2 * np.pi)
    for length in (int(rng.integers(45, 90)), int(rng.integers(15, 35))):
        turns = angle + np.cumsum(rng.normal(0, 0.22, length))
        xs, ys = x + np.cumsum(np.cos(turns)), y + np.cumsum(np.sin(turns))
        layer = np.minimum(layer, _drawn(xs, ys, 0.9, -rng.uniform(26, 50)))
        joint = length // 3  # the branch leaves the trunk here
        x, y, angle = xs[joint], ys[joint], turns[joint] + rng.choice([-0.9, 0.9])
    return layer


_DEFECTS = {"scratch": _scratch, "pit": _pit, "stain": _stain, "crack": _crack}


def _plan(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Which plate is photographed when, in which lot, under which light."""
    lots = max(4, round(n / PER_LOT))
    lot = np.arange(n) * lots // n
    kinds = np.full(n, "", dtype=object)
    bad = rng.permutation(n)[: round(NG_SHARE * n)]
    kinds[bad] = np.resize(np.array(KINDS, dtype=object), len(bad))
    days = working_days(lots)
    within = np.arange(n) - np.searchsorted(lot, lot)
    start = (
        days[lot] + pd.to_timedelta(np.round(rng.uniform(9, 15, lots) * 3600), "s")[lot]
    )
    stamp = start + pd.to_timedelta(within * 40 + rng.integers(0, 20, n), unit="s")
    aged = 1.0 - 0.05 * np.arange(n) / n
    light = aged * (1 + rng.normal(0, 0.02, lots))[lot] * (1 + rng.normal(0, 0.008, n))
    return pd.DataFrame(
        {
            "name": [f"plate_{k + 1:05d}" for k in range(n)],
            "ts": stamp.strftime("%Y-%m-%d %H:%M:%S"),
            "lot_id": np.array([f"PL-{2606_10 + k}" for k in range(lots)])[lot],
            "product_code": "커넥터 플레이트",
            "camera_id": "CAM-1",
            "side": np.where(np.arange(n) % 2, "뒷면", "앞면"),
            "exposure_time": rng.choice([1800, 2000, 2200], lots)[lot],
            "gain": rng.choice([3.0, 4.5], lots)[lot],
            # turned up as the lamp ages, lot by lot
            "light_level": (72.0 + np.round(6.0 * np.arange(lots) / lots))[lot],
            "pixel_size": 45.0,
            "kind": kinds,
            "shade": rng.normal(128.0, 5.0, lots)[lot],
            "coarse": rng.uniform(0.8, 1.25, lots)[lot],
            "light": light,
        }
    )


def _write(path: Path, pixels: np.ndarray, *, colours: bool) -> None:
    grey = Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8))
    info = PngImagePlugin.PngInfo()
    info.add_text(ORIGIN_CHUNK, "simulated")
    picture = grey.convert("RGBA") if colours else grey
    picture.save(path, format="PNG", pnginfo=info, compress_level=1)
