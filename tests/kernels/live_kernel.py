"""Kernels for tests: started through `KernelManager`, as every Jupyter program does."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager
from nbformat.v4 import output_from_msg
from traitlets.config import Config

WITHIN_S = 60
# Little to import, so that a fork server of its own costs a test half a second.
LIGHT = ["numpy"]
OUTPUTS = ("stream", "error", "display_data", "execute_result")


class LiveKernel:
    """A running kernel and a client of it."""

    def __init__(self, manager: KernelManager, client: Any) -> None:
        self.manager = manager
        self.client = client

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    @property
    def forked(self) -> bool:
        return type(self.manager.provisioner.process).__name__ == "ForkedKernel"

    def run(self, code: str, **options: Any) -> list[dict[str, Any]]:
        """Outputs of a cell, as a notebook keeps them."""
        outputs: list[dict[str, Any]] = []

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] in OUTPUTS:
                outputs.append(dict(output_from_msg(message)))

        options.setdefault("timeout", WITHIN_S)
        self.client.execute_interactive(code, output_hook=keep, **options)
        return outputs

    def said(self, code: str, **options: Any) -> str:
        """What a cell printed; an error in it is an error here."""
        outputs = self.run(code, **options)
        errors = [o for o in outputs if o["output_type"] == "error"]
        assert not errors, "\n".join(errors[0]["traceback"])
        texts = [o["text"] for o in outputs if o.get("name") == "stdout"]
        return "".join(texts)

    def value(self, expression: str) -> Any:
        """The value of an expression, by way of JSON."""
        code = f"import json as _json; print(_json.dumps({expression}, default=str))"
        return json.loads(self.said(code))

    def wait_ready(self) -> None:
        self.client.wait_for_ready(timeout=WITHIN_S)


def manager(name: str) -> KernelManager:
    """A manager that talks with its kernel over sockets in the runtime folder."""
    runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    file = runtime / f"kernel-{os.getpid()}-{time.monotonic_ns()}.json"
    config = Config()
    config.KernelManager.transport = "ipc"
    return KernelManager(kernel_name=name, config=config, connection_file=str(file))


@contextmanager
def live_kernel(name: str = "light", **options: Any) -> Iterator[LiveKernel]:
    """A kernel that is ready, and shut down in the end."""
    its_manager = manager(name)
    its_manager.start_kernel(**options)
    try:
        client = its_manager.client()
        client.start_channels()
        try:
            kernel = LiveKernel(its_manager, client)
            kernel.wait_ready()
            yield kernel
        finally:
            client.stop_channels()
    finally:
        its_manager.shutdown_kernel(now=True)


def write_spec(data: Path, name: str, **config: Any) -> None:
    """A kernelspec with the provisioner and this configuration."""
    folder = data / "kernels" / name
    folder.mkdir(parents=True, exist_ok=True)
    spec = {
        "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name,
        "language": "python",
        "metadata": {
            "debugger": True,
            "kernel_provisioner": {"provisioner_name": "kamp-fork", "config": config},
        },
    }
    (folder / "kernel.json").write_text(json.dumps(spec))


def eventually(condition: Callable[[], bool], within_s: float = 15.0) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def runs(pid: int) -> bool:
    """Whether a process is there and not just waiting to be forgotten."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def parent(pid: int) -> int:
    """The parent of a process; 0 when the process is gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status.rpartition(")")[2].split()[1])


def servers(folder: Path) -> list[int]:
    """Processes of fork servers of this folder (their kernels have the same name)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if (
                b"kamp_lib.kernels.server" in command
                and str(folder).encode() in command
            ):
                found.append(int(entry.name))
    parents = {pid: parent(pid) for pid in found}
    return [pid for pid, its in parents.items() if its and its not in found]
