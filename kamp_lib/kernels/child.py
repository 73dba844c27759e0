"""From a fork to a kernel: what a process has to forget, and what it has to learn."""

from __future__ import annotations

import atexit
import gc
import importlib.util
import io
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import Any

from kamp_lib.kernels import environment, wire
from kamp_lib.kernels.preload import Preload

UP = b"\x00up"
# What a control thread may take to end; it has nothing to do but write what is left.
CONTROL_ENDS_S = 2.0


@dataclass
class Start:
    """A kernel to be: what was asked for, the files that came along, the way to answer."""

    message: wire.Message
    files: list[int]
    answer: int

    def report(self, what: bytes) -> None:
        os.write(self.answer, what)
        os.close(self.answer)
        self.answer = -1


def become_kernel(start: Start, imported: Preload) -> None:
    """Be the kernel that was asked for, until it ends."""
    try:
        _become(start, imported)
        app = _application(start, imported)
    except BaseException as error:
        if start.answer >= 0:
            start.report(f"{type(error).__name__}: {error}".encode()[:2000] or b"?")
        raise
    start.report(UP)
    app.start()


def _become(start: Start, imported: Preload) -> None:
    message = start.message
    _watch_owner(start.files[0])
    for standard, file in enumerate(start.files[1:]):
        os.dup2(file, standard)
    wire.close(start.files[1:])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(message["umask"])
    for name, (soft, hard) in message["limits"].items():
        _limit(getattr(resource, name), soft, hard)
    _replace_environment(message["environment"], imported.variables)
    os.chdir(message["folder"])
    command: list[str] = message["command"]
    spec = importlib.util.find_spec(wire.LAUNCHER[1])
    launcher = spec.origin if spec and spec.origin else wire.LAUNCHER[1]
    sys.argv = [launcher, *command[3:]]
    sys.orig_argv = command
    _buffer_as_at_start(unbuffered=bool(message["environment"].get("PYTHONUNBUFFERED")))
    _be_different()
    # OpenBLAS was imported with one thread, so that there was nothing to lose
    threads = environment.blas_threads(
        message["environment"], len(message["processors"])
    )
    imported.blas.limit(limits=threads)
    gc.enable()


def _buffer_as_at_start(unbuffered: bool) -> None:
    """As an interpreter begins: errors, and what a terminal reads, line by line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            by_line = stream is sys.stderr or stream.isatty()
            stream.reconfigure(
                line_buffering=by_line and not unbuffered, write_through=unbuffered
            )


def _application(start: Start, imported: Preload) -> Any:
    """ipykernel's own application, listening already."""
    from ipykernel.kernelapp import IPKernelApp

    owner = start.message["environment"].get("JPY_PARENT_PID", "")
    # what it would have read from the environment when it was imported
    app = IPKernelApp.instance(parent_handle=int(owner) if owner.isdigit() else 0)
    app.initialize(sys.argv[1:])
    atexit.register(_end_control, app)
    # it would watch its parent, which here is the fork server; ours watches the owner
    app.poller = None
    widgets = sys.modules.get("ipywidgets")
    if widgets is not None:
        widgets.register_comm_target()
    debugger = getattr(app.kernel, "debugger", None)
    if debugger is not None:
        # it takes all that is loaded for ipykernel's own, and would not step into it
        files = debugger.kernel_modules
        debugger.kernel_modules = [f for f in files if f not in imported.libraries]
    return app


def _end_control(app: Any) -> None:
    """End the control thread while outputs still have theirs.

    ipykernel ends them the other way round, and the last flush of the control thread then
    now and then waits for nobody: in two of five short runs, until the kernel was killed.
    """
    thread = app.control_thread
    if thread is not None and thread.is_alive():
        thread.stop()
        thread.join(CONTROL_ENDS_S)


def _watch_owner(handle: int) -> None:
    """End when the process that asked for this kernel ends, as any kernel does."""

    def wait() -> None:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        poller.poll()
        os._exit(1)

    threading.Thread(target=wait, name="owner", daemon=True).start()


def _limit(which: int, soft: int, hard: int) -> None:
    if resource.getrlimit(which) != (soft, hard):
        resource.setrlimit(which, (soft, hard))


def _replace_environment(wanted: dict[str, str], by_imports: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(wanted)
    for name, value in by_imports.items():
        os.environ.setdefault(name, value)


def _be_different() -> None:
    """Nothing that is to be a process's own may be the same in two kernels."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None:
        processes.current_process().authkey = os.urandom(32)
    tempfile.tempdir = None  # TMPDIR may be another
    # matplotlib without a home makes a folder and takes it away at its end: the parent's
    atexit.unregister(shutil.rmtree)
