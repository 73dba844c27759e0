"""Kernels of people in JupyterLab: forked, from a server that is there when it is wanted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from workspace.lab_server import Lab, running

from kamp_lib.tenancy import add_tenant

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lk")
    tenant = add_tenant("hanbit", "한빛", "Hanbit", home=home)
    folder = home / "person"
    folder.mkdir()
    with running(tenant, folder) as server:
        yield server


def fork_servers(lab: Lab) -> list[psutil.Process]:
    below = psutil.Process(lab.pid).children(recursive=True)
    all_of_them = [p for p in below if "kamp_lib.kernels.server" in p.cmdline()]
    forked = {p.pid for p in all_of_them}
    return [p for p in all_of_them if p.ppid() not in forked]


def start(lab: Lab) -> str:
    body = json.dumps({"name": "python3"}).encode()
    answer = lab.ask("POST", "/api/kernels", body)
    assert answer.status == 201
    return str(answer.json["id"])


def test_nothing_is_imported_before_somebody_computes(lab: Lab) -> None:
    assert fork_servers(lab) == []


def test_a_persons_kernels_are_copies_of_one_process(lab: Lab) -> None:
    kernels = [start(lab), start(lab)]
    (server,) = fork_servers(lab)
    assert len(server.children()) == 2
    for kernel in kernels:
        assert lab.ask("DELETE", f"/api/kernels/{kernel}").status == 204
    until = time.monotonic() + 20
    while server.children():
        assert time.monotonic() < until, "a kernel stays behind"
        time.sleep(0.05)
    assert server.is_running(), "the next kernel is to be fast as well"
    assert "Kernel started without" not in Path(lab.log).read_text()
