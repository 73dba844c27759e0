"""`runs.begin`: what an analysis notebook holds in its hand, and how it saves.

The same notebook runs under `kamp run` (which prepared a staging folder with the
request) and by hand in JupyterLab (where `begin` prepares its own).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from kamp_lib.brief import Brief
from kamp_lib.catalog import (
    Family,
    StandardModel,
    families,
    resolve_parameters,
    standard_model,
)
from kamp_lib.errors import KampError, UsageError
from kamp_lib.runs.bundle import Bundle
from kamp_lib.runs.record import DatasetRef, ModelRef, RunRecord
from kamp_lib.runs.staging import finish, new_run_id, staging
from kamp_lib.settings import package_version, person
from kamp_lib.tenancy import Tenant, tenant_at, tenant_named
from kamp_lib.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from kamp_lib.datasets import Dataset
    from kamp_lib.learning import Outcome, Task

# Called with a staged bundle just before it becomes one.
Finisher = Callable[[Path], None]

REQUEST = "request.json"
ERROR = "error.json"
LIBRARIES = (
    "numpy",
    "pandas",
    "pyarrow",
    "deltalake",
    "scikit-learn",
    "xgboost-cpu",
    "shap",
    "papermill",
)


class Request(BaseModel):
    """What `kamp run` decided before the kernel started."""

    run: str
    tenant_home: str
    model: str
    dataset: str
    version: int
    parameters: dict[str, Any]
    edited: list[str]
    started: datetime


@dataclass(repr=False)
class Run(Brief):
    """One run of a standard model on one version of a data set."""

    id: str
    tenant: Tenant
    family: Family
    model: StandardModel | None
    dataset: Dataset
    task: Task
    parameters: dict[str, Any]
    edited: list[str]
    started: datetime
    folder: Path
    by_hand: bool
    _close: ExitStack = field(default_factory=ExitStack, repr=False)

    def data(self, columns: list[str] | None = None) -> pd.DataFrame:
        """The rows of the data set version this run reads (times in UTC)."""
        return self.dataset.to_pandas(columns=columns)

    def save(self, outcome: Outcome) -> Bundle:
        """Write the outcome into the bundle; by hand this also finishes the run."""
        write_outcome(self.folder, outcome)
        record = self._record(outcome)
        write_record(self.folder, record)
        if not self.by_hand:
            return Bundle(self.folder)
        final = finish(self.folder, self.id)
        self._close.close()
        return Bundle(final)

    def _record(self, outcome: Outcome) -> RunRecord:
        now = datetime.now(UTC)
        return RunRecord(
            run=self.id,
            status="succeeded",
            tenant=self.tenant.slug,
            tenant_name=self.tenant.name,
            time_zone=self.tenant.time_zone,
            person=person(),
            model=model_ref(self.family, self.model, self.task),
            dataset=dataset_ref(self.dataset),
            parameters=self.parameters,
            edited=self.edited,
            split=outcome.split,
            metrics=outcome.metrics,
            baseline=outcome.baseline,
            baseline_name=outcome.baseline_name,
            shuffled=outcome.shuffled,
            forward=outcome.forward,
            method=outcome.method,
            method_name=outcome.method_name,
            threshold=outcome.threshold,
            verdict=outcome.verdict,
            money=outcome.money,
            notes={**outcome.notes, "by_hand": self.by_hand},
            libraries=library_versions(),
            started=self.started,
            finished=now,
            seconds=(now - self.started).total_seconds(),
        )

    def _repr_html_(self) -> str:
        from html import escape

        name = self.model.label if self.model else self.family.label
        rows = {
            Text("기업", "company"): self.tenant.name,
            Text("AI 표준모델", "standard model"): name,
            Text(
                "데이터셋", "data set"
            ): f"{self.dataset.name} v{self.dataset.version}",
            Text("분석 실행", "run"): self.id,
        }
        cells = "".join(
            f"<tr><th style='text-align:left'>{escape(str(k))}</th>"
            f"<td style='text-align:left'>{escape(str(v))}</td></tr>"
            for k, v in rows.items()
        )
        return f"<table>{cells}</table>"


def begin(
    *,
    model: str,
    tenant: str | None = None,
    dataset: str | None = None,
    version: int | None = None,
    bundle: str | None = None,
    parameters: dict[str, Any] | None = None,
) -> Run:
    """Open everything an analysis needs.

    Parameters
    ----------
    model
        Id of a standard model, or of a problem family to run on any data set.
    tenant
        Company; None inside a workspace.
    dataset, version
        None for the newest fitting data set, and its newest version.
    bundle
        Staging folder that `kamp run` prepared; None when run by hand.
    parameters
        Parameters of the family; None values mean the model's default.
    """
    if bundle is not None:
        return _prepared(Path(bundle))
    given = {k: v for k, v in (parameters or {}).items() if v is not None}
    company = tenant_named(tenant)
    family, standard = find_model(model)
    resolved = resolve_parameters(family, standard, given)
    data = choose_dataset(company, family, standard, dataset, version)
    run_id = new_run_id(standard.id if standard else family.id)
    stack = ExitStack()
    folder = stack.enter_context(staging(company.runs, run_id))
    return Run(
        id=run_id,
        tenant=company,
        family=family,
        model=standard,
        dataset=data,
        task=make_task(company, family, standard, data, resolved),
        parameters=resolved,
        edited=sorted(given),
        started=datetime.now(UTC),
        folder=folder,
        by_hand=True,
        _close=stack,
    )


def _prepared(folder: Path) -> Run:
    """The run that `kamp run` asked for in this staging folder."""
    from kamp_lib.datasets import open_dataset

    _tell_errors(folder)
    request = Request.model_validate_json((folder / REQUEST).read_bytes())
    company = tenant_at(Path(request.tenant_home))
    family, standard = find_model(request.model)
    data = open_dataset(company, request.dataset, version=request.version)
    return Run(
        id=request.run,
        tenant=company,
        family=family,
        model=standard,
        dataset=data,
        task=make_task(company, family, standard, data, request.parameters),
        parameters=request.parameters,
        edited=request.edited,
        started=request.started,
        folder=folder,
        by_hand=False,
    )


def _tell_errors(folder: Path) -> None:
    """Have a KampError of any cell written down in both languages for `kamp run`."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return

    def note(result: Any) -> None:
        error = result.error_in_exec or result.error_before_exec
        if isinstance(error, KampError):
            text = json.dumps(error.text.model_dump(), ensure_ascii=False)
            (folder / ERROR).write_text(text, encoding="utf-8")

    shell.events.register("post_run_cell", note)


