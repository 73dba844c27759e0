"""How many people one machine carries: workspaces and open report pages at once.

    python benchmarks/crowd.py --people 20

Over the companies of the demo (made for it, small, unless `--demo` names one): so many
analysts ask for their workspaces in the same moment, then as many managers open a report,
each with a live kernel. Memory is what processes hold alone and share fairly (PSS).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from hubs import PASSWORD
from measure import Figure, Session, options

from kamp_lib.demo import build_demo
from kamp_lib.demo.browser import Browser
from kamp_lib.demo.hub import DemoHub, demo_hub
from kamp_lib.settings import settings
from kamp_lib.tenancy import Role, open_registry

Person = tuple[str, str]  # name, company
WORKSPACE = "kamp_lib.workspace.server"
MB = 2**20


def main() -> None:
    parser = options(__doc__, rounds=1, quick_rounds=1)
    parser.add_argument("--people", type=int, help="20, or 4 quick")
    parser.add_argument("--demo", type=Path, help="a demo's folder; made when absent")
    chosen = parser.parse_args()
    people = chosen.people or (4 if chosen.quick else 20)
    with Session("crowd", chosen) as session, tempfile.TemporaryDirectory() as place:
        home = (chosen.demo or Path(place) / "demo").resolve()
        os.environ["KAMP_HOME"] = str(home)
        if chosen.demo is None:
            build_demo(home, size="fast")
        found: dict[str, list[float]] = {}
        for _ in range(chosen.rounds):
            for name, value in crowd(home, people).items():
                found.setdefault(name, []).append(value)
        for name, values in found.items():
            figure, unit = name.rsplit(", ", 1)
            session.add(Figure(figure, unit, values))


def crowd(home: Path, people: int) -> dict[str, float]:
    """Everybody comes, and is served."""
    visits = invited(home, people)
    with demo_hub(home, None) as hub, ThreadPoolExecutor(people) as pool:
        began = time.perf_counter()
        visitors = list(pool.map(lambda visit: workspace(hub, *visit), visits))
        served = time.perf_counter() - began
        time.sleep(5)
        idle = sum(pss(p) for p in platform(hub) if WORKSPACE in words(p))
        before = sum(map(pss, platform(hub)))
        began = time.perf_counter()
        list(pool.map(report, visitors, [slug for _, slug in visits]))
        read = time.perf_counter() - began
        after = sum(map(pss, platform(hub)))
        for visitor, (name, slug) in zip(visitors, visits, strict=True):
            page = visitor.expect(slug, f"/user/{slug}/{name}/lab", 200)
            if "lab" not in page.lower():
                sys.exit(f"the workspace of {name} no longer answers")
    return {
        f"{people} workspaces at once served, s": served,
        f"{people} report pages at once served, s": read,
        "memory per idle workspace, MB": idle / people,
        "memory per viewer with a share of the report servers, MB": (after - before)
        / people,
        "the whole platform with all of them, MB": after,
    }


def invited(home: Path, people: int) -> list[Person]:
    """Analysts, spread over the companies, with a password each."""
    registry = open_registry(home=home)
    registry.adopt()  # companies whose folders are there
    slugs = [sme.slug for sme in registry.smes()]
    known = {person.name for person in registry.people()}
    visits: list[Person] = []
    for number in range(people):
        name, slug = f"crowd{number}", slugs[number % len(slugs)]
        if name not in known:
            registry.add_person(name, name)
        first = registry.reset_password(name)
        registry.change_password(name, first, PASSWORD)
        registry.assign(name, slug, Role.ANALYST)
        visits.append((name, slug))
    return visits


def workspace(hub: DemoHub, name: str, slug: str) -> Browser:
    browser = Browser(hub.port)
    browser.sign_in(name, PASSWORD)
    browser.start(slug, name)
    browser.expect(slug, f"/user/{slug}/{name}/lab", 200)
    return browser


def report(browser: Browser, slug: str) -> str:
    """Open the newest published page; its kernel lives until nobody looks."""
    browser.start(slug, "report")
    root = settings().home / "tenants" / slug / "published"
    run = sorted(path.name for path in root.iterdir() if path.name[0].isdigit())[-1]
    return browser.expect(slug, f"/user/{slug}/report/report/{slug}/{run}", 200)


def platform(hub: DemoHub) -> list[psutil.Process]:
    """The hub and everything that descends from it."""
    top = psutil.Process(hub.process.pid)
    return [top, *top.children(recursive=True)]


def words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def pss(process: psutil.Process) -> float:
    """Proportional share of memory, in MB; of one that has ended, none."""
    try:
        return float(process.memory_full_info().pss) / MB
    except psutil.NoSuchProcess:
        return 0.0


if __name__ == "__main__":
    main()
