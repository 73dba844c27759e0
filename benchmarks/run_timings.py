"""What `kamp run` costs beside stock Papermill, on the same notebook and the same data.

    make bench                      # writes a table to stdout
    python benchmarks/run_timings.py --rounds 5 --size demo

Stock Papermill executes the same analysis template by hand (`papermill template out
-p tenant … -p model …`), so both compute the same numbers. What `kamp run` adds is the
check of the parameters, the first paint, the fsync and the rename; what it saves is the
progress bar and the autosave of the notebook. Rounds alternate, so that a busy moment of
the machine hits both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kamp_lib.datasets import ingest
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.testbed import demo_companies, simulate

BIN = Path(sys.executable).parent


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Wall seconds of a command that has to succeed."""
    began = time.perf_counter()
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(command)}\n{done.stderr[-2000:]}")
    return time.perf_counter() - began


def commands(
    tenant: Tenant, model: str, family: str, out: Path
) -> dict[str, list[str]]:
    """The two ways to execute the same analysis."""
    template = settings().templates / "analyses" / f"{family}.ipynb"
    stock = [str(BIN / "papermill"), str(template), str(out / f"{model}.ipynb")]
    stock += ["-p", "tenant", tenant.slug, "-p", "model", model]
    return {
        "papermill": stock,
        "kamp run": [str(BIN / "kamp"), "run", tenant.slug, model, "--json"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="fast", choices=["fast", "demo"])
    options = parser.parse_args()
    from kamp_lib.catalog import standard_model

    print(f"size {options.size}, {options.rounds} rounds, median seconds\n")
    print("| model | stock papermill | kamp run | ratio (min–max) |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        environment = {**os.environ, "KAMP_HOME": place}
        for company in demo_companies():
            tenant = add_tenant(
                company.slug, company.ko, equipment=(company.equipment,), home=home
            )
            raw = simulate(
                company.model, home / "raw" / company.slug, size=options.size
            )
            ingest(tenant, company.equipment, raw.files, labels=raw.labels, on=raw.on)
            family = standard_model(company.model).family
            ways = commands(tenant, company.model, family, home)
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(options.rounds):
                for way, command in ways.items():
                    seconds[way].append(timed(command, environment))
            pairs = zip(seconds["kamp run"], seconds["papermill"], strict=True)
            ratios = [ours / stock for ours, stock in pairs]
            print(
                f"| {company.model} | {statistics.median(seconds['papermill']):.1f} "
                f"| {statistics.median(seconds['kamp run']):.1f} "
                f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) |",
                flush=True,
            )


if __name__ == "__main__":
    main()
