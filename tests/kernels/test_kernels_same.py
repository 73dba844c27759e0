"""A forked kernel is a kernel: same outputs, same state, same protocol as the stock one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from kernels.comparison import CELLS, STATE
from kernels.live_kernel import live_kernel
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

pytestmark = pytest.mark.e2e

# What differs between any two kernels: addresses, process and model ids, durations.
VARYING = [
    (re.compile(r"0x[0-9a-f]{6,}"), "0x"),
    (re.compile(r"ipykernel_\d+"), "ipykernel"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "id"),
    (re.compile(r"\b(stock|forked)\b"), "folder"),
    (re.compile(r"\b[\d.]+ ?(ns|µs|us|ms|s)\b"), "time"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+"), "time"),
]


@pytest.mark.usefixtures("kernels")
def test_a_notebook_has_the_same_outputs_as_with_the_stock_kernel(
    tmp_path: Path,
) -> None:
    stock = _execute("python3", tmp_path / "stock")
    # nbclient gives this to a kernel named python3 only
    forked = _execute(
        "kamp", tmp_path / "forked", "--HistoryManager.hist_file=:memory:"
    )
    assert len(stock) == len(forked) == len(CELLS)
    differences = {
        cell: (expected, found)
        for cell, expected, found in zip(CELLS, stock, forked, strict=True)
        if found != expected
    }
    assert differences == {}


@pytest.mark.usefixtures("own_kernels")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_state_of_the_process_is_that_of_a_stock_kernel(
    unbuffered: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    states = []
    for name in ("python3", "kamp"):
        with live_kernel(name) as kernel:
            kernel.said(STATE)
            states.append(kernel.value("state()"))
    assert "without the fork server" not in caplog.text
    stock, forked = states
    assert stock.keys() == forked.keys()
    files = [_counted(state.pop("files")) for state in states]
    assert files[0].keys() == files[1].keys()
    for kind, count in files[0].items():
        # connections come and go
        assert abs(files[1][kind] - count) <= 2, kind
    for topic, expected in stock.items():
        assert forked[topic] == expected, topic


def _counted(names: list[str]) -> dict[str, int]:
    return {name: names.count(name) for name in names}


def _execute(name: str, folder: Path, *arguments: str) -> list[Any]:
    folder.mkdir()
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    config = Config()
    config.KernelManager.transport = "ipc"
    config.KernelManager.connection_file = str(folder / f"{name}.json")
    client = NotebookClient(
        notebook,
        config=config,
        kernel_name=name,
        timeout=120,
        allow_errors=True,
        extra_arguments=list(arguments),
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    nbformat.validate(notebook)
    return [_joined(_plain(cell.outputs)) for cell in notebook.cells]


def _joined(outputs: list[Any]) -> list[Any]:
    """One text for what a stream said in several pieces, which is a matter of timing."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def _plain(found: Any) -> Any:
    if isinstance(found, str):
        for pattern, name in VARYING:
            found = pattern.sub(name, found)
        return found
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_plain(value) for value in found]
    return found
