"""A hub whose portal, pages and rights are the platform's, and whose servers are stubs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from hub.live_hub import LiveHub, Visitor, free_port, wait_until_it_answers, xsrf_of

CONFIG = Path(__file__).parent / "portal_hub_config.py"
PORTAL = "/services/portal/"


@contextmanager
def running_portal_hub(home: Path) -> Iterator[LiveHub]:
    """Start it on a free port of loopback; end it with all that it started."""
    port = free_port()
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("KAMP_")},
        "KAMP_HOME": str(home),
        "KAMP_HUB_URL": f"http://kamp.localhost:{port}",
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


def origin(hub: LiveHub) -> str:
    """Where the portal lives."""
    return f"http://portal--service.kamp.localhost:{hub.port}"


_known: dict[tuple[Path, str], Visitor] = {}


def known(hub: LiveHub, name: str) -> Visitor:
    """Somebody who has signed in already: for tests that change nothing about them."""
    key = (hub.home, name)
    if key not in _known:
        _known[key] = hub.visitor(name)
    return _known[key]


def page(visitor: Visitor, path: str = "", **options: Any) -> requests.Response:
    """A page of the portal, signing in to it on the way."""
    return visitor.get(origin(visitor.hub) + PORTAL + path, **options)


def press(
    visitor: Visitor, action: str, headers: dict[str, str] | None = None, **form: str
) -> requests.Response:
    """Press one of the portal's buttons, as its form would, without following it."""
    form = {"_xsrf": own_xsrf(visitor), **form} if "_xsrf" not in form else form
    return visitor.post(
        f"{origin(visitor.hub)}{PORTAL}{action}",
        data=form,
        headers=headers or {"Sec-Fetch-Site": "same-origin"},
        allow_redirects=False,
    )


def own_xsrf(visitor: Visitor) -> str:
    """The visitor's own form token, also where no form is shown to them."""
    shown = page(visitor).text
    if 'name="_xsrf"' in shown:
        return xsrf_of(shown)
    return next(
        c.value or ""
        for c in visitor.session.cookies
        if c.name == "_xsrf" and c.path == PORTAL
    )


def release(home: Path, slug: str, run: str, **changes: Any) -> Path:
    """A published report as the platform leaves it, as far as the portal reads it."""
    folder = home / "tenants" / slug / "published" / run
    folder.mkdir(parents=True)
    record: dict[str, Any] = {
        "run": run,
        "status": "succeeded",
        "tenant": slug,
        "model": {"name": {"ko": "사출 품질 예측", "en": "Injection quality"}},
        "dataset": {"simulated": True},
        "verdict": {
            "value": "usable",
            "sentence": {
                "ko": "불량 10개 중 8개를 미리 찾습니다.",
                "en": "It finds 8 of 10 defects beforehand.",
            },
        },
        "finished": "2026-11-20T01:02:03Z",
    }
    (folder / "run.json").write_text(json.dumps(record | changes), encoding="utf-8")
    return folder


def withdraw(folder: Path) -> None:
    """Take a report away again."""
    shutil.rmtree(folder)
