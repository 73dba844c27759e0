"""Four invented companies, one per machine, from raw file to published page.

Their data are simulated and say so on every page; everything else is the real path that
a factory's own file takes.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamp_lib import console
from kamp_lib.errors import KampError
from kamp_lib.progress import Progress
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets import IngestResult
    from kamp_lib.runs import RunRecord

# Only a folder with this file in it is ours to empty.
MARKER = ".kamp-demo"
BUILT = "demo.json"


@dataclass
class _Clock:
    """Says what each step took, in the order in which the steps end."""

    started: float = field(default_factory=time.monotonic)
    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, what: Text) -> Iterator[None]:
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self.steps[what.en] = round(took, 2)
        console.say(f"  {took:5.1f}초  {what.ko}", f"  {took:5.1f} s  {what.en}")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


@dataclass(frozen=True)
class _Ready:
    """A company whose data are in, and the model that is to run on them."""

    tenant: Tenant
    model: str
    ingested: IngestResult


@dataclass(frozen=True)
class _Done:
    """What the result table shows of one company."""

    tenant: Tenant
    rows: int
    quality: float
    run: RunRecord


def build_demo(home: Path, *, size: str = "demo", seed: int = 0) -> None:
    """Build `home` afresh: data, runs and published pages of the four companies."""
    from kamp_lib.testbed import demo_companies

    clock = _Clock()
    home = _empty_home(home)
    console.say(f"데모를 만듭니다: {home}", f"building the demo in {home}")
    companies = demo_companies()
    ready = [_bring_in(home, c, clock, size=size, seed=seed) for c in companies]
    # two at once: each run has a kernel of its own
    with (
        console.progress(Text("분석 실행", "Run")) as listener,
        ThreadPoolExecutor(max_workers=2) as pool,
    ):
        done = list(pool.map(lambda r: _analyse(r, clock, listener), ready))
    _show(done)
    timings = {"seconds": round(clock.seconds, 1), "steps": clock.steps}
    # this file says that everything is there
    (home / BUILT).write_text(json.dumps(timings, indent=1), encoding="utf-8")
    console.say(
        f"끝났습니다: {clock.seconds:.0f}초. 모두 모의(시뮬레이션) 데이터입니다.",
        f"done in {clock.seconds:.0f} s. All data are simulated.",
    )


def is_built(home: Path) -> bool:
    """Whether a whole demo lies in `home`, with whatever people did in it since."""
    return (home / MARKER).is_file() and (home / BUILT).is_file()


def _empty_home(home: Path) -> Path:
    """The demo's folder, empty; a folder that is not ours is never emptied."""
    if home.exists():
        if any(home.iterdir()) and not (home / MARKER).is_file():
            raise KampError(
                f"데모 폴더로 쓸 수 없습니다. 다른 파일이 들어 있습니다: {home}",
                f"cannot be the demo's folder, other files are in it: {home}",
            )
        shutil.rmtree(home)
    home.mkdir(parents=True)
    (home / MARKER).write_text(
        "made by `kamp demo`; may be removed\n", encoding="utf-8"
    )
    return home


def _bring_in(
    home: Path, company: Any, clock: _Clock, *, size: str, seed: int
) -> _Ready:
    """Make one company and its machine's files, and ingest them as anyone's."""
    from kamp_lib.datasets import ingest
    from kamp_lib.testbed import simulate

    tenant = add_tenant(
        company.slug,
        company.ko,
        company.en,
        equipment=(company.equipment,),
        demo=True,
        home=home,
    )
    name = tenant.name
    with clock.step(
        Text(f"{name.ko} · 설비 모의 가동", f"{name.en} · simulate the machine")
    ):
        raw = simulate(company.model, tenant.workspace / "raw", seed=seed, size=size)
    with (
        clock.step(Text(f"{name.ko} · 데이터 가져오기", f"{name.en} · ingest")),
        console.progress(name) as listener,
    ):
        result = ingest(
            tenant,
            company.equipment,
            raw.files,
            labels=raw.labels,
            on=raw.on,
            progress=listener,
        )
    return _Ready(tenant, company.model, result)


def _analyse(ready: _Ready, clock: _Clock, listener: Progress) -> _Done:
    """Run the standard analysis of one company and publish its page."""
    from kamp_lib import reports
    from kamp_lib.demo.people import analyst_of
    from kamp_lib.runs import failed_sentence
    from kamp_lib.workbench import Company

    tenant, name = ready.tenant, ready.tenant.name

    def named(step: Text, **where: Any) -> None:
        listener(Text(f"{name.ko} · {step.ko}", f"{name.en} · {step.en}"), **where)

    data = ready.ingested
    with clock.step(Text(f"{name.ko} · 분석과 게시", f"{name.en} · run and publish")):
        bundle = Company(tenant).run(ready.model, dataset=data.dataset, progress=named)
        if bundle.record.status == "failed":
            raise failed_sentence(bundle.record)
        reports.publish(tenant, bundle.record.run, by=analyst_of(tenant.slug))
    return _Done(tenant, data.rows_stored, data.quality.score, bundle.record)


def _show(done: list[_Done]) -> None:
    console.table(
        [
            Text("기업", "company"),
            Text("AI 표준모델", "standard model"),
            Text("행", "rows"),
            Text("품질", "quality"),
            Text("성능(처음 보는 묶음)", "honest score (AP)"),
            Text("기준", "baseline"),
            Text("판정", "verdict"),
        ],
        [
            [
                d.tenant.name,
                d.run.model.name,
                f"{d.rows:,}",
                f"{d.quality:.0f}",
                _score(d.run.metrics.get("average_precision")),
                _score(d.run.baseline.get("average_precision")),
                d.run.outcome,
            ]
            for d in done
        ],
    )


def _score(score: Any) -> str:
    if score is None or score.value is None:
        return "–"
    if score.low is None:
        return f"{score.value:.2f}"
    return f"{score.value:.2f} ({score.low:.2f}–{score.high:.2f})"
