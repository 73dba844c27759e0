"""A workspace from the click to JupyterLab, beside a stock hub, in Chromium.

    python benchmarks/hub.py --rounds 5

A browser that has signed in asks for its server, once through the hub's API, so that
nothing but the start is measured, and once by the button of the start page (the portal,
the hub's home), with all the pages in between. *Answering*: the hub says that it is
ready, and it has answered a request that came through the proxy. *JupyterLab*: its page
has gone through the sign-in between server and hub, its scripts have run and the splash
screen is gone. What the front end takes by itself, from the page's last byte on, stands
apart. Ours is the hub of `kamp up` with sandbox, filter of system calls, control groups
and forwarder; stock is in `hubs.py`. The browser's cache is warm in both.
"""

from __future__ import annotations

import http.client
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from hubs import SLUG, Visit, our_visit, settle, stock_hub, stock_visit
from measure import Aim, Figure, Session, alternate, options
from playwright.sync_api import Page, sync_playwright

from kamp_lib.demo.hub import demo_hub
from kamp_lib.reports.exporting import find_browser

ANSWERING, PAGE, FRONT_END = "answering", "page", "front end"
USABLE, CLICKED = "usable", "clicked"
FIGURES = {
    ANSWERING: ("start to server answering", Aim("ours", 2.0)),
    PAGE: ("from there to the page's last byte (sign-in)", None),
    FRONT_END: ("the front end's own loading", None),
    USABLE: ("start to usable JupyterLab", None),
    CLICKED: ("the same by the button, with the pages in between", None),
}
LONGEST_MS = 120_000

_ASK = """
const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
const ask = (method, path) => fetch("/hub/api" + path + "?_xsrf=" + encodeURIComponent(xsrf),
  {method, headers: {"X-XSRFToken": xsrf}});
"""
START = f"""async (path) => {{ {_ASK}
  const asked = await ask("POST", path);
  if (![201, 202].includes(asked.status)) throw new Error(await asked.text());
  for (;;) {{
    const said = await (await ask("GET", path + "/progress")).text();
    if (said.includes('"ready": true')) return;
    if (said.includes('"failed": true')) throw new Error(said);
  }}
}}"""
STOP = f"""async (path) => {{ {_ASK}
  await ask("DELETE", path);
  for (;;) {{
    const answer = await ask("GET", path + "/progress");
    if (answer.status !== 200) return;
    await new Promise(done => setTimeout(done, 200));
  }}
}}"""
LOADED = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  return performance.now() - page.responseEnd;
}"""
DOCK = "#jp-main-dock-panel .lm-DockPanel-widget"
READY = f"""() => document.querySelector("{DOCK}")
  && !document.querySelector("#jupyterlab-splash")"""


def main() -> None:
    chosen = options(__doc__, rounds=5).parse_args()
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        Session("hub", chosen, packages=("playwright",)) as session,
        tempfile.TemporaryDirectory() as place,
        sync_playwright() as p,
    ):
        home = Path(place) / "kamp"
        settle(home)
        company = home / "tenants" / SLUG
        chromium = p.chromium.launch(executable_path=find_browser(), args=flags)
        with (
            demo_hub(home, None) as hub,
            stock_hub(Path(place) / "stock", company) as stock,
        ):
            ours, theirs = our_visit(chromium, hub), stock_visit(chromium, stock)
            taken = alternate(
                {"ours": lambda: both(ours), "stock": lambda: both(theirs)},
                chosen.rounds,
                warm_up=1,
            )
        for key, (name, aim) in FIGURES.items():
            times = [
                [sample[key] for sample in taken[way]] for way in ("ours", "stock")
            ]
            session.add(Figure(name, "s", *times, aim=aim))


def both(visit: Visit) -> dict[str, float]:
    return start(visit) | {CLICKED: click(visit)}


def start(visit: Visit) -> dict[str, float]:
    """Start, wait for JupyterLab, stop: the seconds of each part."""
    began = time.perf_counter()
    visit.page.evaluate(START, visit.api)
    ask(visit)
    answering = time.perf_counter()
    lab = visit.page.context.new_page()
    lab.goto(visit.lab)
    agree(lab)
    lab.wait_for_function(READY, timeout=LONGEST_MS, polling=20)
    usable, front_end = time.perf_counter(), lab.evaluate(LOADED) / 1000
    lab.close()
    visit.page.evaluate(STOP, visit.api)
    return {
        ANSWERING: answering - began,
        PAGE: usable - answering - front_end,
        FRONT_END: front_end,
        USABLE: usable - began,
    }


def click(visit: Visit) -> float:
    """Start by the button, wait for JupyterLab in the same tab, stop: the seconds."""
    tab = visit.page.context.new_page()
    tab.goto(visit.home)
    began = time.perf_counter()
    tab.click(visit.button)
    tab.wait_for_url(re.compile(r"/oauth2/authorize|/user/.*/lab"), timeout=LONGEST_MS)
    agree(tab)
    tab.wait_for_selector(DOCK, timeout=LONGEST_MS)
    tab.wait_for_function(READY, timeout=LONGEST_MS, polling=20)
    took = time.perf_counter() - began
    tab.close()
    visit.page.evaluate(STOP, visit.api)
    return took


def agree(tab: Page) -> None:
    """Ours asks whether the company's server may know who comes."""
    if "/oauth2/authorize" in tab.url:
        tab.click("form [type=submit]")


def ask(visit: Visit) -> None:
    """One request through the proxy, as the hub itself tries whether a server is there."""
    connection = http.client.HTTPConnection("127.0.0.1", visit.port, timeout=30)
    connection.request("GET", f"{visit.path}/api", headers={"Host": visit.host})
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        sys.exit(f"the server is ready and answers {status}")


if __name__ == "__main__":
    main()