def find_model(model: str) -> tuple[Family, StandardModel | None]:
    """A standard model by id, or a problem family by its own name."""
    if model in families():
        return families()[model], None
    standard = standard_model(model)
    return families()[standard.family], standard


def choose_dataset(
    tenant: Tenant,
    family: Family,
    model: StandardModel | None,
    name: str | None,
    version: int | None,
) -> Dataset:
    """The data set to read: the named one, else the newest that fits the model.

    Raises
    ------
    KampError
        When none fits; it names what there is and what to do.
    """
    from kamp_lib.datasets import list_datasets, open_dataset

    if name is not None:
        return _fitting(open_dataset(tenant, name, version=version), model)
    if version is not None:
        raise UsageError(
            "버전을 고르려면 --dataset 이름도 적어 주세요.",
            "name the data set (--dataset) when you choose a version.",
        )
    there = list_datasets(tenant)
    fitting = [
        d
        for d in there
        if model is None
        or (d.equipment == model.equipment and d.record_kind == model.record_kind)
    ]
    if model is None and len(fitting) > 1:
        names = ", ".join(d.name for d in fitting)
        raise UsageError(
            f"데이터셋이 여럿입니다. --dataset 으로 하나를 골라 주세요: {names}",
            f"there are several data sets; choose one with --dataset: {names}",
        )
    if not fitting:
        kind = model.equipment if model else family.id
        names = ", ".join(d.name for d in there) or "-"
        raise KampError(
            f"'{tenant.slug}'에 이 모델에 맞는 데이터셋이 없습니다(있는 것: {names})."
            f" 먼저 가져오세요: kamp ingest {tenant.slug} {kind} 파일",
            f"{tenant.slug!r} has no data set for this model (there: {names})."
            f" Bring one in first: kamp ingest {tenant.slug} {kind} FILE",
        )
    return max(fitting, key=lambda d: d.updated)


def _fitting(data: Dataset, model: StandardModel | None) -> Dataset:
    if model is None or data.equipment in (model.equipment, "generic"):
        return data
    raise KampError(
        f"데이터셋 '{data.name}'은(는) {data.equipment} 데이터입니다."
        f" {model.ko} 모델은 {model.equipment} 데이터가 필요합니다.",
        f"the data set {data.name!r} is of {data.equipment};"
        f" the model {model.id} needs {model.equipment}.",
    )


def make_task(
    tenant: Tenant,
    family: Family,
    model: StandardModel | None,
    data: Dataset,
    parameters: dict[str, Any],
) -> Task:
    """Hold the data set against the model: raises before any kernel starts."""
    from kamp_lib.learning import task_for

    return task_for(
        family,
        model,
        data.columns,
        parameters,
        time_zone=tenant.time_zone,
        simulated=data.simulated,
    )


def model_ref(family: Family, model: StandardModel | None, task: Task) -> ModelRef:
    """How the record names the model."""
    return ModelRef(
        id=model.id if model else family.id,
        version=model.version if model else package_version(),
        name=model.label if model else family.label,
        family=family.id,
        equipment=model.equipment if model else None,
        decision=model.decision if model else None,
        case=task.case,
        bad=task.bad,
        good=task.good,
    )


def dataset_ref(data: Dataset) -> DatasetRef:
    """The exact data, as the record keeps it."""
    return DatasetRef(
        name=data.name,
        version=data.version,
        fingerprint=data.fingerprint,
        rows=data.rows,
        equipment=data.equipment,
        record_kind=data.record_kind,
        simulated=data.simulated,
        quality=data.quality,
        findings=data.findings,
        columns=data.columns,
        first_time=data.first_time,
        last_time=data.last_time,
        files=[file["name"] for file in data.files],
    )


def library_versions() -> dict[str, str]:
    """Versions of what computed the numbers."""
    found = {"kamp-workbench": package_version()}
    for name in LIBRARIES:
        try:
            found[name] = library_version(name)
        except ModuleNotFoundError:  # xgboost-cpu is called xgboost on some systems
            continue
    return found


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Tables, figures and model of an outcome into a bundle folder."""
    tables = folder / "tables"
    tables.mkdir(exist_ok=True)
    for name, frame in outcome.tables.items():
        frame.to_parquet(tables / f"{name}.parquet", index=False)
    if outcome.images:
        figures = folder / "figures"
        figures.mkdir(exist_ok=True)
        for name, content in outcome.images.items():
            (figures / name).write_bytes(content)
    if outcome.model is not None:
        model = folder / "model"
        model.mkdir(exist_ok=True)
        outcome.model.save(model)


def write_record(folder: Path, record: RunRecord) -> None:
    (folder / "run.json").write_text(record.model_dump_json(indent=1), encoding="utf-8")
