"""What the start page shows: models that fit, runs and their verdicts, notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kamp_lib.catalog import (
    StandardModel,
    equipment_types,
    families,
    standard_models,
)
from kamp_lib.errors import KampError
from kamp_lib.runs import Bundle, RunRecord, list_runs
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text
from kamp_lib.workspace.layout import laid_out

SHOWN_RUNS = 10
Data = dict[str, Any]  # a data set as `tasks.datasets` describes it


@dataclass(frozen=True)
class ModelCard:
    """A standard model and the newest data set that it can run on."""

    model: StandardModel
    equipment: Text
    dataset: str | None


@dataclass(frozen=True)
class RunCard:
    """A run as the list shows it; without a record when that is damaged."""

    run: str
    record: RunRecord | None
    published: bool

    @property
    def state(self) -> str:
        """`usable`, `not-usable-yet` or `failed`."""
        if self.record is None or self.record.verdict is None:
            return "failed"
        return str(self.record.verdict.value)

    @property
    def sentence(self) -> Text:
        record = self.record
        if record is None:
            return Text("", "")
        if record.verdict is not None:
            return record.verdict.sentence
        return record.reason or Text("", "")


@dataclass(frozen=True)
class NotebookCard:
    """A notebook that was laid out for the analyst."""

    path: str  # below the workspace, as JupyterLab opens it
    title: Text
    about: Text


def model_cards(tenant: Tenant, datasets: list[Data]) -> list[ModelCard]:
    """The models for the company's machines, and for machines it has data of."""
    machines = set(tenant.equipment) | {d["equipment"] for d in datasets}
    return [
        ModelCard(
            model=model,
            equipment=equipment_label(model.equipment),
            dataset=fitting(model, datasets),
        )
        for model in standard_models().values()
        if model.equipment in machines
    ]


def fitting(model: StandardModel, datasets: list[Data]) -> str | None:
    """The newest data set of the model's machine and record kind."""
    right = [
        d
        for d in datasets
        if (d["equipment"], d["record_kind"]) == (model.equipment, model.record_kind)
    ]
    newest = max(right, key=lambda d: str(d["updated"]), default=None)
    return None if newest is None else str(newest["name"])


Analysis = tuple[str, Text, Text]  # id, name, what it answers


def models_for(dataset: Data) -> list[Analysis]:
    """The standard models of a data set's machine and record kind."""
    kind = (dataset.get("equipment"), dataset.get("record_kind"))
    models = standard_models().values()
    return [
        (m.id, m.label, m.decision)
        for m in models
        if (m.equipment, m.record_kind) == kind
    ]


def family_analyses() -> list[Analysis]:
    """The problem families: each runs by its own name on any data set."""
    return [(f.id, f.label, f.question) for f in families().values()]


def analyses_for(dataset: Data) -> list[Analysis]:
    """What may be run on a data set: its standard models, then the problem families."""
    return models_for(dataset) + family_analyses()


def equipment_label(equipment: str) -> Text:
    known = equipment_types().get(equipment)
    return known.label if known else Text(equipment, equipment)


def equipment_choices(tenant: Tenant) -> tuple[list[tuple[str, Text]], ...]:
    """The company's own machines, and all the others."""
    own = [e for e in tenant.equipment if e in equipment_types()]
    rest = [e for e in equipment_types() if e not in own]
    return tuple([(e, equipment_label(e)) for e in part] for part in (own, rest))


def run_cards(tenant: Tenant) -> tuple[list[RunCard], int]:
    """The latest runs, and how many there are before them."""
    bundles = list_runs(tenant)
    latest = [_run_card(tenant, bundle) for bundle in bundles[:SHOWN_RUNS]]
    return latest, max(0, len(bundles) - SHOWN_RUNS)


def _run_card(tenant: Tenant, bundle: Bundle) -> RunCard:
    name = bundle.path.name
    published = (tenant.published / name).is_dir()
    try:
        return RunCard(name, bundle.record, published)
    except KampError:
        return RunCard(name, None, published)


def notebook_cards(tenant: Tenant) -> list[NotebookCard]:
    """The notebooks that were laid out and are still there."""
    there = [p for p in laid_out() if (tenant.workspace / p.path).is_file()]
    return [NotebookCard(p.path, p.title, p.about) for p in there]


def moment(written: str) -> datetime:
    """A time as `tasks.datasets` writes it."""
    return datetime.fromisoformat(written)
