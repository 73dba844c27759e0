"""Readers of a report server: who gets in, what there is, and nothing else."""

from __future__ import annotations

import http.client
import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from hub.live_hub import LiveHub, Visitor
from hub.report_hub import (
    OLDER,
    RUN,
    UNPUBLISHED,
    address,
    cookies_for,
    given,
    open_page,
    page_address,
    reader,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def mina(report_hub: LiveHub) -> Visitor:
    """The manager of acme, signed in to its reports."""
    return reader(report_hub, "mina")


# -- what a reader finds ------------------------------------------------------------


def test_a_manager_finds_the_reports_of_the_company(
    report_hub: LiveHub, mina: Visitor
) -> None:
    html = mina.get(address(report_hub, "acme")).text
    current, _, earlier = html.partition("이전 보고서 1개")
    assert RUN in current
    assert OLDER in earlier
    assert "게시: ann" in html
    assert UNPUBLISHED not in html


def test_a_company_without_reports_is_told_how_they_appear(
    report_hub: LiveHub, mina: Visitor
) -> None:
    published = report_hub.home / "tenants" / "acme" / "published"
    aside = published.with_name("published-aside")
    published.rename(aside)
    try:
        assert "아직 없습니다" in mina.get(address(report_hub, "acme")).text
    finally:
        aside.rename(published)


def test_a_page_opens_with_its_first_view_and_without_code(
    report_hub: LiveHub, mina: Visitor
) -> None:
    html = mina.get(page_address(report_hub, "acme")).text
    assert "kamp-first" in html
    for code in ("reports.page(", "from kamp_lib", "import "):
        assert code not in html
    assert not re.findall(r"""(?:src|href)=["']https?://""", html)


def test_every_address_of_a_page_lies_below_the_server(
    report_hub: LiveHub, mina: Visitor
) -> None:
    html = mina.get(page_address(report_hub, "acme")).text
    prefix = "/user/acme/report/"
    found = set(re.findall(r"""url\(["']?(/[^)"']+)|src=["'](/[^"']+)""", html))
    addresses = {a or b for a, b in found}
    assert addresses
    assert all(a.startswith(prefix) for a in addresses)
    for font in [a for a in addresses if a.endswith(".woff")]:
        assert mina.get(report_hub.of("acme") + font).status_code == 200


def test_who_opened_which_page_stands_in_the_log(
    report_hub: LiveHub, mina: Visitor
) -> None:
    open_page(mina, run=OLDER)
    lines = [line for line in report_hub.log.splitlines() if '"report-view"' in line]
    seen = json.loads(lines[-1][lines[-1].index("{") :])
    assert (seen["person"], seen["tenant"], seen["run"]) == ("mina", "acme", OLDER)


# -- who gets in --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bora", "nobody", "olga"])
def test_nobody_else_reads_the_reports_of_a_company(
    report_hub: LiveHub, mina: Visitor, name: str
) -> None:
    stranger = report_hub.visitor(name)
    answer = stranger.open(page_address(report_hub, "acme"))
    assert answer.status_code in (403, 404)
    assert "kamp-first" not in answer.text
    assert "kernelId" not in answer.text


def test_whoever_is_not_signed_in_is_sent_to_the_hub(
    report_hub: LiveHub, mina: Visitor
) -> None:
    for url in (address(report_hub, "acme"), page_address(report_hub, "acme")):
        answer = report_hub.visitor().get(url, allow_redirects=False)
        assert answer.status_code == 302
        where = urlsplit(answer.headers["Location"])
        assert where.netloc == f"kamp.localhost:{report_hub.port}"
        assert where.path == "/hub/api/oauth2/authorize"
        assert "code_challenge" in where.query


def test_a_cookie_of_one_company_opens_nothing_of_another(
    report_hub: LiveHub, mina: Visitor
) -> None:
    carl = reader(report_hub, "carl", "bolt")
    # carl may read both, but was let in to bolt only: a cookie carried across is no key
    cookie = cookies_for(carl, address(report_hub, "bolt"))
    renamed = cookie.replace("kamp-server.bolt.", "kamp-server.acme.")
    assert renamed != cookie
    for stolen in (cookie, renamed):
        answer = requests.get(
            page_address(report_hub, "acme"),
            headers={"Cookie": stolen},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code == 302
        assert "kernelId" not in answer.text


def test_a_token_in_an_address_is_worth_nothing(
    report_hub: LiveHub, mina: Visitor
) -> None:
    token = given(report_hub, "acme", "report")["JUPYTERHUB_API_TOKEN"]
    url = page_address(report_hub, "acme")
    for mode in ({}, {"Sec-Fetch-Mode": "websocket"}):
        answer = requests.get(
            url,
            params={"token": token},
            headers=mode,
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code in (302, 403)
        assert "kernelId" not in answer.text


# -- what there is not --------------------------------------------------------------

CLOSED = [
    "api/kernels",
    "api/kernelspecs",
    "api/contents",
    "api/contents/published",
    "api/sessions",
    "api/terminals",
    "api/config/notebook",
    "api/me",
    "api/nbconvert",
    "files/published/run.json",
    "lab",
    "tree",
    "view/x",
    "edit/x",
    "nbconvert/html/report.ipynb",
    "terminals/websocket/1",
    "lsp",
    "login",
    "voila/tree",
    f"voila/render/{RUN}/report.ipynb",
    f"voila/files/{RUN}/run.json",
    f"voila/files/{RUN}/figures/tradeoff.ko.svg",
    "voila/api/contents",
    "voila/templates/base/static/voila.js",
    "voila/query/a-b-c-d-e",
    "voila/execution/a-b-c-d-e",
    f"report/acme/{UNPUBLISHED}",
    f"report/bolt/{RUN}",
    f"report/acme/{RUN}/run.json",
    "report/acme/..%2F..%2Fruns%2F" + RUN,
    "report/acme/%2e%2e",
    "report/..%2Facme/" + RUN,
    "kamp/fonts/..%2F__init__.py",
]


@pytest.mark.parametrize("path", CLOSED)
def test_there_is_no_other_address(
    report_hub: LiveHub, mina: Visitor, path: str
) -> None:
    answer = mina.get(address(report_hub, "acme", path), allow_redirects=False)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "path", ["", "api/kernels", "api/contents/x.ipynb", "api/sessions", "api/terminals"]
)
def test_nothing_can_be_made_or_removed(
    report_hub: LiveHub, mina: Visitor, method: str, path: str
) -> None:
    url = address(report_hub, "acme", path)
    xsrf = next(
        c.value
        for c in mina.session.cookies
        if c.name == "_xsrf" and c.path == "/user/acme/report/"
    )
    answer = mina.session.request(
        method, url, headers={"X-XSRFToken": xsrf}, json={}, timeout=30
    )
    assert answer.status_code in (403, 404, 405)


@pytest.mark.parametrize(
    "path",
    [
        "voila/static/../..",
        "voila/static/..%2f..%2f..%2fetc%2fpasswd",
        "voila/static/%00",
        "voila/static/",
        "voila/static/nothing.js",
        "voila/labextensions/..%2f..%2fetc/passwd",
        "voila/labextensions/%00",
        "voila/labextensions/",
        "static/../..",
        "kamp/fonts/%00.woff",
        "%ff",
        "%c0%ae%c0%ae/",
    ],
)
def test_odd_addresses_are_simply_not_there(
    report_hub: LiveHub, mina: Visitor, path: str
) -> None:
    url = address(report_hub, "acme", path)
    own = urlsplit(given(report_hub, "acme", "report")["JUPYTERHUB_SERVICE_URL"])
    # as written, and to the server itself: clients and proxies would tidy the path up
    connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=30)
    connection.putrequest("GET", urlsplit(url).path, skip_host=True)
    connection.putheader("Host", urlsplit(url).netloc)
    connection.putheader("Cookie", cookies_for(mina, url))
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    assert answer.status == 404
    assert "root:" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "path",
    [
        "login?next=https://evil.example/",
        "logout?next=https://evil.example/",
        "oauth_callback?next=https://evil.example/",
        "oauth_callback?code=x&state=eyJuZXh0X3VybCI6Imh0dHBzOi8vZXZpbC5leGFtcGxlIn0",
        "?next=//evil.example",
        "/evil.example/%2f..",
        "//evil.example",
    ],
)
def test_no_address_sends_a_reader_to_another_site(
    report_hub: LiveHub, mina: Visitor, path: str
) -> None:
    for visitor in (mina, report_hub.visitor()):
        url = address(report_hub, "acme") + path
        session = requests.Session()
        answer = session.get(
            url,
            headers={"Cookie": cookies_for(visitor, url)},
            allow_redirects=False,
            timeout=30,
        )
        where = urlsplit(answer.headers.get("Location", ""))
        assert where.hostname in (None, "kamp.localhost", "acme.kamp.localhost")


