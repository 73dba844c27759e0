"""Our own front end and Voilà's: which of them shows a page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from kamp_lib.reports.front_end import FOLDER, KNOWN, SCRIPT, FrontEnd
from kamp_lib.reports.publication import publish
from kamp_lib.tenancy import add_tenant

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUN = "20261121-010203-injection-quality-ab12cd"


def state_of(*widgets: Any) -> Any:
    return ipywidgets.Widget.get_manager_state(widgets=widgets)["state"]


def test_our_script_draws_every_kind_that_it_is_said_to_know() -> None:
    script = (FOLDER / SCRIPT).read_text()
    kinds = script[script.index("const KINDS") : script.index("function draw")]
    assert set(re.findall(r"^    (\w+Model):", kinds, re.MULTILINE)) == KNOWN


def test_a_widget_that_it_does_not_know_is_voilas() -> None:
    front_end = FrontEnd("/", {})
    known = ipywidgets.HTML("x")
    assert front_end.knows(state_of(known, known.layout, known.style))
    assert not front_end.knows(state_of(known, ipywidgets.Checkbox()))


def test_addresses_change_with_what_is_served() -> None:
    front_end = FrontEnd("/user/acme/report/", {})
    for address in (front_end.script, front_end.voila_script):
        assert address.startswith("/user/acme/report/")
        assert front_end.stamp in address


@pytest.fixture(scope="module")
def address(
    bundles: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    page_server: Callable[[Path], Any],
) -> Iterator[str]:
    """A report with a widget that only Voilà's front end knows."""
    home = tmp_path_factory.mktemp("front")
    company = add_tenant("hanbit", "한빛", "Hanbit", home=home)
    bundles(company.runs / RUN)
    report = publish(company, RUN) / "report.ipynb"
    notebook = json.loads(report.read_text(encoding="utf-8"))
    source = "import ipywidgets\nipywidgets.Checkbox(description='by-voila')"
    other = {**notebook["cells"][0], "id": "other", "source": source}
    notebook["cells"].insert(1, other)
    report.write_text(json.dumps(notebook), encoding="utf-8")
    with page_server(home) as server:
        yield f"{server.url}/report/hanbit/{RUN}"


@pytest.mark.e2e
def test_a_page_with_another_widget_is_shown_by_voilas_front_end(
    browser: Browser, address: str
) -> None:
    page = browser.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.goto(address)
    page.wait_for_selector("body.kamp-ready", state="attached", timeout=60_000)
    page.get_by_text("by-voila").wait_for(timeout=20_000)
    assert page.locator(".tiles").first.is_visible()
    page.goto("about:blank")
    page.close()


@pytest.mark.e2e
def test_an_open_page_that_lost_its_channel_finds_it_again(
    browser: Browser, served: Any
) -> None:
    page = browser.new_page()
    page.add_init_script(
        "const Real = WebSocket; window.all = [];"
        "window.WebSocket = function (...given) {"
        " const made = new Real(...given); window.all.push(made); return made; };"
    )
    page.goto(served.address("hanbit", RUN))
    page.wait_for_selector("body.kamp-ready", state="attached", timeout=60_000)
    page.wait_for_function("() => window.all.length && window.all[0].readyState === 1")
    page.evaluate("() => window.all[0].close()")
    page.wait_for_function(
        "() => window.all.length > 1 && window.all[1].readyState === 1"
    )
    before = page.locator(".amount").inner_text()
    box = page.locator(".kamp-input input[type=number]").nth(1)
    box.fill("9000")
    box.press("Enter")
    page.wait_for_function(
        "before => document.querySelector('.amount').innerText !== before", arg=before
    )
    page.goto("about:blank")
    page.close()
