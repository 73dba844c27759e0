"""The kernels of runs: forked from one process, and the same as any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from kamp_lib import runs
from kamp_lib.runs.kernel import IMPORTS, kernel_environment
from kamp_lib.tenancy import Tenant

MODEL = "injection-quality"
PARENT = """
import os
pid = os.getppid()
said = open(f"/proc/{pid}/cmdline").read()
with open("parent", "w") as file:
    file.write(f"{pid} {'kamp_lib.kernels.server' in said}")
raise ValueError("that is all")
"""


def parent_of_its_kernel(tenant: Tenant) -> tuple[str, str]:
    bundle = runs.execute(tenant, MODEL)
    pid, _, forked = (bundle.path / "parent").read_text().partition(" ")
    return pid, forked


@pytest.mark.e2e
def test_runs_of_one_process_share_a_fork_server(
    moulder: Tenant, template: Callable[..., None]
) -> None:
    template(PARENT)
    first, second = parent_of_its_kernel(moulder), parent_of_its_kernel(moulder)
    assert first == second
    assert first[1] == "True"


@pytest.mark.e2e
def test_switched_off_every_run_starts_a_kernel_of_its_own(
    moulder: Tenant, template: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_FAST_KERNELS", "0")
    template(PARENT)
    assert parent_of_its_kernel(moulder) == (str(os.getpid()), "False")


@pytest.mark.e2e
def test_switching_it_off_changes_nothing_but_speed(
    moulder: Tenant, template: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    template(
        "import json, os, warnings\n"
        "names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'KAMP_LANG', 'TQDM_DISABLE']\n"
        "print([os.environ.get(n) for n in names], os.path.basename(os.getcwd())[:9])",
        "warnings.warn('heard')\nrun.data().describe()",
        "import numpy, xgboost\n"
        "x = numpy.arange(60.0).reshape(30, 2)\n"
        "xgboost.XGBRegressor(n_estimators=3).fit(x, x[:, 0]).predict(x).round(4)",
        "raise ValueError('that is all')",
    )
    told = []
    for switch in ("1", "0"):
        monkeypatch.setenv("KAMP_FAST_KERNELS", switch)
        bundle = runs.execute(moulder, MODEL)
        told.append((bundle.path / "analysis.ipynb").read_text())
    assert outputs(told[0]) == outputs(told[1])


def outputs(notebook: str) -> list[object]:
    import re

    import nbformat

    cells = nbformat.reads(notebook, as_version=4).cells
    text = [str(cell.get("outputs")) for cell in cells[2:]]
    # ids of runs and of processes are a run's own
    return [re.sub(r"\d{8}-\d{6}-[\w-]+|/tmp/\S+", "", each) for each in text]


def test_kernels_of_one_process_differ_in_their_private_folder_only() -> None:
    one, other = kernel_environment("/a"), kernel_environment("/b")
    assert {name for name in one if one[name] != other[name]} == {"IPYTHONDIR"}


def test_what_opens_a_run_is_imported_before_its_kernel_begins(
    moulder: Tenant, template: Callable[..., None]
) -> None:
    code = f"""
import importlib, sys
for name in {IMPORTS!r}:
    importlib.import_module(name)
from kamp_lib import catalog, runs
before = set(sys.modules), catalog.standard_models.cache_info().misses
run = runs.begin(tenant={moulder.slug!r}, model={MODEL!r})
repr(run), run.data().head()._repr_html_()
print(sorted(name for name in set(sys.modules) - before[0] if name.startswith("kamp_lib")))
print(before[1], catalog.standard_models.cache_info().misses)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "1 1"]


@pytest.mark.e2e
def test_a_notebook_holds_no_pages_of_plain_text(moulder: Tenant) -> None:
    bundle = runs.execute(moulder, MODEL)
    notebook = json.loads((bundle.path / "analysis.ipynb").read_text())
    said = [
        "".join(output["data"]["text/plain"])
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    assert said
    assert max(map(len, said)) < 4_000