# -- what the answers say -----------------------------------------------------------


def test_nothing_outside_may_frame_or_read_a_page(
    report_hub: LiveHub, mina: Visitor
) -> None:
    for url in (address(report_hub, "acme"), page_address(report_hub, "acme")):
        headers = mina.get(url, headers={"Origin": "https://evil.example"}).headers
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].split(";")[0]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers
        assert "no-store" in headers["Cache-Control"]
        assert headers["X-JupyterHub-Version"]


def test_every_answer_bears_another_mark(report_hub: LiveHub, mina: Visitor) -> None:
    policies = {
        mina.get(page_address(report_hub, "acme")).headers["Content-Security-Policy"]
        for _ in range(2)
    }
    assert len(policies) == 2


# -- what a kernel inherits ---------------------------------------------------------


def environment_of_kernel(kernel: str) -> dict[str, str]:
    """What the process of a kernel began with; a forked one is known by its sockets."""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if b"ernel" in (process / "cmdline").read_bytes() and has(process, kernel):
                raw = (process / "environ").read_bytes().decode()
                pairs = (item.partition("=") for item in raw.split("\0") if item)
                return {name: value for name, _, value in pairs}
        except (FileNotFoundError, ProcessLookupError):
            continue
    raise AssertionError(f"no process of the kernel {kernel}")


def has(process: Path, kernel: str) -> bool:
    """Whether a process listens on the sockets of this kernel."""
    lines = (process / "net" / "unix").read_text().splitlines()
    sockets = {f"socket:[{line.split()[6]}]" for line in lines if kernel in line}
    return any(os.readlink(file) in sockets for file in (process / "fd").iterdir())


def test_a_kernel_inherits_no_token_and_no_secret(
    report_hub: LiveHub, mina: Visitor
) -> None:
    server = given(report_hub, "acme", "report")
    kernel = environment_of_kernel(open_page(mina))
    assert server["KAMP_SECRET_FOR_TESTS"]
    assert not [n for n in kernel if "TOKEN" in n or "SECRET" in n or "HUB" in n]
    assert server["JUPYTERHUB_API_TOKEN"] not in kernel.values()
    assert kernel["PYTHONSAFEPATH"] == "1"
