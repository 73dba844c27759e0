"""Attacks on the page server: only published reports, and no code of a viewer."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from reports.page_socket import channel

from kamp_lib import reports
from kamp_lib.reports.server import find_report, list_reports
from kamp_lib.tenancy import Tenant

RUN = "20261121-010203-injection-quality-ab12cd"


def get(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8")


@pytest.fixture
def published(bundles: Callable[..., Path], tenant: Tenant) -> dict[str, Path]:
    bundles(tenant.runs / RUN)
    reports.publish(tenant, RUN)
    return {"hanbit": tenant.published}


def test_a_published_report_is_found(published: dict[str, Path]) -> None:
    assert find_report(published, "hanbit", RUN) is not None


@pytest.mark.parametrize(
    ("slug", "run"),
    [
        ("hanbit", ".."),
        ("hanbit", "../runs/" + RUN),
        ("hanbit", "."),
        ("hanbit", ".staging-x"),
        ("hanbit", RUN + "/../" + RUN),
        ("..", RUN),
        ("hanbit/published", RUN),
        ("other", RUN),
        ("hanbit", RUN + "\x00"),
    ],
)
def test_no_name_leads_anywhere_else(
    published: dict[str, Path], slug: str, run: str
) -> None:
    assert find_report(published, slug, run) is None


@pytest.mark.parametrize("what", ["folder", "notebook"])
def test_a_link_is_no_report(
    published: dict[str, Path], tenant: Tenant, what: str
) -> None:
    other = tenant.published / "20261121-999999-injection-quality-ab12cd"
    if what == "folder":
        other.symlink_to(tenant.published / RUN)
    else:
        other.mkdir()
        (other / "report.ipynb").symlink_to(tenant.published / RUN / "report.ipynb")
    assert find_report(published, "hanbit", other.name) is None
    assert len(list_reports(published)) == 1


@pytest.mark.e2e
def test_the_list_names_every_report(served: Any) -> None:
    status, html = get(served.url + "/")
    assert status == 200
    assert html.count('<a class="card"') == 6
    assert "<script>document.title" not in html


@pytest.mark.e2e
@pytest.mark.parametrize(
    "path",
    [
        "/voila/tree",
        "/voila/tree/hanbit",
        f"/voila/render/hanbit/published/{RUN}/report.ipynb",
        f"/voila/render/hanbit/published/{RUN}/analysis.ipynb",
        f"/voila/files/hanbit/published/{RUN}/run.json",
        "/voila/api/contents",
        f"/report/hanbit/{RUN}/analysis.ipynb",
        f"/report/hanbit/{RUN}/report.ipynb",
        f"/report/hanbit/{RUN}/run.json",
        "/report/hanbit/..%2Fruns%2F" + RUN,
        "/report/..%2Fhanbit/" + RUN,
        "/report/hanbit/" + quote("../../workspace"),
        "/kamp/fonts/..%2F__init__.py",
        "/kamp/fonts/__init__.py",
        "/api/kernels",
        "/api/contents",
        "/api/sessions",
        "/api/terminals",
        "/files/run.json",
        "/lab",
        "/nbconvert/html/report.ipynb",
        "/tree",
        "/login",
    ],
)
def test_everything_else_is_not_there(served: Any, path: str) -> None:
    status, html = get(served.url + path)
    assert status in (403, 404, 405)
    assert "cells" not in html
    assert "Traceback" not in html


@pytest.mark.e2e
def test_a_workspace_notebook_is_not_rendered(served: Any) -> None:
    evil = served.home / "tenants" / "hanbit" / "workspace" / "evil.ipynb"
    evil.write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    for path in ("/voila/render/", "/report/"):
        assert get(f"{served.url}{path}hanbit/workspace/evil.ipynb")[0] == 404


@pytest.mark.e2e
def test_a_name_that_points_to_loopback_from_outside_is_refused(served: Any) -> None:
    assert get(served.url + "/", Host="evil.example")[0] == 403


@pytest.mark.e2e
def test_a_page_shows_no_code_and_loads_nothing_from_elsewhere(served: Any) -> None:
    status, html = get(served.address("hanbit", RUN))
    assert status == 200
    for code in ("reports.page(", "from kamp_lib", "VBox(", "import "):
        assert code not in html
    assert not re.findall(r"""(?:src|href)=["']https?://""", html)


@pytest.mark.e2e
def test_an_unreadable_error_page_never_shows_a_traceback(served: Any) -> None:
    broken = served.home / "tenants" / "nuri" / "published" / "20261121-000000-x-ab"
    broken.mkdir(exist_ok=True)
    (broken / "report.ipynb").write_text("this is no notebook")
    status, html = get(f"{served.url}/report/nuri/{broken.name}")
    assert status >= 400
    assert "Traceback" not in html
    assert "페이지를 열지 못했습니다" in html
    (broken / "report.ipynb").unlink()


@pytest.mark.e2e
@pytest.mark.parametrize("path", ["/?lang=%ff", "/nothing?lang=%ff"])
def test_a_language_that_is_no_text_is_the_readers_own(served: Any, path: str) -> None:
    _, html = get(served.url + path)
    assert '<html lang="ko"' in html


def open_channel(served: Any, **options: Any) -> Any:
    """A channel to the kernel of a page that has just been opened."""
    _, html = get(served.address("hanbit", RUN))
    kernel = re.search(r'"kernelId": "([0-9a-f-]+)"', html)
    assert kernel is not None
    address = served.url.replace("http", "ws")
    return channel(f"{address}/api/kernels/{kernel[1]}/channels", **options)


@pytest.mark.e2e
@pytest.mark.parametrize("through", ["shell", "control"])
def test_code_from_a_viewer_is_never_executed(
    served: Any, tmp_path: Path, through: str
) -> None:
    proof = tmp_path / "proof"
    code = f"open({str(proof)!r}, 'w').close()"
    with open_channel(served) as socket:
        asked = {"code": code, "silent": False, "store_history": False}
        assert socket.answers_to("execute_request", asked, through) == []
    assert not proof.exists()
