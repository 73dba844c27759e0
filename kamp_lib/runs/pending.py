"""What could be run on a company's data, and what of it has been done already.

A run is the same as an earlier one when model version, data (version and content) and
parameters are the same; what was edited by hand in a notebook counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamp_lib.catalog import resolve_parameters, standard_models
from kamp_lib.errors import KampError, UsageError
from kamp_lib.runs.bundle import Bundle, list_runs
from kamp_lib.runs.context import find_model
from kamp_lib.settings import package_version
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets import Dataset


@dataclass(frozen=True)
class Pending:
    """One model on the newest version of one data set.

    Attributes
    ----------
    done
        The run that did exactly this, if there is one.
    before
        The last run of this model on an earlier state of this data set.
    refused
        Why it cannot be run at all.
    """

    model: str
    dataset: str = ""
    version: int = 0
    done: str | None = None
    before: str | None = None
    refused: Text | None = None


def pending_runs(
    tenant: Tenant,
    models: Sequence[str] | None = None,
    *,
    dataset: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> list[Pending]:
    """Each of `models` (all standard models when None) on each data set that fits it.

    Raises
    ------
    UsageError
        For a model that does not exist, or parameters that it does not have.
    """
    from kamp_lib.datasets import list_datasets, open_dataset

    found: list[Pending] = []

    def unreadable(error: KampError) -> None:
        found.append(Pending(model="", refused=error.text))

    sets = (
        [open_dataset(tenant, dataset)]
        if dataset is not None
        else list_datasets(tenant, unreadable=unreadable)
    )
    earlier = list(_finished(tenant))
    for model in models if models is not None else sorted(standard_models()):
        found += _of_model(model, sets, earlier, dict(parameters or {}), dataset)
    return found


@dataclass(frozen=True)
class _Done:
    """What counts of a run that ended well: little, since there may be thousands."""

    run: str
    model: str
    model_version: str
    dataset: str
    version: int
    fingerprint: str
    parameters: dict[str, Any]


def _of_model(
    model: str,
    sets: Sequence[Dataset],
    earlier: Sequence[_Done],
    given: dict[str, Any],
    dataset: str | None,
) -> Iterator[Pending]:
    family, standard = find_model(model)
    resolved = resolve_parameters(family, standard, given)
    version = standard.version if standard else package_version()
    fitting = [
        d
        for d in sets
        if standard is None
        or dataset is not None
        or (d.equipment, d.record_kind) == (standard.equipment, standard.record_kind)
    ]
    if standard is None and len(fitting) > 1:
        names = ", ".join(d.name for d in fitting)
        raise UsageError(
            f"데이터셋이 여럿입니다. --dataset 으로 하나를 골라 주세요: {names}",
            f"there are several data sets; choose one with --dataset: {names}",
        )
    for data in fitting:
        own = [r for r in earlier if (r.model, r.dataset) == (model, data.name)]
        same = [r for r in own if _is_same(r, data, version, resolved)]
        others = [r for r in own if r not in same]
        yield Pending(
            model=model,
            dataset=data.name,
            version=data.version,
            done=same[0].run if same else None,
            before=others[0].run if others else None,
        )


def _is_same(
    done: _Done, data: Dataset, version: str, parameters: dict[str, Any]
) -> bool:
    return (
        done.model_version == version
        and done.parameters == parameters
        and done.version == data.version
        # a data set that was removed and brought in anew counts its versions anew, too
        and done.fingerprint == data.fingerprint
    )


def _finished(tenant: Tenant) -> Iterator[_Done]:
    """What ran to its end by itself, newest first."""
    for bundle in list_runs(tenant):
        done = _read(bundle.path)
        if done is not None:
            yield done


@lru_cache(maxsize=100_000)
def _read(folder: Path) -> _Done | None:
    """A bundle does not change once it is there, so a worker that stays reads it once.

    None for what does not count: it failed, was made by hand, or cannot be read.
    """
    try:
        record = Bundle(folder).record
    except KampError:
        return None
    read = record.dataset
    if record.status != "succeeded" or record.notes.get("by_hand") or read is None:
        return None
    return _Done(
        run=record.run,
        model=record.model.id,
        model_version=record.model.version,
        dataset=read.name,
        version=read.version,
        fingerprint=read.fingerprint,
        parameters=record.parameters,
    )
