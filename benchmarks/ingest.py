"""What ingest costs beside `pyarrow.csv.read_csv` alone, on the same file.

    python benchmarks/ingest.py                     # 1,000 and 1,000,000 rows
    python benchmarks/ingest.py --rows 10000000     # 6 GB, and as much again for the store

Every measurement runs in a process of its own, which tells its seconds and its peak
memory. The file is made up (seeded): a time stamp to the millisecond, ids and words, a
counter, and 24 measurements with all the digits of a double: 32 columns, about 530 bytes
a row.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from measure import Aim, Figure, Session, alternate, child, options

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
    parser = options(__doc__, rounds=3)
    parser.add_argument("--rows", type=int, nargs="+", help="1,000 and 1,000,000")
    parser.add_argument("--folder", type=Path, help="where files are made")
    chosen = parser.parse_args()
    usual = [1_000, 100_000] if chosen.quick else [1_000, 1_000_000]
    with Session("ingest", chosen, packages=("pyarrow", "deltalake")) as session:
        for rows in chosen.rows or usual:
            with tempfile.TemporaryDirectory(dir=chosen.folder) as place:
                session.add(*one_size(rows, chosen.rounds, Path(place)))


def one_size(rows: int, rounds: int, place: Path) -> list[Figure]:
    """Measure one size: seconds of both, and the memory of ours."""
    file = place / "shots.csv"
    write_shots(file, rows)
    way, homes = ("whole" if rows <= 2_000_000 else "batches"), count()

    def ours() -> dict[str, Any]:
        home = place / f"home-{next(homes)}"
        told = child(INGEST + TELL, file, home)
        shutil.rmtree(home)
        return told

    alone = partial(child, ALONE + TELL, file, way)
    taken = alternate({"ours": ours, "stock": alone}, rounds)
    seconds = [[told["seconds"] for told in taken[way]] for way in ("ours", "stock")]
    size = f"{rows:,} rows × {COLUMNS} ({file.stat().st_size / 1e6:,.1f} MB)"
    # the aim is for files that are large enough to be read in parts
    aim = Aim("ratio", 4) if rows >= 1_000_000 else None
    peaks = [told["peak_mb"] for told in taken["ours"]]
    return [
        Figure(size, "s", *seconds, aim=aim),
        Figure(f"peak memory, {rows:,} rows", "MB", peaks),
    ]


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
