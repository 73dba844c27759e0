"""A worker's stand-in: speaks the real protocol from inside the real walls, in no time.

It plans one run per name in `MACHINES` and writes bundles that are copies of a prepared
record. What it does before a run is written into it by each test.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kamp_lib.hub import workers
from kamp_lib.learning.outcome import Verdict
from kamp_lib.runs import ModelRef, RunRecord
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

MODEL = "injection-quality"
TEMPLATE = ".template.json"
PROGRAM = """
import json, os, pathlib, signal, sys, time
runs = pathlib.Path("/workspace/runs")
machines = {machines!r}
def known():
    return sorted(json.loads(p.read_text())["notes"]["machine"] for p in runs.glob("2*/run.json"))
def bundle(machine, **more):
    template = json.loads((runs / ".template.json").read_text())
    run = f"20261126-000000-injection-quality-{{os.urandom(3).hex()}}"
    folder = runs / f".staging-{{run}}"
    folder.mkdir()
    record = {{**template, "run": run, "notes": {{"machine": machine}}, **more}}
    (folder / "run.json").write_text(json.dumps(record))
    folder.rename(runs / run)
    return run
def say(**what):
    print(json.dumps(what), flush=True)
for line in sys.stdin:
    deed, request = json.loads(line)
    if deed == "plan":
        for machine in machines:
            done = "20261126-000000-injection-quality-aaaaaa" if machine in known() else None
            say(model="injection-quality", dataset=machine, version=1, done=done)
        say(result="planned")
        continue
    machine = request["dataset"]
    say(step={{"ko": "하는 중", "en": "at it"}}, done=1, total=2)
    {behaviour}
    say(result=bundle(machine))
"""


def program(behaviour: str = "pass", machines: tuple[str, ...] = ("m1",)) -> str:
    """The source of a stand-in; `behaviour` sees `machine`, `bundle` and `say`."""
    lines = "\n    ".join(behaviour.splitlines())
    return PROGRAM.format(machines=machines, behaviour=lines)


def furnish(tenant: Tenant) -> None:
    """Put the record that stand-ins copy into a company's folder."""
    (tenant.runs / TEMPLATE).write_text(record().model_dump_json())


def record(**more: Any) -> RunRecord:
    """A run that ended well."""
    now = datetime(2026, 11, 26, tzinfo=UTC)
    values: dict[str, Any] = {
        "run": "20261126-000000-injection-quality-aaaaaa",
        "status": "succeeded",
        "tenant": "acme",
        "tenant_name": Text("에이스", "Ace"),
        "time_zone": "Asia/Seoul",
        "model": ModelRef(
            id=MODEL,
            version="1",
            name=Text("사출", "moulding"),
            family="quality-classification",
            equipment="injection-moulding",
            case=Text("샷", "shot"),
            bad=Text("불량", "bad"),
            good=Text("양품", "good"),
        ),
        "verdict": Verdict(value="usable", sentence=Text("쓸 수 있습니다.", "usable.")),
        "started": now,
        "finished": now,
        "seconds": 1.0,
        **more,
    }
    return RunRecord(**values)


Instead = Callable[..., None]


def instead_of_workers(monkeypatch: Any) -> Instead:
    """A function that puts a stand-in into the place of every worker from now on."""
    real = workers._started

    def put(behaviour: str = "pass", machines: tuple[str, ...] = ("m1",)) -> None:
        source = program(behaviour, machines)

        @contextmanager
        def started(tenant: Tenant, argv: list[str], limits: Any) -> Iterator[Any]:
            with real(tenant, [sys.executable, "-IS", "-c", source], limits) as one:
                yield one

        monkeypatch.setattr(workers, "_started", started)

    return put


def machines_done(tenant: Tenant) -> list[str]:
    """Which machines have a bundle, one entry per bundle."""
    files: list[Path] = sorted(tenant.runs.glob("2*/run.json"))
    return sorted(json.loads(f.read_text())["notes"]["machine"] for f in files)
