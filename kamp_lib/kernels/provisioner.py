"""The kernel provisioner: a kernel by fork where that is possible, as usual where not."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Float, Integer, List, Unicode

from kamp_lib.kernels import client, wire
from kamp_lib.kernels.client import Options, Request
from kamp_lib.kernels.place import Unusable
from kamp_lib.kernels.process import ForkedKernel

# 0: never fork. attach: use a fork server that runs, start none. Otherwise: fork.
SWITCH = "KAMP_FAST_KERNELS"
MOST = "KAMP_KERNELS_MOST"
# Further modules to import beforehand, separated by spaces.
MORE = "KAMP_KERNELS_IMPORTS"
LOST_S = 0.05
# A kernel at rest needs about 0.1 s to leave.
LEAVING_S = 0.4
# Arguments of a start that a fork can follow.
KNOWN = {"env", "cwd", "stdin", "stdout", "stderr", "kernel_id", "extra_arguments"}
# Modules that most notebooks want. No training, no threads, no question at import
# whether a notebook is there (see `preload`).
IMPORTS = (
    *("numpy", "pandas", "pandas.io.formats.html"),
    *("pyarrow.parquet", "pyarrow.pandas_compat"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "PIL.JpegImagePlugin"),
    *("PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.PpmImagePlugin", "ipywidgets"),
    *("scipy.stats", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline"),
    *("sklearn.model_selection", "sklearn.inspection", "sklearn.preprocessing"),
    *("xgboost", "numba"),  # numba is most of shap's import
)

# threads that wait for fork servers' answers
_askers: ThreadPoolExecutor


def _new_askers() -> None:
    global _askers  # noqa: PLW0603 - threads do not come along in a fork
    _askers = ThreadPoolExecutor(32, thread_name_prefix="kamp-kernels")


_new_askers()
os.register_at_fork(after_in_child=_new_askers)


class ForkProvisioner(LocalProvisioner):
    """Starts ipykernel by fork; everything else about a kernel is `LocalProvisioner`'s."""

    imports = List(
        Unicode(), list(IMPORTS), config=True, help="Libraries imported beforehand."
    )
    more_imports = List(
        Unicode(),
        config=True,
        help="Further modules; those that are missing are left out.",
    )
    later = List(
        Unicode(),
        config=True,
        help="Modules imported when the fork server has nothing else to do: the first"
        " kernels do not wait for them.",
    )
    frozen = List(
        Unicode(),
        config=True,
        help="Further environment variables (patterns) that those modules read at import.",
    )
    most_kernels = Integer(config=True, help="Kernels that may run at the same time.")
    at_once = Integer(
        0,
        config=True,
        help="Kernels that may start at the same time; 0: by processors.",
    )
    idle_s = Float(3600.0, config=True, help="A fork server unused for so long ends.")
    wait_s = Float(
        60.0,
        config=True,
        help="A kernel waits so long for a fork server that is still importing, and then"
        " starts as usual.",
    )

    def _more_imports_default(self) -> list[str]:
        return os.environ.get(MORE, "").split()

    def _most_kernels_default(self) -> int:
        return int(os.environ.get(MOST) or 100)

    async def launch_kernel(
        self, cmd: list[str], **kwargs: Any
    ) -> KernelConnectionInfo:
        """Fork a kernel; where that cannot be, say so and start it as usual."""
        try:
            process = await self._forked(cmd, kwargs)
        except Unusable as why:
            self.log.warning("Kernel started without the fork server: %s", why)
            return await super().launch_kernel(cmd, **kwargs)
        if process is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = process  # type: ignore[assignment] # as good as a Popen
        self.pid = self.pgid = process.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait a moment for the end itself, not for the next look every 0.1 s."""
        if isinstance(self.process, ForkedKernel):
            await self.process.ended(LEAVING_S)

    def options(self) -> Options:
        """What the fork server for this kernel is to be like."""
        return Options(
            imports=(*self.imports, *self.more_imports),
            later=tuple(self.later),
            frozen=tuple(self.frozen),
            most=self.most_kernels,
            at_once=self.at_once,
            idle_s=self.idle_s,
            ready_s=self.wait_s,
            may_start=os.environ.get(SWITCH) != "attach",
        )

    async def _forked(
        self, command: list[str], wishes: dict[str, Any]
    ) -> ForkedKernel | None:
        if os.environ.get(SWITCH, "1") == "0" or command[1:3] != wire.LAUNCHER:
            return None
        why = client.supported() or _unknown(wishes)
        if why:
            raise Unusable(why)
        command = [os.path.expanduser(part) for part in command]
        options = self.options()
        future = _askers.submit(_start, command, wishes, options)
        answer = asyncio.wrap_future(future)
        try:
            while not (answer.done() or future.done()):
                # an event loop that a fork has copied loses calls from other threads
                await asyncio.wait([answer], timeout=LOST_S)
            answer.cancel()
            return future.result()
        except asyncio.CancelledError:
            future.add_done_callback(_end)  # nobody waits for it any more
            raise


def _start(
    command: list[str], wishes: dict[str, Any], options: Options
) -> ForkedKernel:
    folder = os.path.abspath(wishes.get("cwd") or os.getcwd())
    if not os.path.isdir(folder):
        raise Unusable(f"{folder} is not a folder")
    variables = dict(wishes.get("env") or os.environ)
    variables["JPY_PARENT_PID"] = str(os.getpid())
    with _standard_files(wishes) as files:
        request = Request(command, variables, folder, files)
        return client.start_kernel(request, options)


def _end(future: Future[ForkedKernel]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().kill()


def _unknown(wishes: dict[str, Any]) -> str | None:
    """What a fork cannot do of what was asked for."""
    other = sorted(wishes.keys() - KNOWN)
    if other:
        return "the start asks for " + ", ".join(other)
    for name in ("stdin", "stdout", "stderr"):
        if wishes.get(name) in (subprocess.PIPE, subprocess.STDOUT):
            return f"{name} is to be a pipe"
    return None


@contextmanager
def _standard_files(wishes: dict[str, Any]) -> Iterator[tuple[int, int, int]]:
    """Input, output and errors, as `jupyter_client.launcher` would give them."""
    with ExitStack() as stack:

        def opened(wish: Any, otherwise: int) -> int:
            if wish is None:
                return otherwise
            if wish == subprocess.DEVNULL:
                file = os.open(os.devnull, os.O_RDWR)
                stack.callback(os.close, file)
                return file
            return wish if isinstance(wish, int) else int(wish.fileno())

        # a pipe without another end
        reading, writing = os.pipe()
        stack.callback(os.close, reading)
        os.close(writing)
        yield (
            opened(wishes.get("stdin"), reading),
            opened(wishes.get("stdout"), 1),
            opened(wishes.get("stderr"), 2),
        )
