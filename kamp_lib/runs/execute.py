"""Run an analysis notebook with Papermill and make its bundle.

The request is checked before a kernel starts: Papermill writes parameter names into the
notebook as code and treats paths as templates, so neither ever comes from outside.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamp_lib.catalog import resolve_parameters
from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.runs import kernel
from kamp_lib.runs.bundle import Bundle
from kamp_lib.runs.context import (
    ERROR,
    REQUEST,
    Finisher,
    Request,
    choose_dataset,
    dataset_ref,
    find_model,
    library_versions,
    make_task,
    model_ref,
    write_record,
)
from kamp_lib.runs.record import RunRecord
from kamp_lib.runs.staging import finish, new_run_id, staging
from kamp_lib.settings import person, settings
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from kamp_lib.datasets import Dataset
    from kamp_lib.learning import Task

KERNEL_START = Text("분석 준비", "Starting the analysis")
DEAD_KERNEL = Text(
    "분석 도중 계산 프로세스가 꺼졌습니다. 메모리가 부족했을 수 있습니다:"
    " 데이터를 나누거나 메모리를 늘려 다시 실행하세요.",
    "the computing process died; it may have run out of memory: use less data"
    " or more memory and run again.",
)


def execute(
    tenant: Tenant,
    model: str,
    *,
    dataset: str | None = None,
    version: int | None = None,
    parameters: dict[str, Any] | None = None,
    on_staged: Finisher | None = None,
    progress: Progress = silent,
) -> Bundle:
    """Run `model` on a data set of `tenant` and return its bundle.

    A run that fails (a cell's error, the time limit, a dead kernel) is a bundle too,
    with `status` "failed" and the reason. Ctrl-C and a kill leave none.

    Parameters
    ----------
    on_staged
        Called with the staged folder just before it becomes the bundle.

    Raises
    ------
    UsageError
        For parameters that the model's schema does not allow.
    KampError
        When no data set fits, or the folder of runs cannot be written.
    """
    given = parameters or {}
    family, standard = find_model(model)
    resolved = resolve_parameters(family, standard, given)
    kernel.warm_up()
    data = choose_dataset(tenant, family, standard, dataset, version)
    task = make_task(tenant, family, standard, data, resolved)
    run_id = new_run_id(standard.id if standard else family.id)
    request = Request(
        run=run_id,
        tenant_home=str(tenant.home.resolve()),
        model=model,
        dataset=data.name,
        version=data.version,
        parameters=resolved,
        edited=sorted(given),
        started=datetime.now(UTC),
    )
    with staging(tenant.runs, run_id) as folder:
        (folder / REQUEST).write_text(request.model_dump_json(), encoding="utf-8")
        watch = _Watch(progress, deadline=time.monotonic() + settings().run_timeout)
        reason = _run_notebook(family.id, folder.resolve(), watch)
        if reason is None:
            record = Bundle(folder).record
        else:
            record = _failed(request, tenant, data, task, reason)
        now = datetime.now(UTC)
        record.finished = now
        record.seconds = round((now - request.started).total_seconds(), 3)
        record.timings = watch.timings()
        write_record(folder, record)
        for spent in (REQUEST, ERROR):
            (folder / spent).unlink(missing_ok=True)
        if on_staged is not None:
            on_staged(folder)
        return Bundle(finish(folder, run_id))


def _run_notebook(family: str, folder: Path, watch: _Watch) -> Text | None:
    """Execute the family's template in `folder`; the reason when it failed."""
    import nbformat
    from nbclient.exceptions import DeadKernelError
    from papermill import execute_notebook
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    papermill_engines.register("kamp", kernel.engine())
    template = settings().templates / "analyses" / f"{family}.ipynb"
    notebook = nbformat.read(template, as_version=4)
    try:
        with tempfile.TemporaryDirectory(prefix="kamp-") as private:
            execute_notebook(
                notebook,
                None,
                parameters={"bundle": str(folder)},
                engine_name="kamp",
                kernel_name=kernel.KERNEL,
                language="python",
                progress_bar=False,
                watch=watch,
                folder=folder,
                private=private,
            )
    except PapermillExecutionError as error:
        return _reason_of(folder, error)
    except DeadKernelError:
        return DEAD_KERNEL
    except TimeoutError:
        limit = settings().run_timeout
        return Text(
            f"분석이 제한 시간({limit}초) 안에 끝나지 않았습니다. 데이터를 줄이거나"
            " KAMP_RUN_TIMEOUT 값을 늘리세요.",
            f"the analysis did not end within {limit} s; use less data or raise"
            " KAMP_RUN_TIMEOUT.",
        )
    finally:
        if watch.notebook is not None:
            nbformat.write(watch.notebook, folder / "analysis.ipynb")
    return None


def _reason_of(folder: Path, error: Any) -> Text:
    """The sentence of a failed cell: our own in both languages, else its last line."""
    told = folder / ERROR
    if told.is_file():
        return Text(**json.loads(told.read_text(encoding="utf-8")))
    detail = f"{error.ename}: {error.evalue}".strip()[:300]
    return Text(
        f"분석 단계에서 오류가 났습니다({detail}). 자세한 내용은 analysis.ipynb에 있습니다.",
        f"a step of the analysis failed ({detail}); see analysis.ipynb.",
    )


def _failed(
    request: Request, tenant: Tenant, data: Dataset, task: Task, reason: Text
) -> RunRecord:
    family, standard = find_model(request.model)
    return RunRecord(
        run=request.run,
        status="failed",
        reason=reason,
        tenant=tenant.slug,
        tenant_name=tenant.name,
        time_zone=tenant.time_zone,
        person=person(),
        model=model_ref(family, standard, task),
        dataset=dataset_ref(data),
        parameters=request.parameters,
        edited=request.edited,
        libraries=library_versions(),
        started=request.started,
        finished=request.started,
    )


@dataclass
class _Watch:
    """Follows a notebook's cells: tells progress by its headings, keeps the clock."""

    progress: Progress
    deadline: float
    notebook: NotebookNode | None = None
    marks: list[tuple[str, float]] = field(default_factory=list)

    def start(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self._mark(KERNEL_START, 0)

    def cell(self, index: int) -> None:
        assert self.notebook is not None  # noqa: S101 - start() comes first
        heading = _heading(self.notebook.cells[index])
        if heading is not None:
            self._mark(heading, index)

    def _mark(self, step: Text, index: int) -> None:
        total = len(self.notebook.cells) if self.notebook else None
        self.marks.append((step.en, time.monotonic()))
        self.progress(step, done=index, total=total)

    def left(self, cell: Any = None) -> float:
        """Seconds until the deadline, asked for before each cell."""
        return max(1.0, self.deadline - time.monotonic())

    def timings(self) -> dict[str, float]:
        """Seconds per step, by its English name."""
        ends = [at for _, at in self.marks[1:]] + [time.monotonic()]
        pairs = zip(self.marks, ends, strict=True)
        return {name: round(end - at, 3) for (name, at), end in pairs}


def _heading(cell: NotebookNode) -> Text | None:
    """`## 2. 나누기 · Split` -> Text("나누기", "Split")."""
    if cell.cell_type != "markdown":
        return None
    heading = re.match(r"##\s+(?:\d+[.)]\s*)?(.+)", cell.source)
    if heading is None:
        return None
    ko, _, en = heading.group(1).partition(" · ")
    return Text(ko.strip(), en.strip() or ko.strip())


def failed_sentence(record: RunRecord) -> KampError:
    """The error that the command line prints for a failed run."""
    reason = record.reason or Text("알 수 없는 이유입니다.", "for an unknown reason.")
    return KampError(f"분석 실패: {reason.ko}", f"the run failed: {reason.en}")
