"""Forked kernels beside stock kernels: time to ready, Papermill, memory, shutdown.

    python benchmarks/kernels.py --rounds 5

Rounds alternate, so that a busy moment of the machine hits both; the fork server is warm,
and what it costs to start is a line of its own. Everything is measured from outside, in
one process per figure. Writes `benchmarks/results/kernels.json` and a table to stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
from jupyter_client.manager import KernelManager
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from kamp_lib.kernels import jupyter_path, let_go, warm

KERNELS = ("python3", "kamp")
# What the analyses and pages of this house import.
IMPORTS = (
    "import numpy, pandas, xgboost, sklearn.ensemble, matplotlib.pyplot, ipywidgets"
)
CELLS = [
    IMPORTS,
    "import pandas as pd; table = pd.DataFrame({'a': range(1000)}); table.describe()",
    "matplotlib.pyplot.plot(table['a']); matplotlib.pyplot.show()",
]
MANY, THREADS = 12, 2
PACKAGES = (
    "ipykernel",
    "jupyter_client",
    "papermill",
    "numpy",
    "pandas",
    "xgboost-cpu",
)

Sample = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    default = Path(__file__).parent / "results" / "kernels.json"
    parser.add_argument("--to", type=Path, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-") as folder:
        os.environ["JUPYTER_RUNTIME_DIR"] = folder
        os.environ["IPYTHONDIR"] = f"{folder}/ipython"
        os.environ["JUPYTER_PATH"] = str(jupyter_path())
        os.environ["TQDM_DISABLE"] = "1"
        results = measure(options.rounds, Path(folder))
        let_go()
    options.to.parent.mkdir(exist_ok=True)
    options.to.write_text(json.dumps(results, indent=1) + "\n")
    print_table(results)


def measure(rounds: int, folder: Path) -> dict[str, Any]:
    """Every figure for both kernels, and the machine they were measured on."""
    samples: dict[str, dict[str, list[float]]] = {}

    def keep(kernel: str, found: Sample) -> None:
        for figure, value in found.items():
            samples.setdefault(figure, {}).setdefault(kernel, []).append(value)

    keep("kamp", cold_server())
    figures: list[Callable[[str, Path], Sample]] = [one_kernel, one_notebook, notebooks]
    for kernel in KERNELS:
        one_kernel(kernel, folder)  # files into the cache
    for figure in figures:
        for number in range(rounds):
            order = KERNELS if number % 2 == 0 else KERNELS[::-1]
            for kernel in order:
                keep(kernel, figure(kernel, folder))
    return {
        "machine": {
            "processors": os.cpu_count(),
            "memory_mb": psutil.virtual_memory().total // 2**20,
            "load": os.getloadavg(),
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": {name: version(name) for name in PACKAGES},
        },
        "rounds": rounds,
        "samples": samples,
    }


def cold_server() -> Sample:
    """The start of a fork server, with all its imports, and what it holds in memory."""
    began = time.perf_counter()
    manager = _manager("kamp")
    manager.start_kernel()
    seconds = time.perf_counter() - began
    server = psutil.Process(manager.provisioner.pid).parent()
    warm("kamp").join()
    manager.shutdown_kernel(now=True)
    return {
        "fork server: first kernel, s": seconds,
        "fork server: memory, MB": server.memory_full_info().uss / 2**20,
    }


def one_kernel(name: str, _: Path) -> Sample:
    """From nothing to a kernel that has imported the libraries, and its end."""
    manager = _manager(name)
    began = time.perf_counter()
    manager.start_kernel()
    channel = manager.client()
    channel.start_channels()
    channel.wait_for_ready(timeout=120)
    ready = time.perf_counter()
    reply = channel.execute_interactive(
        IMPORTS, timeout=120, output_hook=lambda _: None
    )
    imported = time.perf_counter()
    if reply["content"]["status"] != "ok":
        raise RuntimeError(reply["content"])
    memory = psutil.Process(manager.provisioner.pid).memory_full_info()
    channel.stop_channels()
    ending = time.perf_counter()
    manager.shutdown_kernel(now=False)
    ended = time.perf_counter()
    return {
        "kernel ready, s": ready - began,
        "kernel ready and libraries imported, s": imported - began,
        "private memory of a kernel, MB": memory.uss / 2**20,
        "shutdown, s": ended - ending,
    }


def one_notebook(name: str, folder: Path) -> Sample:
    """Papermill on a small notebook with a plot."""
    began = time.perf_counter()
    _papermill(name, folder, 0)
    return {"Papermill, one notebook, s": time.perf_counter() - began}


def notebooks(name: str, folder: Path) -> Sample:
    """Papermill on many notebooks at once."""
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda i: _papermill(name, folder, i), range(MANY)))
    seconds = time.perf_counter() - began
    return {f"Papermill, {MANY} notebooks on {THREADS} threads, s": seconds}


def _papermill(name: str, folder: Path, number: int) -> None:
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    source = folder / f"{name}-{number}.ipynb"
    nbformat.write(notebook, source)
    papermill.execute_notebook(
        source,
        folder / f"{name}-{number}-out.ipynb",
        kernel_name=name,
        progress_bar=False,
        config=_config(folder / f"{name}-{number}-{time.monotonic_ns()}.json"),
    )


def _config(file: Path) -> Config:
    config = Config()
    config.KernelManager.transport = "ipc"
    config.KernelManager.connection_file = str(file)
    return config


def _manager(name: str) -> KernelManager:
    folder = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    file = folder / f"kernel-{time.monotonic_ns()}.json"
    config = _config(file)
    return KernelManager(kernel_name=name, config=config, connection_file=str(file))


def print_table(results: dict[str, Any]) -> None:
    """Medians, spread, and the ratio of the medians."""
    print(f"{results['rounds']} rounds, load {results['machine']['load'][0]:.1f}\n")
    print("| figure | stock: median (min–max) | forked: median (min–max) | ratio |")
    print("|---|---|---|---|")
    for figure, by_kernel in results["samples"].items():
        texts, medians = [], []
        for kernel in KERNELS:
            values = by_kernel.get(kernel)
            if not values:
                texts.append("–")
                continue
            medians.append(statistics.median(values))
            low, high = min(values), max(values)
            texts.append(f"{medians[-1]:.2f} ({low:.2f}–{high:.2f})")
        ratio = f"{medians[0] / medians[1]:.1f}" if len(medians) == 2 else "–"
        print(f"| {figure} | {texts[0]} | {texts[1]} | {ratio} |")


if __name__ == "__main__":
    main()
