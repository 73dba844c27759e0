"""What walls cost at the start of a workspace, and how many people one machine carries.

    python benchmarks/hub.py start              # beside a stock hub, alternating
    python benchmarks/hub.py crowd --people 20  # workspaces and viewers at once

Start: a real browser clicks, and JupyterLab has loaded. Stock is JupyterHub's own
SimpleLocalProcessSpawner with `jupyterhub-singleuser` and the same extensions; ours is
the hub of `kamp up` with sandbox, filter of system calls, control groups and forwarder.
Crowd: so many workspaces and so many open report pages (each with a live kernel) at once;
memory is what the processes hold alone and share fairly (PSS).
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright

from kamp_lib.demo.browser import Browser
from kamp_lib.demo.hub import DemoHub, demo_hub
from kamp_lib.reports.exporting import find_browser
from kamp_lib.settings import settings
from kamp_lib.tenancy import Role, open_registry

ROUNDS = 5
SLUG, PERSON = "acme", "ann"
PASSWORD = "spindle-and-chuck-7"  # noqa: S105 - of this benchmark
STOCK = """
from kamp_lib.workspace import lab_arguments, lab_environment
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/secret"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.cleanup_servers = True
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", *lab_arguments("ko")]
c.Spawner.environment = {{"KAMP_TENANT_HOME": {tenant!r}, **lab_environment("ko")}}
c.Spawner.http_timeout = 90
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["start", "crowd"])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--demo", type=Path, default=Path(".kamp-demo"))
    options = parser.parse_args()
    if options.what == "start":
        start(options.rounds)
    else:
        crowd(options.demo.resolve(), options.people)


def start(rounds: int) -> None:
    """Seconds from the click to a loaded JupyterLab, ours beside stock."""
    with tempfile.TemporaryDirectory() as place, sync_playwright() as p:
        home = Path(place) / "kamp"
        home.mkdir()
        settle(home, 1)
        chromium = p.chromium.launch(executable_path=find_browser(), args=_flags())
        stock_place = Path(place) / "stock"
        stock_place.mkdir()
        with demo_hub(home, None) as hub, stock_hub(stock_place, home) as stock:
            pages = our_page(chromium, hub), stock_page(chromium, stock)
            seconds: tuple[list[float], list[float]] = ([], [])
            for number in range(rounds + 1):
                for kind, (page, address) in enumerate(pages):
                    took = one_start(page, address)
                    if number:  # the first fills the browser's cache
                        seconds[kind].append(took)
        ours, stocks = seconds
        ratios = [a / b for a, b in zip(ours, stocks, strict=True)]
        print("| start of a workspace | median, s | min–max |")
        print("|---|---|---|")
        for name, values in (("stock", stocks), ("behind walls", ours)):
            middle = statistics.median(values)
            print(f"| {name} | {middle:.2f} | {min(values):.2f}–{max(values):.2f} |")
        print(
            f"| ratio | {statistics.median(ratios):.2f} |"
            f" {min(ratios):.2f}–{max(ratios):.2f} |"
        )


def one_start(page: Page, address: str) -> float:
    """Start, wait for JupyterLab, stop."""
    began = time.perf_counter()
    status = page.evaluate(_CALL, ["POST", address.split("|")[1]])
    if status not in (201, 202):
        sys.exit(f"the server does not start: {status}")
    page.evaluate(_READY, address.split("|")[1])
    lab = page.context.new_page()
    lab.goto(address.split("|")[0])
    if "/oauth2/authorize" in lab.url:
        lab.click("form [type=submit]")
    lab.wait_for_selector("#jp-main-dock-panel", timeout=90_000)
    took = time.perf_counter() - began
    lab.close()
    page.evaluate(_CALL, ["DELETE", address.split("|")[1]])
    page.evaluate(_GONE, address.split("|")[1])
    return took


_HEAD = """
const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
const ask = (method, path) => fetch("/hub/api" + path + "?_xsrf=" + encodeURIComponent(xsrf),
  {method, headers: {"X-XSRFToken": xsrf}});
"""
_CALL = (
    f"async ([method, path]) => {{ {_HEAD} return (await ask(method, path)).status; }}"
)
_READY = f"""async (path) => {{ {_HEAD}
  for (;;) {{
    const said = await (await ask("GET", path + "/progress")).text();
    if (said.includes('"ready": true')) return;
    if (said.includes('"failed": true')) throw new Error(said);
  }}
}}"""
_GONE = f"""async (path) => {{ {_HEAD}
  for (;;) {{
    const answer = await ask("GET", path + "/progress");
    if (answer.status !== 200) return;
    await new Promise(done => setTimeout(done, 200));
  }}
}}"""


def our_page(chromium: Chromium, hub: DemoHub) -> tuple[Page, str]:
    page = chromium.new_context().new_page()
    page.goto(f"{hub.url}hub/login")
    page.fill("input[name=username]", PERSON)
    page.fill("input[name=password]", PASSWORD)
    page.click("form [type=submit]")
    page.wait_for_url("**/services/portal/**")
    page.goto(f"{hub.url}hub/password")  # any page of the hub's own origin
    lab = f"http://{SLUG}.kamp.localhost:{hub.port}/user/{SLUG}/{PERSON}/lab"
    return page, f"{lab}|/users/{SLUG}/servers/{PERSON}"


