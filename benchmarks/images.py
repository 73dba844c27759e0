"""What a folder of 20,000 pictures costs beside decoding them: time and peak memory.

    python benchmarks/images.py [--pictures 20000] [--side 320]

The pictures are made here (parts under one lamp, some saved twice), so that the figures
can be had anywhere. Decoding them once with Pillow alone, in as many threads, is the
measure beside which the catalogue is held.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from measure import Figure, Session, alternate, child, options
from PIL import Image

from kamp_lib.datasets.reading.pictures import WORKERS

TWINS = 200  # every so many pictures one is saved again, a little worse
INGEST = """
import json, resource, sys, time
from pathlib import Path
from kamp_lib.datasets import ingest
from kamp_lib.tenancy import add_tenant
tenant = add_tenant("bench", "벤치", home=Path(sys.argv[2]))
began = time.perf_counter()
result = ingest(tenant, "machine-vision", sys.argv[1])
seconds = time.perf_counter() - began
twins = [f.count for f in result.findings if f.code == "near-duplicate-images"]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mb": peak, "pairs": sum(twins)}))
"""


def make(folder: Path, pictures: int, side: int) -> None:
    """Round parts with a texture of their own."""
    y, x = np.mgrid[0:side, 0:side]
    disc = 120.0 * (np.hypot(x - side / 2, y - side / 2) < 0.4 * side)
    for kind in ("ok", "ng"):
        (folder / kind).mkdir(parents=True)

    def one(number: int) -> None:
        original = number - 1 if number % TWINS == 1 else number
        rng = np.random.default_rng(original)
        coarse = Image.fromarray(rng.integers(0, 90, (40, 40), dtype=np.uint8))
        texture = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
        quality = 90 if original == number else 75
        picture = Image.fromarray((disc + texture).astype(np.uint8)).convert("RGB")
        place = folder / ("ng" if number % 10 == 0 else "ok") / f"{number:06}.jpg"
        picture.save(place, quality=quality)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, range(pictures)))


def decoded_alone(folder: Path) -> dict[str, Any]:
    """Seconds to decode every picture once and do nothing with it."""

    def load(path: Path) -> None:
        with Image.open(path) as image:
            image.load()

    began = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(load, sorted(folder.rglob("*.jpg"))))
    return {"seconds": time.perf_counter() - began}


def main() -> None:
    parser = options(__doc__, rounds=1, quick_rounds=1)
    parser.add_argument("--pictures", type=int, help="20,000, or 400 quick")
    parser.add_argument("--side", type=int, default=320)
    chosen = parser.parse_args()
    pictures = chosen.pictures or (400 if chosen.quick else 20_000)
    with (
        Session("images", chosen, packages=("pillow",)) as session,
        tempfile.TemporaryDirectory(prefix="kamp-images-") as place,
    ):
        folder, homes = Path(place) / "pictures", count()
        make(folder, pictures, chosen.side)

        def ours() -> dict[str, Any]:
            told = child(INGEST, folder, f"{place}/home-{next(homes)}")
            if told["pairs"] != pictures // TWINS:
                sys.exit(f"{told['pairs']} pairs found, {pictures // TWINS} were made")
            return told

        alone = partial(decoded_alone, folder)
        taken = alternate({"ours": ours, "stock": alone}, chosen.rounds)
        seconds = [
            [told["seconds"] for told in taken[way]] for way in ("ours", "stock")
        ]
        peaks = [told["peak_mb"] for told in taken["ours"]]
        name = f"{pictures:,} pictures of {chosen.side} pixels"
        session.add(
            Figure(name, "s", *seconds, note="stock: decode alone"),
            Figure(f"peak memory, {pictures:,} pictures", "MB", peaks),
        )


if __name__ == "__main__":
    main()
