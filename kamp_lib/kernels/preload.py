"""What a fork server has imported: whether it is fit to be forked, whether it is still true.

Imports only. A model trained before the fork leaves the OpenMP runtime with threads that
do not exist in the child, and the child's first training waits for them for ever.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

# They look, while they are imported, whether a notebook is there, and remember the answer.
UNSUITABLE = ("matplotlib_inline", "tqdm", "duckdb", "plotly.io", "bokeh.io")

# What every kernel loads while it starts, or at its first cell.
KERNEL = (
    *("ipykernel.kernelapp", "ipykernel.debugger", "sqlite3"),
    *("tornado.platform.asyncio", "IPython.core.debugger", "IPython.core.completerlib"),
    *("IPython.core.pylabtools", "IPython.extensions.storemagic", "stack_data"),
)

Stamp = tuple[int, int, int]


@dataclass
class Preload:
    """The imported modules, as their files were when they were imported."""

    failed: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, Stamp | None] = field(default_factory=dict)
    libraries: frozenset[str] = frozenset()  # files that a stock kernel would not load
    blas: Any = None  # threadpoolctl's hold on OpenBLAS

    def changed(self) -> str | None:
        """The first file that is no longer what was imported."""
        for path, stamp in self.files.items():
            if _stamp(path) != stamp:
                return path
        return None

    def add(self, names: Iterable[str], *, kernel: bool = False) -> None:
        """Import modules; one that cannot be imported is left to the kernels.

        Parameters
        ----------
        kernel : bool
            Whether a stock kernel would have loaded them, too.
        """
        environment, modules = dict(os.environ), set(_modules())
        with _in_a_notebook():
            self.failed |= _import(names)
        # some libraries set variables for those who come after them
        changed = {n: v for n, v in os.environ.items() if environment.get(n) != v}
        self.variables |= changed
        new = frozenset(_modules()) - modules
        if not kernel:
            self.libraries |= new
        known = self.files.keys()
        self.files |= {p: _stamp(p) for p in (*_modules(), *sys.path) if p not in known}

    def hold_blas(self) -> None:
        """Find the OpenBLAS that has been imported, to give it its threads back."""
        from threadpoolctl import ThreadpoolController  # sets variables of its own

        self.blas = ThreadpoolController().select(internal_api="openblas")


def preload(names: Iterable[str]) -> Preload:
    """Import what a kernel needs anyway, and these modules."""
    imported = Preload()
    imported.add(KERNEL, kernel=True)
    imported.add(names)
    imported.hold_blas()
    return imported


def complaints() -> list[str]:
    """Why this process must not be forked; nothing, when all is well."""
    found = []
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        found.append(f"there are {threads} threads, and a fork takes only one along")
    found += [
        f"{name} was imported, which has to be imported in the notebook"
        for name in UNSUITABLE
        if name in sys.modules
    ]
    found += [f"memory is shared with the kernels: {name}" for name in _shared()]
    return found


@contextmanager
def _in_a_notebook() -> Iterator[None]:
    """pandas looks at import whether its tables are for a notebook, and how to write."""

    class Shell:
        kernel = True

    def get_ipython() -> Any:
        return Shell

    builtins.get_ipython = get_ipython  # type: ignore[attr-defined]
    try:
        # a notebook's output calls its encoding so
        with (
            open(1, "w", encoding="UTF-8", closefd=False) as output,
            redirect_stdout(output),
        ):
            yield
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]


def _import(names: Iterable[str]) -> dict[str, str]:
    """Import modules, and say which failed and how."""
    failed = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever a library raises is its own affair
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def _modules() -> Iterator[str]:
    """Files of the modules that are imported, and what these read while they were.

    A module that reads files or folders when it is imported names them in
    `__files_read__`.
    """
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and os.path.isabs(path):
            yield path
            yield from vars(module).get("__files_read__", ())


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _shared() -> Iterator[str]:
    """Writable memory that a fork would not copy (locks and counters of libraries)."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if fields[1].endswith("s") and "w" in fields[1]:
                yield fields[5].strip() if len(fields) > 5 else "without a name"
