"""What people do works behind the walls: Python, kernels, figures, git, terminals."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import replace
from typing import Any

import pytest
from hub.walls.walled import FINALE, PRELUDE, Grounds

from kamp_lib.hub.profile import Kind

pytestmark = pytest.mark.e2e


def work(grounds: Grounds, source: str, **more: Any) -> Any:
    """Run `source` with all packages, unlike the attacks' bare interpreter."""
    walled = grounds.profile(**more)
    code = PRELUDE + textwrap.dedent(source) + FINALE
    walled = replace(walled, command=(sys.executable, "-c", code))
    return grounds.inside(walled, limited=grounds.as_root, timeout=120).result


def test_a_model_is_trained_with_threads(grounds: Grounds) -> None:
    source = """
    import numpy as np, xgboost
    X = np.random.default_rng(0).normal(size=(2000, 5)); y = (X[:, 0] > 0).astype(int)
    model = xgboost.XGBClassifier(n_estimators=20, n_jobs=2).fit(X, y)
    result = float((model.predict(X) == y).mean())
    """
    assert work(grounds, source) > 0.95


def test_a_kernel_computes_through_sockets_in_a_private_folder(
    grounds: Grounds,
) -> None:
    source = """
    from jupyter_client.manager import KernelManager
    manager = KernelManager(transport="ipc")
    manager.start_kernel()
    client = manager.blocking_client(); client.start_channels(); client.wait_for_ready(60)
    seen = []
    client.execute_interactive("print(6 * 7)", timeout=30,
        output_hook=lambda m: seen.append(m["content"].get("text")))
    manager.shutdown_kernel(now=True)
    result = [text.strip() for text in seen if text]
    """
    assert work(grounds, source) == ["42"]


def test_a_long_computation_is_interrupted_from_the_notebook(grounds: Grounds) -> None:
    source = """
    import threading, time
    from jupyter_client.manager import start_new_kernel
    manager, client = start_new_kernel(kernel_name="python3")
    threading.Timer(2, manager.interrupt_kernel).start()
    reply = client.execute_interactive("import time; time.sleep(60)", timeout=40)
    manager.shutdown_kernel(now=True)
    result = reply["content"]["ename"]
    """
    assert work(grounds, source) == "KeyboardInterrupt"


def test_a_figure_has_korean_letters(grounds: Grounds) -> None:
    source = """
    import warnings
    import matplotlib; matplotlib.use("agg")
    import koreanize_matplotlib
    import matplotlib.pyplot as plt
    warnings.simplefilter("error")  # a letter that the font lacks is a warning
    figure = plt.figure(); figure.suptitle("사출 불량률"); figure.savefig("/tmp/f.png")
    result = os.stat("/tmp/f.png").st_size
    """
    assert work(grounds, source) > 1000


def test_git_keeps_versions_of_a_workspace(grounds: Grounds) -> None:
    source = """
    import subprocess
    def git(*words):
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    git("init", "-q")
    git("config", "user.email", "ann@acme"); git("config", "user.name", "앤")
    open("한글.txt", "w").write("x")
    git("add", "."); git("commit", "-qm", "처음")
    result = git("log", "--format=%an %s").stdout.strip()
    """
    assert work(grounds, source) == "앤 처음"


def test_a_terminal_runs_a_shell_that_can_be_interrupted(grounds: Grounds) -> None:
    source = """
    import pty, time
    pid, control = pty.fork()
    if pid == 0:
        os.execv("/bin/bash", ["bash", "--norc", "-i"])
    os.write(control, b"sleep 60\\n"); time.sleep(1.5)
    os.write(control, b"\\x03"); time.sleep(0.3)
    os.write(control, b"echo name=$(whoami) pi=$((3+1))\\n"); time.sleep(1)
    os.write(control, b"exit\\n")
    said = b""
    while True:
        try:
            more = os.read(control, 4096)
        except OSError:
            break
        if not more:
            break
        said += more
    result = said.decode()
    """
    said = work(grounds, source)
    assert "name=ann pi=4" in said
    assert "no job control" not in said


def test_many_processes_share_the_work(grounds: Grounds) -> None:
    source = """
    from multiprocessing import Pool
    from joblib import Parallel, delayed
    with Pool(2) as pool:
        one = pool.map(abs, [-1, -2])
    result = one + Parallel(n_jobs=2)(delayed(abs)(x) for x in (-3, -4))
    """
    assert work(grounds, source) == [1, 2, 3, 4]


def test_the_kamp_command_knows_its_company(grounds: Grounds) -> None:
    source = """
    import subprocess
    done = subprocess.run(["kamp", "datasets", "--json"], capture_output=True, text=True)
    result = [done.returncode, done.stdout, done.stderr]
    """
    status, out, err = work(grounds, source)
    assert (status, json.loads(out or "0"), err) == (0, [], "")


def test_the_clock_is_the_machines_and_korean_time_is_known(grounds: Grounds) -> None:
    source = """
    from datetime import datetime
    from zoneinfo import ZoneInfo
    result = datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Seoul")).isoformat()
    """
    assert work(grounds, source) == "2026-01-01T00:00:00+09:00"


def test_a_job_writes_runs_and_a_report_server_reads_what_was_released(
    grounds: Grounds,
) -> None:
    (grounds.acme.published / "page.txt").write_text("게시")
    read = "result = open('/workspace/published/page.txt').read()"
    report = work(grounds, read, kind=Kind.REPORT, server="report")
    write = "open('/workspace/runs/x', 'w').write('1'); result = os.getcwd()"
    assert report == "게시"
    assert work(grounds, write, kind=Kind.JOB, server="job") == "/workspace/workspace"
