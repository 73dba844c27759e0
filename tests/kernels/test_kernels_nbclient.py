"""nbclient's own tests, with forked kernels: the same pass as with stock kernels.

They come with nbclient's source distribution, which the package index has to give.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1200)]

NEEDED = ("flaky", "pytest-asyncio", "testpath", "xmltodict")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution; what its tests need lies in `needed`."""
    folder = tmp_path_factory.mktemp("nbclient")
    source = [f"nbclient=={version('nbclient')}", "--no-deps", "--no-binary=nbclient"]
    needed = ["--no-deps", "--target", str(folder / "needed"), *NEEDED]
    for command in (
        [*PIP, "download", "--no-build-isolation", "-d", str(folder), *source],
        [*PIP, "install", *needed],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            assert not os.environ.get("CI"), done.stderr
            pytest.skip("the package index does not answer")
    [archive] = folder.glob("nbclient-*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder


def test_the_suite_of_nbclient_has_the_same_results(
    suite: Path, tmp_path: Path
) -> None:
    stock = _results(suite, tmp_path, "local-provisioner")
    forked = _results(suite, tmp_path, "kamp-fork")
    assert len(stock) > 100
    assert forked == stock
    assert list((tmp_path / "kamp-kernels").glob("*.log")), "no kernel was forked"


def _results(suite: Path, runtime: Path, provisioner: str) -> dict[str, str]:
    [source] = suite.glob("nbclient-*/")
    options = ["-p", "no:cacheprovider", "-o", "log_cli=false", "-rA", "-q"]
    options += ["-o", "asyncio_default_fixture_loop_scope=function", "--color=no"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests"],
        cwd=source,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(suite / "needed"),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_DEFAULT_PROVISIONER_NAME": provisioner,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    # ports of TCP, which this suite uses, may collide with any kernel
    reasons = re.findall("without the fork server: (.*)", done.stdout)
    assert [r for r in reasons if "Address already in use" not in r] == []
    lines = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED) (\S+)", done.stdout, re.M)
    return {test: result for result, test in lines}