def stock_page(chromium: Chromium, port: int) -> tuple[Page, str]:
    page = chromium.new_context().new_page()
    page.goto(f"http://127.0.0.1:{port}/hub/login?next=/hub/home")
    page.fill("input[name=username]", PERSON)
    page.fill("input[name=password]", "x")
    page.click("form [type=submit]")
    page.wait_for_url("**/hub/home")
    lab = f"http://127.0.0.1:{port}/user/{PERSON}/lab"
    return page, f"{lab}|/users/{PERSON}/server"


@contextmanager
def stock_hub(folder: Path, home: Path) -> Iterator[int]:
    """JupyterHub as it comes, with the same JupyterLab."""
    from kamp_lib.hub.config import proxy_command

    port, hub, api = (_free_port() for _ in range(3))
    text = STOCK.format(
        port=port,
        hub=hub,
        api=api,
        folder=folder,
        python=sys.executable,
        proxy=proxy_command(),
        tenant=str(home / "tenants" / SLUG),
    )
    (folder / "config.py").write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(folder / "config.py")],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        time.sleep(3)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def settle(home: Path, people: int) -> list[str]:
    """One company with so many analysts; returns their names."""
    os.environ["KAMP_HOME"] = str(home)
    registry = open_registry(home=home)
    if SLUG not in {sme.slug for sme in registry.smes()}:
        registry.add_sme(
            SLUG, "하늘몰드", equipment=("injection-moulding",), plan="large"
        )
    names = [PERSON if n == 0 else f"{PERSON}{n}" for n in range(people)]
    for name in names:
        first = registry.add_person(name, name)
        registry.change_password(name, first, PASSWORD)
        registry.assign(name, SLUG, Role.ANALYST)
    return names


def crowd(demo: Path, people: int) -> None:
    """So many workspaces and so many open reports at once, over the companies of a demo."""
    os.environ["KAMP_HOME"] = str(demo)
    registry = open_registry(home=demo)
    slugs = [sme.slug for sme in registry.smes()]
    there = {person.name for person in registry.people()}
    visits: list[tuple[str, str]] = []
    for number in range(people):
        name, slug = f"crowd{number}", slugs[number % len(slugs)]
        if name not in there:
            registry.add_person(name, name)
        first = registry.reset_password(name)
        registry.change_password(name, first, PASSWORD)
        registry.assign(name, slug, Role.ANALYST)
        visits.append((name, slug))
    with demo_hub(demo, None) as hub, ThreadPoolExecutor(people) as pool:
        began = time.perf_counter()
        visitors = list(pool.map(lambda visit: workspace(hub, *visit), visits))
        print(f"{people} workspaces served in {time.perf_counter() - began:.0f} s")
        time.sleep(5)
        idle = sum(pss(pid) for pid in below(hub.process.pid, "jupyterhub.singleuser"))
        print(f"memory per idle workspace: {idle / people / 1024:.0f} MB")
        before = everything(hub.process.pid)
        began = time.perf_counter()
        pages = list(pool.map(report, visitors, [slug for _, slug in visits]))
        print(
            f"{len(pages)} report pages served in {time.perf_counter() - began:.0f} s"
        )
        after = everything(hub.process.pid)
        print(f"memory per viewer: {(after - before) / people / 1024:.0f} MB")
        alive = [
            v
            for v, (name, slug) in zip(visitors, visits, strict=True)
            if "lab" in v.expect(slug, f"/user/{slug}/{name}/lab", 200).lower()
        ]
        print(f"workspaces that still answer: {len(alive)} of {people}")
        print(f"all processes of the platform together: {after / 2**20:.1f} GB")


def workspace(hub: DemoHub, name: str, slug: str) -> Browser:
    browser = Browser(hub.port)
    browser.sign_in(name, PASSWORD)
    browser.start(slug, name)
    browser.expect(slug, f"/user/{slug}/{name}/lab", 200)
    return browser


def report(browser: Browser, slug: str) -> str:
    """Open the first published page; its kernel lives until nobody looks."""
    browser.start(slug, "report")
    root = settings().home / "tenants" / slug / "published"
    run = sorted(path.name for path in root.iterdir() if path.name[0].isdigit())[-1]
    return browser.expect(slug, f"/user/{slug}/report/report/{slug}/{run}", 200)


def below(pid: int, word: str = "") -> list[int]:
    """All processes that descend from one, whose command holds a word."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended
            parents[int(folder.name)] = int(stat[1]), command
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        children = [p for p, (above, _) in parents.items() if above == parent]
        queue += children
        found += [p for p in children if word in parents[p][1]]
    return found


def pss(pid: int) -> int:
    """Proportional share of memory, in kB."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0


def everything(pid: int) -> int:
    return sum(pss(p) for p in [pid, *below(pid)])


def _flags() -> list[str]:
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
