"""Batches of 40 small runs beside a loop of stock Papermill over the same notebooks.

    python benchmarks/fleet.py                               # 4 companies x 10 machines
    python benchmarks/fleet.py --companies 2 --machines 3

`kamp batch` plans, runs everything inside the companies' walls with one worker per
processor, draws every decision page and writes its report. The loop executes the same
notebook on the same data sets with Papermill and the stock kernel, one after the other, in
one process, without walls, plan, drawing or report. Data are simulated: once without
labels (control charts, little to compute), once with them (models compete, and training
them is most of a run, which no batch makes shorter). "Beyond its cells" is what `kamp
batch` adds to the time of a run's own notebook cells.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from measure import Aim, Figure, Session, alternate, options, run

FURNISH = """
import sys, tempfile
import pandas as pd
from pathlib import Path
from kamp_lib.datasets import ingest
from kamp_lib.tenancy import open_registry, tenant_named
from kamp_lib.testbed import simulate
companies, machines, cases, labelled = map(int, sys.argv[1:])
registry = open_registry()
for c in range(companies):
    slug = f"firm-{c}"
    registry.add_sme(slug, f"기업 {c}", f"Firm {c}")
    for m in range(machines):
        with tempfile.TemporaryDirectory() as folder:
            raw = simulate("injection-quality", Path(folder), seed=100 * c + m, size=cases)
            if not labelled:  # as of a machine whose parts nobody has judged
                table = pd.read_csv(raw.files[0], encoding="cp949")
                table = table.drop(columns=["양불판정", "불량원인"])
                table.to_csv(raw.files[0], index=False, encoding="cp949")
            ingest(tenant_named(slug), "injection-moulding", raw.files,
                   dataset=f"machine-{m}")
"""
STOCK = """
import sys
from pathlib import Path
from papermill import execute_notebook
from kamp_lib.settings import settings
out = Path(sys.argv[1])
companies, machines = map(int, sys.argv[2:])
template = settings().templates / "analyses" / "quality-classification.ipynb"
for c in range(companies):
    for m in range(machines):
        execute_notebook(
            str(template), str(out / f"{c}-{m}.ipynb"), progress_bar=False,
            kernel_name="python3", cwd=str(out),
            parameters={"tenant": f"firm-{c}", "model": "injection-quality",
                        "dataset": f"machine-{m}"},
        )
"""


def main() -> None:
    parser = options(__doc__, rounds=3, quick_rounds=1)
    parser.add_argument("--companies", type=int, help="4, or 2 quick")
    parser.add_argument("--machines", type=int, help="of each company: 10, or 2 quick")
    parser.add_argument("--cases", type=int, default=100, help="of each machine")
    chosen = parser.parse_args()
    chosen.companies = chosen.companies or (2 if chosen.quick else 4)
    chosen.machines = chosen.machines or (2 if chosen.quick else 10)
    packages = ("papermill", "nbclient", "xgboost-cpu", "scikit-learn")
    with (
        Session("fleet", chosen, packages=packages) as session,
        tempfile.TemporaryDirectory() as folder,
    ):
        for labelled in (False, True):
            kind = "with labels" if labelled else "without labels"
            measure(session, chosen, Path(folder) / kind.replace(" ", "-"), kind)


def measure(session: Session, chosen: Namespace, folder: Path, kind: str) -> None:
    environment = {**os.environ, "KAMP_HOME": str(folder / "kamp")}
    environment.pop("KAMP_DASK", None)
    size = (chosen.companies, chosen.machines)
    python = [sys.executable, "-c"]
    labelled = int(kind == "with labels")
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True)
    run([*python, FURNISH, *map(str, (*size, chosen.cases, labelled))], environment)
    batches: list[dict[str, Any]] = []

    def ours() -> float:
        command = [sys.executable, "-m", "kamp_lib.cli", "batch"]
        taken = run([*command, "--again", "--json"], environment)
        batches.append(last_batch(folder / "kamp"))
        return taken

    def stock() -> float:
        return run([*python, STOCK, str(notebooks), *map(str, size)], environment)

    taken = alternate({"ours": ours, "stock": stock}, chosen.rounds)
    runs = size[0] * size[1]
    session.add(
        Figure(
            f"{runs} runs {kind}",
            "s",
            taken["ours"],
            taken["stock"],
            aim=Aim("ratio", 1 / 6),
        ),
        Figure(
            f"{kind}: a run beyond its cells",
            "s",
            [statistics.median(beyond(batch)) for batch in batches],
            aim=Aim("ours", 0.6),
            note="median over the runs of a batch, drawing of the page included",
        ),
        Figure(
            f"{kind}: first run of a worker, beyond its cells",
            "s",
            [max(beyond(batch)) for batch in batches],
            note="walls, Python, libraries and fork server",
        ),
        Figure(
            f"{kind}: cells of a run",
            "s",
            [
                statistics.median(o["own_seconds"] for o in b["outcomes"])
                for b in batches
            ],
            [cells(notebooks) for _ in batches],
            note="stock's cells import the libraries",
        ),
    )


def last_batch(home: Path) -> dict[str, Any]:
    """The record of the newest batch; every run in it has to have succeeded."""
    newest = max((home / "batches").glob("*/batch.json"))
    batch: dict[str, Any] = json.loads(newest.read_text())
    bad = [o for o in batch["outcomes"] if o["status"] != "succeeded"]
    if bad:
        sys.exit(f"a run did not succeed: {bad[0]}")
    return batch


def beyond(batch: dict[str, Any]) -> list[float]:
    """What each run took besides its own cells."""
    return [o["seconds"] - o["own_seconds"] for o in batch["outcomes"]]


def cells(notebooks: Path) -> float:
    """The median over the loop's runs of what their cells took."""
    sums = []
    for file in notebooks.glob("*.ipynb"):
        told = json.loads(file.read_text())["cells"]
        times = [c["metadata"].get("papermill", {}).get("duration") for c in told]
        sums.append(sum(t for t in times if t))
    return statistics.median(sums)


if __name__ == "__main__":
    if shutil.which("bwrap") is None:
        sys.exit("this benchmark is about runs inside walls: bubblewrap is missing")
    main()
