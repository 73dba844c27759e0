"""Single kernel managers that fork, and clients that do not wait for silence.

A Jupyter server chooses its provisioner by name; a program that starts one kernel by
itself (nbclient, Papermill) has only a manager, which is told here.
"""

from __future__ import annotations

import time
import uuid
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from traitlets.config import Config

from kamp_lib.kernels.provisioner import ForkProvisioner

QUICK_CLIENT = f"{__name__}.QuickClient"
# How long to listen for an answer before asking again.
ASK_AGAIN_S = 1.0
# A question asked before the channel of outputs was connected leaves no trace there. What
# is late for other reasons gets twice the time at every new question.
ECHO_S = 0.1


def forked(manager: Any) -> None:
    """Have the kernel of this manager forked, whatever its kernelspec says.

    Parameters
    ----------
    manager : jupyter_client.KernelManager
        Before its kernel has been started; its configuration holds for the
        `ForkProvisioner` too.
    """
    manager.kernel_id = manager.kernel_id or str(uuid.uuid4())
    manager.provisioner = ForkProvisioner(
        kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec, parent=manager
    )


def use_quick_client(config: Config) -> None:
    """Let managers with this configuration hand out `QuickClient`s."""
    config.KernelManager.client_class = QUICK_CLIENT


class QuickClient(AsyncKernelClient):
    """A client that knows when a kernel is ready.

    jupyter_client's own waits until the channel of outputs has been silent for 0.2 s. This
    one waits for the end of its own question on that channel: then it is connected, and
    nothing of the question is left in it.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels.

        Raises
        ------
        RuntimeError
            When the kernel has died, or does not answer in time: as jupyter_client's does.
        """
        until = None if timeout is None else time.monotonic() + timeout
        patience = ECHO_S
        while True:
            asked: Any = self.kernel_info()
            reply = await _answer(
                self.shell_channel, asked, "kernel_info_reply", ASK_AGAIN_S
            )
            if reply is not None:
                self._handle_kernel_info_reply(reply)
                if await _answer(self.iopub_channel, asked, "status", patience, "idle"):
                    return
                patience *= 2
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if until is not None and time.monotonic() > until:
                raise RuntimeError(f"Kernel didn't respond in {timeout:.0f} seconds")


async def _answer(
    channel: Any, asked: str, kind: str, within_s: float, state: str | None = None
) -> dict[str, Any] | None:
    """The message of this kind that belongs to the question, if it comes in time."""
    until = time.monotonic() + within_s
    while (left := until - time.monotonic()) > 0:
        try:
            message: dict[str, Any] = await channel.get_msg(timeout=left)
        except Empty:
            return None
        if (
            message["parent_header"].get("msg_id") == asked
            and message["msg_type"] == kind
            and state in (None, message["content"].get("execution_state"))
        ):
            return message
    return None
