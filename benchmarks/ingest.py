"""What ingest costs beside `pyarrow.csv.read_csv` alone, on the same file.

    python benchmarks/ingest.py                     # 1,000 and 1,000,000 rows
    python benchmarks/ingest.py --rows 10000000     # 6 GB, and as much again for the store

Every measurement runs in a process of its own, which tells its seconds and its peak
memory; rounds alternate, so that a busy moment of the machine hits both. The file is
made up (seeded): a time stamp to the millisecond, ids and words, a counter, and 24
measurements with all the digits of a double: 32 columns, about 530 bytes a row.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from kamp_lib.catalog import equipment_type

EQUIPMENT = "injection-moulding"
COLUMNS = 32
BATCH = 250_000
START = np.datetime64("2024-03-01T00:00:00.000", "ms")

ALONE = """
import sys, time
import pyarrow.csv as pacsv
began = time.perf_counter()
rows = 0
if sys.argv[2] == "whole":
    rows = pacsv.read_csv(sys.argv[1]).num_rows
else:  # a table that does not fit: the same reader, batch by batch
    for batch in pacsv.open_csv(sys.argv[1]):
        rows += batch.num_rows
seconds = time.perf_counter() - began
"""
INGEST = """
import sys, time
from pathlib import Path
from kamp_lib.tenancy import add_tenant
from kamp_lib.datasets import ingest
tenant = add_tenant("speed", "속도", home=Path(sys.argv[2]))
began = time.perf_counter()
result = ingest(tenant, "injection-moulding", sys.argv[1])
seconds = time.perf_counter() - began
rows = result.rows_stored
"""
TELL = """
import json, resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": rows, "seconds": seconds, "peak_mb": peak}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where files are made")
    options = parser.parse_args()
    print("| rows | file | read_csv, s | ingest, s | ratio (min-max) | ingest peak |")
    print("|---|---|---|---|---|---|")
    for rows in options.rows:
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            print(row_of_table(rows, options.rounds, Path(place)), flush=True)


def row_of_table(rows: int, rounds: int, place: Path) -> str:
    """Measure one size."""
    file = place / "shots.csv"
    write_shots(file, rows)
    alone, ours = [], []
    for number in range(rounds):
        home = place / f"home-{number}"
        way = "whole" if rows <= 2_000_000 else "batches"
        alone.append(measured(ALONE, file, way))
        ours.append(measured(INGEST, file, home))
        shutil.rmtree(home)
    ratios = [o["seconds"] / a["seconds"] for o, a in zip(ours, alone, strict=True)]
    peak = max(o["peak_mb"] for o in ours)
    return (
        f"| {rows:,} x {COLUMNS} | {file.stat().st_size / 1e6:,.1f} MB "
        f"| {_median(alone):.2f} | {_median(ours):.2f} | {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}-{max(ratios):.2f}) | {peak:,.0f} MB |"
    )


def measured(script: str, *arguments: object) -> dict[str, float]:
    """Run a script in its own process; it tells rows, seconds and peak memory."""
    command = [sys.executable, "-c", script + TELL, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _median(measurements: list[dict[str, float]]) -> float:
    return statistics.median(m["seconds"] for m in measurements)


def write_shots(path: Path, rows: int, *, seed: int = 7) -> None:
    """A made-up file of shots, written batch by batch."""
    rng = np.random.default_rng(seed)
    writer = None
    began = time.perf_counter()
    for first in range(0, rows, BATCH):
        batch = shots(rng, first, min(BATCH, rows - first))
        if writer is None:
            plain = pacsv.WriteOptions(quoting_style="needed")
            writer = pacsv.CSVWriter(path, batch.schema, write_options=plain)
        writer.write_table(batch)
    if writer is not None:
        writer.close()
    made = time.perf_counter() - began
    print(f"made {path.name}: {rows:,} rows in {made:.0f} s", file=sys.stderr)


def shots(rng: np.random.Generator, first: int, count: int) -> pa.Table:
    """Consecutive shots of one machine, a shot every 12 seconds."""
    number = np.arange(first, first + count)
    stamps = START + (number * 12_000 + rng.integers(0, 900, count)).astype("m8[ms]")
    lot = number // 5_000
    columns: dict[str, pa.Array] = {
        "ts": pa.array(stamps),
        "machine_id": pa.array(np.full(count, "IM-03")),
        "lot_id": pa.array(np.char.add("LOT-", (24_000 + lot).astype(str))),
        "product_code": pa.array(np.array(["CN7-W", "RG3-S", "GN7-R"])[lot % 3]),
        "mold_id": pa.array(np.array(["M-114", "M-118"])[lot % 2]),
        "shot_no": pa.array(number + 1),
        "material": pa.array(np.array(["PP 흑색", "ABS 백색", "PC/ABS"])[lot % 3]),
        "pass_or_fail": pa.array(np.where(rng.random(count) < 0.02, "NG", "OK")),
    }
    known = equipment_type(EQUIPMENT).columns
    usual = [c for c in known if c.role == "sensor" and c.usual_max is not None]
    for column in usual[: COLUMNS - len(columns)]:
        assert column.usual_min is not None  # noqa: S101
        assert column.usual_max is not None  # noqa: S101
        middle = (column.usual_min + column.usual_max) / 2
        spread = (column.usual_max - column.usual_min) / 40
        drift = np.sin(number / rng.integers(3_000, 9_000)) * spread
        values = middle + drift + rng.normal(0, spread, count)
        columns[column.name] = pa.array(values)
    return pa.table(columns)


if __name__ == "__main__":
    main()
