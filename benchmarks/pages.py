"""Decision pages in Chromium beside stock Voilà: first bytes, last widget, memory, cold start.

    python benchmarks/pages.py --rounds 7

The same published notebook of the same run, in Voilà as it comes (own process, stock kernel
and template) and on our page server, both warm; each visit has a new, empty browser. A page
is done when its last block stands and two frames have been drawn. Memory is what fifty open
pages hold alone (USS), server and all. Cold: the hub starts the report server for a reader.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import websocket
from hubs import PASSWORD, PERSON, SLUG, free_port, settle
from measure import Aim, Figure, Session, alternate, options
from playwright.sync_api import Browser, sync_playwright

from kamp_lib.datasets import ingest
from kamp_lib.demo.browser import Browser as Reader
from kamp_lib.demo.hub import demo_hub
from kamp_lib.reports.exporting import find_browser
from kamp_lib.tenancy import tenant_named
from kamp_lib.testbed import simulate
from kamp_lib.workbench import Company

MODEL = "injection-quality"
PROTOCOL = "v1.kernel.websocket.jupyter.org"
MB = 2**20
# Readers come one after the other; who comes sooner waits for a kernel to be forked.
APART_S = 3
WATCH = """
new MutationObserver((_, watch) => {
  if (!document.querySelector(".kamp-end, .kamp-broken")) { return; }
  watch.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    window.done = performance.now();
  }));
}).observe(document, {childList: true, subtree: true});
"""
# Our page server with room for many, which `kamp pages` on a desk has no need of.
SERVER = """
import sys
from pathlib import Path
from traitlets.config import Config
from kamp_lib.reports.server import ReportServer
slug, folder, port = sys.argv[1:]
server = ReportServer(published={slug: Path(folder)}, port=int(port))
server.update_config(Config({"PageKernels": {"most": 100}}))
server.initialize([])
server.start()
"""


def main() -> None:
    parser = options(__doc__, rounds=7)
    parser.add_argument("--viewers", type=int, help="50, or 5 quick")
    chosen = parser.parse_args()
    viewers = chosen.viewers or (5 if chosen.quick else 50)
    packages = ("voila", "ipywidgets", "playwright")
    with (
        Session("pages", chosen, packages=packages) as session,
        tempfile.TemporaryDirectory(prefix="bp-") as place,
    ):
        home = Path(place) / "home"
        report = prepared(home)
        with ours(report) as our_url, stock(report) as stock_url, chromium() as browser:
            painted = alternate(
                {
                    "ours": lambda: page_done(browser, our_url),
                    "stock": lambda: page_done(browser, stock_url),
                },
                chosen.rounds,
                warm_up=2,
            )
            session.add(
                Figure("page: last widget painted", "s", painted["ours"],
                       painted["stock"], aim=Aim("ratio", 1 / 6)),
                Figure("page: last widget painted, alone", "s", painted["ours"],
                       aim=Aim("ours", 1.0)),
            )  # fmt: skip
            first = [first_bytes(our_url) for _ in range(chosen.rounds)]
            aim = Aim("ours", 0.150)
            session.add(Figure("first bytes with the verdict", "s", first, aim=aim))
        with ours(report) as url:
            alone, seconds = memory(url, viewers)
            most = 3 * 1024 * viewers / 50
            name = f"{viewers} open pages: private memory"
            session.add(Figure(name, "MB", [alone], aim=Aim("ours", most)))
            session.add(Figure(f"{viewers} open pages: each ready", "s", seconds))
        cold = [cold_page(home, report.name) for _ in range(min(3, chosen.rounds))]
        aim = Aim("ours", 3.5)
        session.add(Figure("cold report server: whole page", "s", cold, aim=aim))


def prepared(home: Path) -> Path:
    """A company with a published run; the folder of its report."""
    settle(home)
    tenant = tenant_named(SLUG, home=home)
    raw = simulate(MODEL, tenant.workspace / "raw", seed=1, size="fast")
    ingest(tenant, "injection-moulding", raw.files)
    company = Company(tenant)
    company.run(MODEL)
    return company.publish()


@contextmanager
def ours(report: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-c", SERVER, SLUG, str(report.parent), str(port)]
    with serving(command, port):
        yield f"http://127.0.0.1:{port}/report/{SLUG}/{report.name}?lang=ko"


@contextmanager
def stock(report: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "voila", str(report / "report.ipynb")]
    command += ["--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with serving(command, port):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def serving(command: list[str], port: int) -> Iterator[None]:
    """A server for the length of a `with` block, from when it listens."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def chromium() -> Iterator[Browser]:
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        path = shutil.which(find_browser() or "chromium")
        browser = play.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


def page_done(browser: Browser, url: str) -> float:
    """From the request to the last widget, in a browser that has never been there."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(url, wait_until="commit", timeout=120_000)
    page.wait_for_function("() => window.done", timeout=120_000)
    done = float(page.evaluate("() => window.done")) / 1000
    page.goto("about:blank")  # which lets the kernel go
    context.close()
    time.sleep(APART_S)
    return done


def first_bytes(url: str) -> float:
    """From the request to the pieces in which the verdict stands."""
    host, path = re.fullmatch(r"http://([^/]+)(/.*)", url).groups()  # type: ignore[union-attr]
    connection = http.client.HTTPConnection(host, timeout=60)
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    said = b""
    # in the first view, or in the state of the page
    while re.search(rb"class=\W{1,6}banner", said) is None:
        piece = answer.read1(1_000_000)
        if not piece:
            sys.exit("a page holds no verdict")
        said += piece
    taken = time.perf_counter() - began
    answer.read()
    connection.close()
    time.sleep(APART_S)
    return taken


def memory(url: str, viewers: int) -> tuple[float, list[float]]:
    """What a server with so many open pages holds alone, in MB; seconds per page."""
    host = url.split("/")[2]
    server = next(
        c.pid for c in psutil.net_connections("tcp")
        if c.status == "LISTEN" and c.laddr.port == int(host.rpartition(":")[2])
    )  # fmt: skip
    sockets, seconds = [], []
    try:
        for number in range(viewers):
            began = time.perf_counter()
            connection = http.client.HTTPConnection(host, timeout=120)
            connection.request("GET", url.split(host)[1])
            html = connection.getresponse().read().decode()
            seconds.append(time.perf_counter() - began)
            kernel = re.search(r'"kernelId": "([0-9a-f-]+)"', html)[1]  # type: ignore[index]
            there = f"ws://{host}/api/kernels/{kernel}/channels?session_id=v{number}"
            sockets.append(
                websocket.create_connection(there, subprotocols=[PROTOCOL], timeout=60)
            )
            time.sleep(12 if number == 0 else 0.2)
        time.sleep(5)
        top = psutil.Process(server or 0)
        everybody = [top, *top.children(recursive=True)]
        return sum(p.memory_full_info().uss for p in everybody) / MB, seconds
    finally:
        for each in sockets:
            each.close()


def cold_page(home: Path, run: str) -> float:
    """From the click that starts a report server at the hub to the whole page."""
    with demo_hub(home, None) as hub:
        reader = Reader(hub.port)
        reader.sign_in(PERSON, PASSWORD)
        began = time.perf_counter()
        reader.start(SLUG, "report")
        reader.expect(SLUG, f"/user/{SLUG}/report/report/{SLUG}/{run}", 200)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
