"""The door: files -> read -> map -> check -> quarantine -> a new version, or nothing.

Rows are never lost: read = stored + quarantined + duplicate, always.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from kamp_lib.catalog import Equipment, equipment_type
from kamp_lib.datasets.job import Job, Plan
from kamp_lib.datasets.mapping.file import load_mapping
from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.preview import first_rows
from kamp_lib.datasets.raw import PROVENANCE
from kamp_lib.datasets.reading.files import Paths, read
from kamp_lib.datasets.rows import typed_rows
from kamp_lib.datasets.storage.dataset import Dataset
from kamp_lib.datasets.storage.durable import storing
from kamp_lib.datasets.storage.remembered import mapping_path, remembered, remembering
from kamp_lib.datasets.storage.store import Store, check_name
from kamp_lib.datasets.storage.transaction import writing
from kamp_lib.datasets.types import IngestResult, Mapping
from kamp_lib.errors import UsageError
from kamp_lib.progress import Progress, silent
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

# Of the columns of a file that a remembered mapping has to know: next month's may have
# one more or one less.
SAME_FILE = 0.8
# Words of an equipment's id that say nothing: injection-moulding -> injection.
PLAIN_WORDS = frozenset({"machine", "moulding"})


def ingest(
    tenant: Tenant,
    equipment: str,
    files: Paths,
    *,
    dataset: str | None = None,
    mapping: str | os.PathLike[str] | None = None,
    labels: str | os.PathLike[str] | None = None,
    on: str | None = None,
    record_kind: str | None = None,
    replace: bool = False,
    dry_run: bool = False,
    simulated: bool = False,
    options: Options = UNSAID,
    progress: Progress = silent,
) -> IngestResult:
    """Bring files into a data set: a new version of it, all or nothing.

    Parameters
    ----------
    tenant : Tenant
        Whose data.
    equipment : str
        Id of the equipment type.
    files : path or iterable of paths
        See `read`.
    dataset : str, optional
        Name; None uses `default_name`.
    mapping : path, optional
        A mapping file; None uses the one remembered for these columns, or proposes one.
    labels, on : path and str, optional
        See `read`.
    record_kind : str, optional
        What one row is; None lets the columns tell.
    replace : bool, default False
        The rows take the place of all that the data set holds.
    dry_run : bool, default False
        Tell what would happen; write nothing.
    simulated : bool, default False
        Mark every row as simulated.
    options : Options
        What the person decides about the files: sheet, order of dates, fixes.
    progress : Progress
        Told of each step.

    Returns
    -------
    IngestResult
        Always `rows_read == rows_stored + rows_quarantined + rows_duplicate`.

    Raises
    ------
    KampError
        When nothing was stored, with the reason; the store is then as it was.
    """
    machine = equipment_type(equipment)
    clock = _Clock(progress)
    options = dataclasses.replace(options, progress=progress, scratch=tenant.data)
    with clock.step("read", Text("파일 읽는 중", "reading files")):
        raw = read(files, labels=labels, on=on, options=options, progress=progress)
    with clock.step("parse", Text("값을 해석하는 중", "reading values")):
        rows = typed_rows(
            raw,
            tenant,
            options=options,
            simulated=simulated,
            remember_key=not dry_run,
        )
    with clock.step("map", Text("열을 맞추는 중", "mapping columns")):
        known = _known_mapping(tenant, equipment, dataset, rows.frame, mapping)
        _check_kind(record_kind, machine)
        _check_kind(known.record_kind if known else None, machine)
        chosen, shifts = propose_mapping(
            rows.frame,
            machine,
            record_kind=record_kind,
            remembered=known,
            units=rows.units,
            sure=settings().mapping_sure,
            ask=options.column,
        )
        frame = apply_mapping(rows.frame, chosen)
    name = check_name(dataset or default_name(machine, chosen.record_kind))
    job = Job(tenant, machine, name, raw, rows, chosen, shifts, frame, replace, options)
    store = Store(tenant.data / name)
    if dry_run:
        with clock.step("check", Text("데이터를 확인하는 중", "checking the data")):
            plan = job.plan(store)
        seen = first_rows(frame, tenant.time_zone)
        said = _result(job, plan, clock, version=None, dry_run=True)
        return said.model_copy(update={"first_rows": seen})
    with storing(store.folder), store.locked(progress), writing(store) as work:
        with clock.step("check", Text("데이터를 확인하는 중", "checking the data")):
            plan = job.plan(store, settled=work.begin)
        if plan.unchanged:
            return _result(job, plan, clock, version=plan.state.version)
        copy = remembering(chosen, job.id, mapping_path(tenant, equipment, name))
        with clock.step("store", Text("저장하는 중", "storing")), copy:
            version = work.commit(job.staged(plan))
        return _result(job, plan, clock, version=version)


def default_name(machine: Equipment, record_kind: str | None) -> str:
    """The name of a data set when none is given.

    The word of the equipment's id that says something (`injection`, `cnc`, `vision`,
    `press`); for further record kinds the kind follows (`cnc-measured-part`).
    """
    words = [w for w in machine.id.split("-") if w not in PLAIN_WORDS]
    name = words[0] if words else machine.id
    kinds = [kind.id for kind in machine.record_kinds]
    if record_kind in (None, *kinds[:1]):
        return name
    return f"{name}-{record_kind}"


def _known_mapping(
    tenant: Tenant,
    equipment: str,
    dataset: str | None,
    frame: pd.DataFrame,
    given: str | os.PathLike[str] | None,
) -> Mapping | None:
    """The mapping to use: the given file, or one remembered for (nearly) these columns."""
    if given is not None:
        return load_mapping(Path(given), equipment)
    columns = {str(c) for c in frame.columns} - set(PROVENANCE)
    known = remembered(tenant, equipment)

    def shared(name: str) -> float:
        sources = {m.source for m in known[name].columns}
        return len(sources & columns) / max(1, len(sources | columns))

    near = [name for name in known if shared(name) >= SAME_FILE]
    best = max(near, key=lambda name: (shared(name), name == dataset), default=None)
    return known[best] if best is not None else None


def _check_kind(record_kind: str | None, machine: Equipment) -> None:
    kinds = [kind.id for kind in machine.record_kinds]
    if record_kind is not None and record_kind not in kinds:
        known = ", ".join(kinds) or "-"
        raise UsageError(
            f"설비 '{machine.id}'에 '{record_kind}' 기록은 없습니다. 쓸 수 있는 것: {known}",
            f"equipment {machine.id!r} has no records of kind {record_kind!r}; known: {known}",
        )


def _result(
    job: Job, plan: Plan, clock: _Clock, *, version: int | None, dry_run: bool = False
) -> IngestResult:
    copy = mapping_path(job.tenant, job.machine.id, job.name)
    said = Dataset(plan.state).findings if plan.unchanged else plan.findings
    return IngestResult(
        tenant=job.tenant.slug,
        equipment=job.machine.id,
        dataset=job.name,
        version=version,
        record_kind=job.mapping.record_kind,
        rows_read=plan.counts["read"],
        rows_stored=plan.counts["stored"],
        rows_quarantined=plan.counts["quarantined"],
        rows_duplicate=plan.counts["duplicate"],
        unchanged=plan.unchanged,
        dry_run=dry_run,
        simulated=job.simulated,
        quality=job.quality(plan),
        findings=said,
        fixes=plan.fixes,
        mapping=job.mapping,
        mapping_file=str(copy) if copy.exists() else None,
        files=job.files(),
        seconds=clock.seconds,
    )


class _Clock:
    """Tells the steps and keeps how long each took."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def step(self, name: str, said: Text) -> Iterator[None]:
        self._progress(said)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
