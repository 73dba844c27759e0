"""Pages and their kernels: how they begin, whose they are, how they end."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.provisioning import KernelProvisionerFactory
from tornado import web
from traitlets.config import Config

from kamp_lib.kernels import let_go
from kamp_lib.reports.forking import fork_traits
from kamp_lib.reports.kernels import PageKernels
from kamp_lib.reports.playing import PAGE_ID, cells_of
from kamp_lib.runs import Bundle

pytestmark = pytest.mark.e2e
Deed = Callable[[PageKernels], Awaitable[Any]]


@pytest.fixture
def provisioner(monkeypatch: pytest.MonkeyPatch) -> None:
    # one for the whole process, which other tests have made already
    factory = KernelProvisionerFactory.instance()
    monkeypatch.setattr(factory, "default_provisioner_name", "kamp-fork")


def during(deed: Deed, **traits: Any) -> Any:
    """Do something with the kernels of a page server, and end them."""

    async def whole(folder: str) -> Any:
        config = Config()
        config.KernelManager.transport = "ipc"
        config.ForkProvisioner.update(fork_traits())
        kernels = PageKernels(config=config, connection_dir=folder, **traits)
        try:
            return await deed(kernels)
        finally:
            await kernels.shutdown_all(now=True)

    # the name of a socket may have 107 letters
    with tempfile.TemporaryDirectory(prefix="kk-") as folder:
        return asyncio.run(whole(folder))


async def opened(
    kernels: PageKernels, cells: list[str], who: str = "ann", folder: str = "/"
) -> tuple[str, Any]:
    page = await kernels.open_page(who, Path(folder), cells, "lang=en")
    return page.kernel_id, await page.state


def report_of(bundle: Bundle) -> list[str]:
    template = Path(__file__).parents[2] / "templates" / "reports"
    return cells_of(template / f"{bundle.record.model.family}.ipynb")


def test_a_page_is_one_widget_with_what_its_cells_return() -> None:
    cells = ["import ipywidgets as w", "w.HTML('one')", "2", "w.HTML('three')"]

    async def deed(kernels: PageKernels) -> Any:
        return await opened(kernels, cells)

    _, state = during(deed)
    children = state[PAGE_ID]["state"]["children"]
    shown = [state[c.removeprefix("IPY_MODEL_")]["state"]["value"] for c in children]
    assert shown == ["one", "three"]


def test_a_broken_cell_ends_the_page_in_plain_words() -> None:
    cells = ["import ipywidgets as w", "w.HTML('one')", "1 / 0", "w.HTML('three')"]

    async def deed(kernels: PageKernels) -> Any:
        return await opened(kernels, cells)

    _, state = during(deed)
    text = json.dumps(state)
    assert "kamp-broken" in text
    assert "three" not in text
    assert "ZeroDivisionError" not in text


def test_a_page_is_the_same_with_forked_kernels_and_with_stock_ones(
    bundle: Bundle, request: pytest.FixtureRequest
) -> None:
    async def deed(kernels: PageKernels) -> Any:
        return await opened(kernels, report_of(bundle), folder=str(bundle.path))

    _, stock = during(deed)
    request.getfixturevalue("provisioner")
    _, forked = during(deed)
    let_go()
    assert told(forked, PAGE_ID) == told(stock, PAGE_ID)


def told(state: Any, id_: str) -> Any:
    """A widget and all below it, without the names that chance gave them."""

    def plain(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("IPY_MODEL_"):
            return told(state, value.removeprefix("IPY_MODEL_"))
        if isinstance(value, list):
            return [plain(v) for v in value]
        return value

    model = state[id_]
    values = {name: plain(value) for name, value in model["state"].items()}
    return {"kind": model["model_name"], **values}


def test_no_page_opens_beyond_what_fits() -> None:
    async def deed(kernels: PageKernels) -> int:
        await opened(kernels, ["1"])
        with pytest.raises(web.HTTPError) as refused:
            await opened(kernels, ["1"], who="bob")
        assert len(kernels.readers) == 1
        return refused.value.status_code

    assert during(deed, most=1) == 503


def test_a_page_that_was_left_is_closed() -> None:
    async def deed(kernels: PageKernels) -> tuple[bool, bool]:
        kernel, _ = await opened(kernels, ["1"])
        kernels.notify_connect(kernel)
        await asyncio.sleep(0.1)
        await kernels.close_left()
        while_read = kernel in kernels
        kernels.notify_disconnect(kernel)
        await asyncio.sleep(0.1)
        await kernels.close_left()
        return while_read, kernel in kernels

    assert during(deed, left_s=0.05) == (True, False)


def test_a_kernel_that_ends_at_once_leaves_no_page() -> None:
    async def deed(kernels: PageKernels) -> tuple[Any, Any]:
        kernel, state = await opened(kernels, ["import os; os._exit(3)"])
        assert not kernels.belongs(kernel, "ann")
        with pytest.raises(web.HTTPError):
            await kernels.ready(kernel)
        return state, kernels.readers

    assert during(deed) == (None, {})


def test_a_waiting_kernel_is_the_next_readers() -> None:
    async def deed(kernels: PageKernels) -> tuple[str, str]:
        kernels.keep_spare()
        (waiting,) = [s.kernel_id for s in [kernels._spare] if s is not None]
        kernel, state = await opened(kernels, ["1"])
        assert state is not None
        return waiting, kernel

    waiting, kernel = during(deed, spare=True)
    assert waiting == kernel
