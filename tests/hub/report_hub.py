"""A hub with real report servers: two companies, their published pages, their readers."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from hub.live_hub import LiveHub, Visitor, free_port, wait_until_it_answers
from reports.conftest import make_bundle
from reports.page_socket import PageSocket

from kamp_lib.reports.publication import publish
from kamp_lib.tenancy import tenant_named

CONFIG = Path(__file__).parent / "report_hub_config.py"
RUN = "20261121-010203-injection-quality-ab12cd"
OLDER = "20261120-010203-injection-quality-ab12cd"
UNPUBLISHED = "20261122-010203-injection-quality-ab12cd"
COMPANIES = ("acme", "bolt")


def furnish(home: Path) -> None:
    """Two released pages and one more run in each company."""
    for slug in COMPANIES:
        for run in (OLDER, RUN, UNPUBLISHED):
            lay_down(home, slug, run)
        for run in (OLDER, RUN):
            publish(tenant_named(slug, home=home), run, by="ann")


def lay_down(home: Path, slug: str, run: str) -> Path:
    """The bundle of a finished run, as a workspace leaves it."""
    folder = home / "tenants" / slug / "runs" / run
    shutil.copytree(_made(), folder)
    record = json.loads((folder / "run.json").read_text())
    record |= {"run": run, "tenant": slug, "person": "ann"}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


@cache
def _made() -> Path:
    """A bundle, made once: drawing it takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="kamp-bundle-")) / RUN
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    make_bundle(folder, "quality-classification")
    return folder


@contextmanager
def running_report_hub(home: Path) -> Iterator[LiveHub]:
    """Start it on a free port of loopback; end it with all that it started."""
    port = free_port()
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("KAMP_")},
        "KAMP_HOME": str(home),
        "KAMP_HUB_URL": f"http://kamp.localhost:{port}",
        "KAMP_UNSAFE_NO_WALLS": "1",
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
    with (home / "hub.log").open("ab") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=env, cwd=home, start_new_session=True
        )
    hub = LiveHub(home, port, process)
    try:
        wait_until_it_answers(hub)
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def address(hub: LiveHub, slug: str, path: str = "") -> str:
    """An address of a company's report server."""
    return f"{hub.of(slug)}/user/{slug}/report/{path}"


def page_address(hub: LiveHub, slug: str, run: str = RUN) -> str:
    return address(hub, slug, f"report/{slug}/{run}")


def reader(hub: LiveHub, name: str, slug: str = "acme") -> Visitor:
    """Somebody who has signed in to the report server of a company."""
    visitor = hub.visitor(name)
    visitor.start(slug, "report")
    answer = visitor.open(address(hub, slug))
    assert answer.status_code == 200, answer.text[:2000]
    return visitor


def open_page(visitor: Visitor, slug: str = "acme", run: str = RUN) -> str:
    """Open a page; returns the id of the kernel behind it."""
    answer = visitor.get(page_address(visitor.hub, slug, run))
    assert answer.status_code == 200, answer.text[:2000]
    return kernel_of(answer.text)


def kernel_of(html: str) -> str:
    """The id of the kernel that a page names."""
    found = re.search(r'"kernelId": "([0-9a-f-]+)"', html)
    assert found, html[-2000:]
    return found[1]


def channel_of(
    visitor: Visitor, kernel: str, slug: str = "acme", **options: Any
) -> PageSocket:
    """The channel to a page's kernel, with the visitor's cookies unless told otherwise."""
    hub = visitor.hub
    path = f"/user/{slug}/report/api/kernels/{kernel}/channels"
    host = urlsplit(hub.of(slug)).netloc
    cookies = cookies_for(visitor, hub.of(slug) + path)
    options = {"host": host, "origin": hub.of(slug), "cookie": cookies} | options
    return PageSocket(f"ws://127.0.0.1:{hub.port}{path}", **options)


def cookies_for(visitor: Visitor, url: str) -> str:
    """The cookies that a browser would send to this address."""
    asked = requests.Request("GET", url).prepare()
    return requests.cookies.get_cookie_header(visitor.session.cookies, asked) or ""


def given(hub: LiveHub, slug: str, server: str) -> dict[str, str]:
    """The environment that the hub gave a server that runs."""
    return json.loads((hub.home / "given" / f"{slug}-{server}.json").read_text())
