"""A runtime folder with kernelspecs of our own, and fork servers that end with the test."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels.live_kernel import LIGHT, write_spec

from kamp_lib.kernels import client, jupyter_path

if not sys.platform.startswith("linux"):
    collect_ignore_glob = ["test_*"]


@pytest.fixture(scope="session")
def shared_runtime() -> Iterator[Path]:
    """A runtime folder for all tests that leave their fork server in good health."""
    with tempfile.TemporaryDirectory(prefix="kk-") as folder:
        yield Path(folder)


@pytest.fixture
def _specs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_runtime: Path
) -> None:
    write_spec(tmp_path / "jupyter", "light", imports=LIGHT)
    path = f"{tmp_path / 'jupyter'}:{jupyter_path()}"
    monkeypatch.setenv("JUPYTER_PATH", path)
    monkeypatch.setenv("IPYTHONDIR", str(shared_runtime / "ipython"))
    monkeypatch.delenv("MPLBACKEND", raising=False)


@pytest.fixture
def kernels(
    _specs: None, monkeypatch: pytest.MonkeyPatch, shared_runtime: Path
) -> Path:
    """Kernels `kamp` and `light` with a fork server that other tests use too."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(shared_runtime))
    return shared_runtime / "kamp-kernels"


@pytest.fixture
def own_kernels(_specs: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same with a fork server of the test's own, which it may spoil."""
    folder = Path(tempfile.mkdtemp(prefix="kk-"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    yield folder / "kamp-kernels"
    client.let_go()
    shutil.rmtree(folder, ignore_errors=True)
