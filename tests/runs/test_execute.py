"""What happens to a run's folder when things go right, wrong, or are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from kamp_lib import runs
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

MODEL = "injection-quality"
pytestmark = pytest.mark.e2e

# An analysis that judges nothing but writes a true bundle, in a second.
SMALLEST = """
import pandas as pd
from kamp_lib.learning import Outcome, Score, Split, Verdict
from kamp_lib.text import Text
data = run.data()
cases = pd.DataFrame({"case": ["1"], "score": [0.5]})
outcome = Outcome(
    split=Split(kind="none", by=None, how=Text("", ""), folds=0, groups=0,
                rows=len(data), cases=len(data), positives=0, case=Text("샷", "shot")),
    metrics={"average_precision": Score(value=0.5)},
    baseline={"average_precision": Score(value=0.1)},
    baseline_name=Text("기준", "baseline"), method="none", method_name=Text("", ""),
    verdict=Verdict(value="not-usable-yet", sentence=Text("아직", "not yet")),
    tables={"cases": cases},
)
run.save(outcome)
"""


def left_over(tenant: Tenant) -> list[str]:
    return sorted(path.name for path in tenant.runs.iterdir())


def test_a_run_writes_a_whole_bundle(moulder: Tenant, template: Callable) -> None:
    template(SMALLEST)
    bundle = runs.execute(moulder, MODEL, parameters={"cost_missed": "70000"})
    record = bundle.record
    assert record.status == "succeeded"
    assert record.dataset is not None
    assert (record.dataset.name, record.dataset.version) == ("injection", 1)
    assert record.split is not None
    assert record.split.rows == record.dataset.rows > 0
    assert record.parameters["cost_missed"] == 70000
    assert record.edited == ["cost_missed"]
    assert "First step" in record.timings
    assert list(bundle.table("cases")["case"]) == ["1"]
    assert left_over(moulder) == [record.run]
    files = sorted(p.name for p in bundle.path.iterdir())
    assert files == ["analysis.ipynb", "run.json", "tables"]


def test_the_staged_bundle_is_handed_over_before_it_becomes_one(
    moulder: Tenant, template: Callable
) -> None:
    template(SMALLEST)
    seen = []
    bundle = runs.execute(
        moulder, MODEL, on_staged=lambda folder: seen.append(folder.name)
    )
    assert seen == [f".staging-{bundle.path.name}"]


def test_an_error_of_ours_becomes_a_failed_bundle_with_its_sentence(
    moulder: Tenant, template: Callable
) -> None:
    template(
        "from kamp_lib import KampError\nraise KampError('금형이 없습니다', 'no mould')"
    )
    record = runs.execute(moulder, MODEL).record
    assert record.status == "failed"
    assert record.reason == Text("금형이 없습니다", "no mould")
    assert record.verdict is None


def test_a_bundle_says_who_ran_it(
    moulder: Tenant, template: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    template("raise ValueError('x')")
    monkeypatch.setenv("KAMP_PERSON", "ann")
    assert runs.execute(moulder, MODEL).record.person == "ann"


def test_any_other_error_is_named_and_the_notebook_kept(
    moulder: Tenant, template: Callable
) -> None:
    template("1 / 0")
    bundle = runs.execute(moulder, MODEL)
    assert bundle.record.reason is not None
    assert "ZeroDivisionError" in bundle.record.reason.en
    assert (bundle.path / "analysis.ipynb").is_file()


def test_a_dead_kernel_becomes_a_failed_bundle(
    moulder: Tenant, template: Callable
) -> None:
    template("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    record = runs.execute(moulder, MODEL).record
    assert record.status == "failed"
    assert record.reason is not None
    assert "died" in record.reason.en


def test_a_run_over_its_time_becomes_a_failed_bundle(
    moulder: Tenant, template: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_RUN_TIMEOUT", "10")
    template("import time\ntime.sleep(120)")
    began = time.monotonic()
    record = runs.execute(moulder, MODEL).record
    assert time.monotonic() - began < 60
    assert record.status == "failed"
    assert record.reason is not None
    assert "KAMP_RUN_TIMEOUT" in record.reason.en


def test_a_failure_after_saving_is_still_a_failure(
    moulder: Tenant, template: Callable
) -> None:
    template(SMALLEST, "1 / 0")
    assert runs.execute(moulder, MODEL).record.status == "failed"


def test_two_runs_at_once_do_not_disturb_each_other(
    moulder: Tenant, template: Callable
) -> None:
    template("import time; time.sleep(1)", SMALLEST)
    with ThreadPoolExecutor(max_workers=2) as pool:
        costs = (10, 20)
        started = [
            pool.submit(runs.execute, moulder, MODEL, parameters={"cost_missed": c})
            for c in costs
        ]
        bundles = [future.result() for future in started]
    assert [b.record.parameters["cost_missed"] for b in bundles] == list(costs)
    assert left_over(moulder) == sorted(b.record.run for b in bundles)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_no_half_bundle(
    moulder: Tenant, template: Callable, how: signal.Signals
) -> None:
    busy = "open('busy', 'w').close(); import time; time.sleep(120)"
    template(busy, SMALLEST)
    environment = {**os.environ, "KAMP_HOME": str(moulder.home.parents[1])}
    command = [sys.executable, "-m", "kamp_lib.cli", "run", moulder.slug, MODEL]
    process = subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # whoever runs the tests in the background ignores Ctrl-C, and children inherit it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    _wait_for(lambda: any(moulder.runs.glob(".staging-*/busy")), 60)
    process.send_signal(how)
    _, complaint = process.communicate(timeout=30)
    assert "Traceback" not in complaint
    assert runs.list_runs(moulder) == []
    if how is signal.SIGINT:
        assert process.returncode == 1
        assert left_over(moulder) == []


def test_the_next_run_sweeps_what_a_killed_one_left(
    moulder: Tenant, template: Callable
) -> None:
    template(SMALLEST)
    dead = moulder.runs / ".staging-20200101-000000-injection-quality-abcdef"
    dead.mkdir()
    (dead / "run.json").write_text("{}")
    os.utime(dead, (0, 0))
    record = runs.execute(moulder, MODEL).record
    assert left_over(moulder) == [record.run]


@pytest.mark.parametrize(
    "given",
    [
        {"x=__import__('os').system('touch owned') #": "1"},
        {"cost_missed": "much"},
        {"cost_missed": "-1"},
        {"cost_missed": "nan"},
        {"no_such": "1"},
        {"bundle": "elsewhere"},
    ],
)
def test_a_parameter_outside_the_schema_never_reaches_a_kernel(
    moulder: Tenant, given: dict[str, str]
) -> None:
    with pytest.raises(UsageError):
        runs.execute(moulder, MODEL, parameters=given)
    assert left_over(moulder) == []


def test_a_company_without_fitting_data_is_told_what_to_do(tenant: Tenant) -> None:
    with pytest.raises(KampError, match="kamp ingest"):
        runs.execute(tenant, MODEL)


def _wait_for(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
