"""What a fork server imports when it has nothing else to do."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from jupyter_client.manager import AsyncKernelManager
from kernels.live_kernel import servers
from traitlets.config import Config

from kamp_lib import kernels as room

pytestmark = pytest.mark.e2e
LATER = "xml.dom.pulldom"
CODE = f"import sys; assert {LATER!r} in sys.modules"


async def imported(folder: Path, number: int) -> bool:
    """Whether a kernel begins with the module."""
    config = Config()
    config.KernelManager.transport = "ipc"
    config.KernelManager.connection_file = str(folder.parent / f"k{number}")
    config.ForkProvisioner.imports = []
    config.ForkProvisioner.later = [LATER]
    room.use_quick_client(config)
    manager = AsyncKernelManager(config=config)
    room.forked(manager)
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        answer = await client.execute(CODE, reply=True, timeout=60)
        return bool(answer["content"]["status"] == "ok")
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


def test_later_kernels_begin_with_it_the_first_does_not_wait(own_kernels: Path) -> None:
    async def whole() -> tuple[bool, bool]:
        first = await imported(own_kernels, 0)
        until, number = time.monotonic() + 40, 1
        while not (found := await imported(own_kernels, number)):
            assert time.monotonic() < until, "it is never imported"
            await asyncio.sleep(2.5)
            number += 1
        return first, found

    assert asyncio.run(whole()) == (False, True)
    assert len(servers(own_kernels)) == 1
