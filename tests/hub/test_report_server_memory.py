"""What a kernel could learn from the server beside it, and how the server begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kamp_lib.errors import KampError
from kamp_lib.hub.report_app import most_pages
from kamp_lib.hub.report_server import company
from kamp_lib.tenancy import Tenant

NOBODY = 65534
# a server with a secret in its first environment, and a child that looks for it there;
# root may read everything, and the server inside the walls is not root either
SCRIPT = f"""
import ctypes, os, subprocess, sys
from kamp_lib.hub.report_server import PR_SET_DUMPABLE, close_memory
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after every exec
if sys.argv[1] == "closed":
    close_memory()
there = f"/proc/{{os.getpid()}}/environ"
done = subprocess.run(["/bin/cat", there], capture_output=True)
print("read" if b"SECRET=x" in done.stdout else done.stderr.decode())
"""


def looked(how: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how],
        env={**os.environ, "SECRET": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_a_kernel_cannot_read_the_servers_memory_or_first_environment() -> None:
    assert "Permission denied" in looked("closed")


def test_without_that_it_could() -> None:
    assert looked("open") == "read"


@pytest.mark.parametrize(
    ("limit", "pages"),
    [(None, 16), ("", 16), (str(512 * 2**20), 3), (str(2 * 2**30), 28), ("9" * 14, 64)],
)
def test_as_many_pages_open_as_fit_into_the_memory(
    limit: str | None, pages: int
) -> None:
    assert most_pages(limit) == pages


def test_fewer_pages_fit_when_each_imports_everything_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAMP_FAST_KERNELS", "0")
    assert most_pages(str(2 * 2**30)) == 12


def test_the_folder_has_to_be_the_company_that_the_hub_says(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_TENANT_HOME", str(tenant.home))
    monkeypatch.setenv("JUPYTERHUB_USER", tenant.slug)
    assert company().slug == tenant.slug
    monkeypatch.setenv("JUPYTERHUB_USER", "bolt")
    with pytest.raises(KampError, match="다릅니다"):
        company()


def test_it_is_started_by_the_hub_only(tmp_path: Path) -> None:
    with pytest.raises(KampError, match="허브가 시작합니다"):
        company()
