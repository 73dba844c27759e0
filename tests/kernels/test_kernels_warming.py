"""A fork server that is there before the first kernel."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from kernels.live_kernel import eventually, live_kernel, servers

from kamp_lib import kernels as room

pytestmark = pytest.mark.e2e


def test_a_warm_server_is_the_one_that_kernels_use(own_kernels: Path) -> None:
    room.warm("light").join()
    assert eventually(lambda: len(servers(own_kernels)) == 1)
    before = servers(own_kernels)
    with live_kernel() as kernel:
        assert kernel.forked
        assert servers(own_kernels) == before


def test_a_warm_server_ends_with_the_process_that_wanted_it(own_kernels: Path) -> None:
    room.warm("light").join()
    assert eventually(lambda: bool(servers(own_kernels)))
    room.let_go()
    assert eventually(lambda: not servers(own_kernels))


def test_the_same_server_in_another_folder_is_another_server(
    own_kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.warm("light").join()
    monkeypatch.setenv("KAMP_KERNELS_DIR", str(tmp_path / "other"))
    with live_kernel():
        pass
    time.sleep(0.3)
    assert servers(own_kernels)
    assert servers(tmp_path / "other"), "held, though nothing runs"


def test_nothing_is_warmed_when_switched_off(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_FAST_KERNELS", "0")
    room.warm("light").join()
    assert not servers(own_kernels)


def test_a_kernelspec_that_is_not_there_is_said_and_harms_nobody(
    own_kernels: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room.warm("no-such-kernel").join()
    assert "no-such-kernel" in caplog.text
    assert not servers(own_kernels)


def test_a_jupyter_server_warms_the_kernel_that_it_offers_first(
    own_kernels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_server.serverapp import ServerApp

    app = ServerApp(
        jpserver_extensions={"kamp_lib.kernels": True},
        port=0,
        port_retries=0,
        open_browser=False,
        allow_root=True,
    )
    app.config.MultiKernelManager.default_kernel_name = "light"
    app.initialize(argv=[])
    try:
        assert app.extension_manager.extensions["kamp_lib.kernels"].enabled
        assert eventually(lambda: len(servers(own_kernels)) == 1)
    finally:
        for thread in threading.enumerate():
            if thread.name == "warm-kernels":
                thread.join()
        app.http_server.stop()
        app.clear_instance()
