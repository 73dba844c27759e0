"""What a folder of 20,000 pictures costs: time by step, and peak memory.

    python benchmarks/images.py [--pictures 20000] [--side 320]

The pictures are made here (parts under one lamp, some saved twice), so that the figures
can be had anywhere. Decoding them once with Pillow alone, in as many threads, is the
measure beside which the catalogue is held.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from kamp_lib.datasets import ingest
from kamp_lib.datasets.reading.pictures import WORKERS
from kamp_lib.tenancy import add_tenant

TWINS = 200  # every so many pictures one is saved again, a little worse


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


def decoded_alone(folder: Path) -> float:
    """Seconds to decode every picture once and do nothing with it."""

    def load(path: Path) -> None:
        with Image.open(path) as image:
            image.load()

    began = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(load, sorted(folder.rglob("*.jpg"))))
    return time.perf_counter() - began


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=320)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="kamp-images-"))
    try:
        make(root / "pictures", options.pictures, options.side)
        alone = decoded_alone(root / "pictures")
        tenant = add_tenant("bench", "벤치", home=root / "kamp")
        before = peak_gb()
        began, busy = time.perf_counter(), time.process_time()
        result = ingest(tenant, "machine-vision", root / "pictures")
        taken = time.perf_counter() - began
        busy = time.process_time() - busy
        twins = [f for f in result.findings if f.code == "near-duplicate-images"]
        print(f"pictures             {result.rows_stored:,} of {options.side} pixels")
        print(f"decoding alone       {alone:.0f} s")
        print(f"ingest               {taken:.0f} s ({taken / alone:.1f} times)")
        print(f"processor time       {busy:.0f} s")
        for step, seconds in result.seconds.items():
            print(f"  {step:<18} {seconds:.0f} s")
        print(f"pairs found          {twins[0].count if twins else 0}")
        print(f"pairs made           {options.pictures // TWINS}")
        print(f"peak memory          {peak_gb():.2f} GB ({before:.2f} before)")
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
