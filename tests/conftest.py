"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from in_process import Kamp, command

from kamp_lib.tenancy import Tenant, add_tenant

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"

# a busy machine fails no property; in CI Hypothesis chooses the same examples every time
hypothesis.settings.register_profile("unhurried", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_configure() -> None:
    """Ctrl-C is heard by what the tests start, also where they run in the background.

    A shell has what it starts with `&` ignore it, and every process hands that on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of long tests first: at the end no worker waits for another's last one."""
    long = {item.path for item in items if item.get_closest_marker("e2e")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture
def kamp(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kamp:
    """Run `kamp` with these arguments in this process, in English."""
    return command(monkeypatch, capsys)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Tests see no KAMP_* of the machine and write to no KAMP_HOME but their own."""
    for name in [n for n in os.environ if n.startswith("KAMP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / "kamp"))


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    """An empty company."""
    return add_tenant("haneul-mold", "하늘몰드", "Haneul Mold", home=tmp_path / "kamp")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real factory files, which may not be redistributed."""
    if not REAL_DATA.is_dir():
        pytest.skip("real data (../shared/data) is not on this machine")
    return REAL_DATA


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; in CI it has to be there.

    Playwright keeps an event loop running as long as it lives, and no test beside it
    could start its own: hence not for the session.
    """
    from kamp_lib.reports.exporting import find_browser

    path = find_browser()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing; CI must have it")
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        # Chromium has no sandbox for root
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = p.chromium.launch(executable_path=shutil.which(path), args=flags)
        yield browser
        browser.close()


@dataclass(frozen=True)
class PageServer:
    """`kamp pages` in a process of its own."""

    url: str
    pid: int


@pytest.fixture(scope="session")
def page_server() -> Callable[[Path], AbstractContextManager[PageServer]]:
    """Serve the published pages of a KAMP_HOME for the length of a `with` block."""
    return _serving


@contextmanager
def _serving(home: Path) -> Iterator[PageServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "kamp_lib.cli", "pages", "--port", str(port)]
    environment = {**os.environ, "KAMP_HOME": str(home)}
    log = home / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_it_answers(url, process, log)
            yield PageServer(url, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(
    url: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the page server did not start: {log.read_text()[-2000:]}")
