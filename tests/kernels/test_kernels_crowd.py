"""Many kernels at once: bounded, in turn, and a clear word to those for whom none is left."""

from __future__ import annotations

import itertools
import os
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from kernels.live_kernel import (
    LIGHT,
    eventually,
    live_kernel,
    manager,
    servers,
    write_spec,
)

pytestmark = pytest.mark.e2e


def _crowd(asked: int, most: int, tmp_path: Path, folder: Path) -> None:
    write_spec(tmp_path / "jupyter", "few", imports=LIGHT, most_kernels=most)
    managers = [manager("few") for _ in range(asked)]

    def start(index: int) -> str:
        try:
            managers[index].start_kernel()
        except RuntimeError as error:
            return str(error)
        assert type(managers[index].provisioner.process).__name__ == "ForkedKernel"
        return ""

    try:
        with ThreadPoolExecutor(asked) as pool:
            answers = list(pool.map(start, range(asked)))
        started = [i for i, answer in enumerate(answers) if not answer]
        assert len(started) == most
        for answer in filter(None, answers):
            assert f"{most} kernels are running" in answer
        [server] = servers(folder)
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        assert len(children) == most
        # one that goes makes room for another
        managers[started[0]].shutdown_kernel(now=True)
        managers.append(manager("few"))
        assert eventually(lambda: start(-1) == "")
    finally:
        for one in managers:
            if one.has_kernel:
                one.shutdown_kernel(now=True)


def test_fifty_at_once_get_what_there_is_room_for(
    own_kernels: Path, tmp_path: Path
) -> None:
    _crowd(50, 12, tmp_path, own_kernels)


@pytest.mark.long
def test_five_hundred_at_once_get_what_there_is_room_for(
    own_kernels: Path, tmp_path: Path
) -> None:
    _crowd(500, 40, tmp_path, own_kernels)


def test_kernels_start_in_turn_and_not_all_at_the_same_time(
    own_kernels: Path, tmp_path: Path
) -> None:
    write_spec(tmp_path / "jupyter", "few", imports=LIGHT, at_once=1)
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    log = tmp_path / "log"
    (startup / "log.py").write_text(
        "import time\n"
        f"with open({str(log)!r}, 'a') as f:\n"
        "    f.write(f'{time.monotonic()} ')\n"
        "time.sleep(0.3)\n"
        f"with open({str(log)!r}, 'a') as f:\n"
        "    f.write(f'{time.monotonic()}\\n')\n"
    )
    env = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    managers = [manager("few") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: one.start_kernel(env=env), managers))
    for one in managers:
        one.shutdown_kernel(now=True)
    spans = [tuple(map(float, line.split())) for line in log.read_text().splitlines()]
    assert len(spans) == 4
    for (_, end), (begin, _) in itertools.pairwise(spans):
        assert begin >= end


def test_a_caller_who_gives_up_leaves_no_kernel_behind(
    own_kernels: Path, tmp_path: Path
) -> None:
    import asyncio

    from jupyter_client.manager import AsyncKernelManager
    from traitlets.config import Config

    config = Config()
    config.AsyncKernelManager.transport = "ipc"
    write_spec(tmp_path / "jupyter", "slow", imports=LIGHT)

    async def give_up() -> None:
        its_manager = AsyncKernelManager(kernel_name="slow", config=config)
        start = asyncio.ensure_future(its_manager.start_kernel())
        await asyncio.sleep(0.05)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start

    asyncio.run(give_up())
    time.sleep(1.5)
    for server in servers(own_kernels):
        children = Path(f"/proc/{server}/task/{server}/children")
        assert eventually(lambda file=children: not file.read_text().split())


def _first_kernel(number: int) -> bool:
    with live_kernel() as kernel:
        return kernel.forked and kernel.value("6 * 7") == 42


@pytest.mark.usefixtures("kernels")
def test_processes_forked_from_one_that_uses_kernels_can_use_them_too() -> None:
    with live_kernel(), ProcessPoolExecutor(3, get_context("fork")) as pool:
        assert list(pool.map(_first_kernel, range(6))) == [True] * 6
