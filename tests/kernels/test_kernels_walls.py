"""Behind the walls of a company's server: no network, and fewer system calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kamp_lib.hub import seccomp
from kamp_lib.kernels import jupyter_path

pytestmark = pytest.mark.e2e

PLACES = (str(Path(__file__).parents[2]), sys.base_prefix, sys.prefix)
INSIDE = """
import sys
sys.path.insert(0, {tests!r})
from kernels.live_kernel import live_kernel
with live_kernel('kamp') as kernel:
    print(kernel.forked, kernel.value("1 + 1"))
    kernel.said({training!r}, timeout=60)
    kernel.manager.restart_kernel(now=False)
    kernel.wait_ready()
    print(kernel.forked, kernel.manager.is_alive())
    lines = open('/proc/net/tcp').read().splitlines()[1:]
    lines += open('/proc/net/tcp6').read().splitlines()[1:]
    print([line.split()[1].split(':')[0] for line in lines])
"""
TRAINING = (
    "import numpy as np, xgboost;"
    "xgboost.XGBClassifier(n_estimators=3).fit(np.eye(20), np.arange(20) % 2)"
)


def test_kernels_are_forked_behind_the_walls_and_open_no_port_of_ours(
    tmp_path: Path,
) -> None:
    bwrap = shutil.which("bwrap")
    if bwrap is None or not seccomp.available():
        assert not os.environ.get("CI"), "bubblewrap and libseccomp are missing"
        pytest.skip("bubblewrap or libseccomp is not on this machine")
    program = tmp_path / "filter"
    program.write_bytes(seccomp.program())
    script = INSIDE.format(tests=str(Path(__file__).parents[1]), training=TRAINING)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/home/person",
        "JUPYTER_RUNTIME_DIR": "/home/person/runtime",
        "JUPYTER_PATH": str(jupyter_path()),
    }
    walls = [
        *(bwrap, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"),
        *("--tmpfs", tempfile.gettempdir()),
        *("--tmpfs", "/home", "--dir", "/home/person/runtime"),
        # wherever this checkout and its Python lie
        *(part for place in PLACES for part in ("--ro-bind", place, place)),
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        *("--new-session", "--die-with-parent", "--seccomp", "3"),
    ]
    if os.geteuid() != 0:
        walls.append("--unshare-user")
    command = f'exec 3< {program}; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *walls, sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "without the fork server" not in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "True 2"
    assert lines[1] == "True True"
    # ipykernel's own pipe for what forked processes print, as with any kernel
    assert lines[2] == "['0100007F']"
