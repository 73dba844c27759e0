"""The kernel of a run: forked where it can be, its sockets, its environment, its engine.

All runs of one process share one fork server, so their kernels are given the same values
of everything that libraries read when they are imported. See docs/kernels.md.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kamp_lib import kernels
from kamp_lib.settings import settings
from kamp_lib.text import language

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from traitlets.config import Config

KERNEL = "python3"
START_TIMEOUT_S = 60
# What the analyses import: no more, since a single run waits for it.
IMPORTS = (
    *("numpy", "pandas", "pandas.io.formats.html", "pyarrow.parquet"),
    *("scipy.stats", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline"),
    *("sklearn.model_selection", "sklearn.preprocessing", "xgboost", "deltalake"),
    *("pandas.io.formats.string", "pyarrow.pandas_compat"),
    *("kamp_lib.workbench", "kamp_lib.runs", "kamp_lib.runs.ahead"),
    *("kamp_lib.learning.quality_classification", "kamp_lib.learning.tool_wear"),
    "kamp_lib.learning.vision",
)


class Watch(Protocol):
    """Follows the cells of a notebook."""

    def start(self, notebook: NotebookNode) -> None:
        """The notebook is about to be executed."""

    def cell(self, index: int) -> None:
        """A cell is about to be executed."""

    def left(self, cell: Any = None) -> float:
        """Seconds that are left for it."""


def warm_up() -> None:
    """Start the fork server of this process's runs, while it does other things."""
    if settings().fast_kernels:
        kernels.warm(KERNEL, kernel_environment(), imports=list(IMPORTS))


def kernel_environment(private: str = "") -> dict[str, str]:
    """A kernel's environment: this one, our settings, no more threads than told.

    Parameters
    ----------
    private : str
        A folder of this kernel's own.
    """
    threads = str(settings().threads)
    return {
        **os.environ,
        "IPYTHONDIR": private,
        "KAMP_LANG": language(),
        "KAMP_TEMPLATES": str(settings().templates),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        # the progress of libraries would end up in the notebook as noise
        "TQDM_DISABLE": "1",
    }


def _configuration(private: str) -> Config:
    """How to start the kernel, and to talk to it through sockets nobody else may enter."""
    from traitlets.config import Config

    config = Config()
    config.KernelManager.transport = "ipc"
    # a short path of our own: a socket's name may not be longer than 107 characters
    config.KernelManager.connection_file = f"{private}/kernel.json"
    config.ForkProvisioner.imports = list(IMPORTS)
    kernels.use_quick_client(config)
    return config


def engine() -> type:
    """Papermill's own engine, telling a `Watch` about each cell.

    Papermill is imported when a run starts, so the class is made then.
    """
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, NotebookExecutionManager

    class KampClient(PapermillNotebookClient):
        def create_kernel_manager(self) -> Any:
            manager = super().create_kernel_manager()
            if settings().fast_kernels:
                kernels.forked(manager)
            return manager

    class KampEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: NotebookExecutionManager,
            kernel_name: str,
            *,
            watch: Watch,
            folder: Path,
            private: str,
            **_: Any,
        ) -> Any:
            watch.start(nb_man.nb)
            cell_start = nb_man.cell_start

            def started(cell: Any, cell_index: int, **more: Any) -> None:
                watch.cell(cell_index)
                cell_start(cell, cell_index, **more)

            nb_man.cell_start = started
            client = KampClient(
                nb_man,
                kernel_name=kernel_name,
                timeout_func=watch.left,
                startup_timeout=START_TIMEOUT_S,
                # not papermill's `cwd`, which moves this whole process
                resources={"metadata": {"path": str(folder)}},
                config=_configuration(private),
                extra_arguments=[
                    "--HistoryManager.enabled=False",
                    # what a kernel says while it is stopped is no news
                    "--IPKernelApp.log_level=50",
                ],
            )
            # what a kernel has to say comes through its messages; its own stderr would
            # speak up after Ctrl-C, when its folder is gone
            quiet = subprocess.DEVNULL
            return client.execute(
                env=kernel_environment(private), stdout=quiet, stderr=quiet
            )

    return KampEngine
