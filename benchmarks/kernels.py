"""Forked kernels beside stock kernels: time to ready, Papermill, memory, shutdown.

    python benchmarks/kernels.py --rounds 5

The fork server is warm, and what it costs to start is a line of its own. Everything is
measured from outside, in one process per figure.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nbformat
import papermill
import psutil
from jupyter_client.manager import KernelManager
from measure import Figure, Session, alternate, options
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from kamp_lib.kernels import jupyter_path, let_go, warm

STOCK, FORKED = "python3", "kamp"
KERNELS = (STOCK, FORKED)
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
    chosen = options(__doc__, rounds=5).parse_args()
    with (
        Session("kernels", chosen, packages=PACKAGES) as session,
        tempfile.TemporaryDirectory(prefix="kb-") as folder,
    ):
        os.environ["JUPYTER_RUNTIME_DIR"] = folder
        os.environ["IPYTHONDIR"] = f"{folder}/ipython"
        os.environ["JUPYTER_PATH"] = str(jupyter_path())
        os.environ["TQDM_DISABLE"] = "1"
        for name, value in cold_server().items():
            session.add(Figure(*name.rsplit(", ", 1), [value]))
        many = 4 if chosen.quick else MANY
        for kernel in KERNELS:
            one_kernel(kernel, Path(folder))  # files into the cache
        for measure in (one_kernel, one_notebook, partial(notebooks, many)):
            session.add(*beside_stock(measure, Path(folder), chosen.rounds))
        let_go()


def beside_stock(
    measure: Callable[[str, Path], Sample], folder: Path, rounds: int
) -> list[Figure]:
    """One measurement for both kernels, alternating."""
    ways = {kernel: partial(measure, kernel, folder) for kernel in KERNELS}
    taken = alternate(ways, rounds)
    return [
        Figure(
            *name.rsplit(", ", 1),
            *([s[name] for s in taken[k]] for k in (FORKED, STOCK)),
        )
        for name in taken[STOCK][0]
    ]


def cold_server() -> Sample:
    """The start of a fork server, with all its imports, and what it holds in memory."""
    began = time.perf_counter()
    manager = _manager(FORKED)
    manager.start_kernel()
    seconds = time.perf_counter() - began
    server = psutil.Process(manager.provisioner.pid).parent()
    warm(FORKED).join()
    manager.shutdown_kernel(now=True)
    return {
        "first kernel of a new fork server, s": seconds,
        "fork server without kernels, MB": server.memory_full_info().uss / 2**20,
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


def notebooks(many: int, name: str, folder: Path) -> Sample:
    """Papermill on many notebooks at once."""
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda i: _papermill(name, folder, i), range(many)))
    seconds = time.perf_counter() - began
    return {f"Papermill, {many} notebooks on {THREADS} threads, s": seconds}


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


if __name__ == "__main__":
    main()
