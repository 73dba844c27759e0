"""A run of each problem family against rows: its time, and the most memory it held.

    python benchmarks/scale.py                                  # 10⁴, 10⁵, 10⁶ rows
    python benchmarks/scale.py --rows 100000 --family die-breakage

Time is that of a whole `run` (check, kernel, notebook, page, bundle), beside XGBoost alone
on the same rows (`large.plain`): read, one fit, score. Each is a process of its own; memory
is the sum over the process and its kernel, asked for twenty times a second, shared pages
counted twice. Rows of `tool-wear-rul` are samples, about 305 to a run; of
`vision-inspection`, pictures, of which five hundred times fewer are taken.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from large import FAMILIES
from measure import Aim, Figure, Session, options

ROWS = (10_000, 100_000, 1_000_000)
QUICK = (5_000,)
PICTURES_PER_ROW = 0.002
FEWEST_PICTURES = 60
MOST_MB = 4096
# Without labels, or without rows, there is nothing that XGBoost alone could do.
JUDGED = ("quality-classification", "die-breakage", "tool-wear-rul")


def main() -> None:
    parser = options(__doc__, rounds=1, quick_rounds=1)
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--family", nargs="+", choices=list(FAMILIES))
    parser.add_argument("--tell", action="store_true", help="print what each run said")
    chosen = parser.parse_args()
    rows = chosen.rows or (QUICK if chosen.quick else ROWS)
    with Session("scale", chosen, packages=("xgboost-cpu", "pandas")) as session:
        for family in chosen.family or FAMILIES:
            for many in rows:
                session.add(*measured(family, many, chosen))


def measured(family: str, rows: int, chosen: argparse.Namespace) -> list[Figure]:
    """Time and memory of one family at one size."""
    pictures = family == "vision-inspection"
    if pictures:
        rows = max(int(rows * PICTURES_PER_ROW), FEWEST_PICTURES)
    home = Path(tempfile.mkdtemp(prefix="scale-"))
    try:
        made, _ = process("make", family, rows, home)
        ours: list[float] = []
        stock: list[float] = []
        memory: list[float] = []
        told: dict[str, Any] = {}
        for _ in range(chosen.rounds):
            told, peak = process("run", family, rows, home)
            ours.append(told["seconds"])
            memory.append(peak)
            if family in JUDGED:
                stock.append(process("plain", family, rows, home)[0]["seconds"])
    finally:
        shutil.rmtree(home)
    if chosen.tell:
        print(json.dumps({**made, **told}, ensure_ascii=False), file=sys.stderr)
    what = "pictures" if pictures else f"rows × {made['columns']} columns"
    name = f"{family}, {made['rows']:,} {what}"
    note = f"{told['cases']:,} cases in {told['groups']:,} groups"
    return [
        Figure(f"{name}: run", "s", ours, stock, note=note),
        Figure(f"{name}: memory", "MB", memory, aim=Aim("ours", MOST_MB)),
    ]


def process(
    do: str, family: str, rows: int, home: Path
) -> tuple[dict[str, Any], float]:
    """What a step told, and the most memory (MB) that it and its children held."""
    script = str(Path(__file__).with_name("large.py"))
    command = [sys.executable, script, do, family, str(rows), str(home)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        running = subprocess.Popen(command, stdout=out, stderr=errors)
        peak = 0
        while running.poll() is None:
            peak = max(peak, held(running.pid))
            time.sleep(0.05)
        if running.returncode != 0:
            errors.seek(0)
            sys.exit(f"failed: {' '.join(command)}\n{errors.read()[-3000:]}")
        out.seek(0)
        return json.loads(out.read().splitlines()[-1]), peak / 2**20


def held(pid: int) -> int:
    """Bytes in memory of a process and everything it started."""
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
