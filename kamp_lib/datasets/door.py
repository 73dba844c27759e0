"""The door: files -> read -> map -> check -> quarantine -> a new version, or nothing.

Rows are never lost: read = stored + quarantined + duplicate, always.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from kamp_lib.catalog import Equipment, equipment_type
from kamp_lib.datasets.checks import check
from kamp_lib.datasets.dataset import Dataset, as_frame, open_dataset
from kamp_lib.datasets.duplicates import duplicate_rows
from kamp_lib.datasets.mapping import apply_mapping, propose_mapping, standard_columns
from kamp_lib.datasets.mapping_file import load_mapping, save_mapping
from kamp_lib.datasets.parsing import parse
from kamp_lib.datasets.quality import quality_score
from kamp_lib.datasets.quarantine import rejected_rows
from kamp_lib.datasets.raw import FILE, PROVENANCE, Raw
from kamp_lib.datasets.reading import Paths, read
from kamp_lib.datasets.shape import as_stored, fitted
from kamp_lib.datasets.store import Manifest, State, Store, check_name, storing
from kamp_lib.datasets.transaction import Staged, store_ingest
from kamp_lib.datasets.types import (
    ORIGIN,
    SIMULATED,
    Finding,
    IngestResult,
    Mapping,
    Quality,
    StoredColumn,
)
from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

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
    with clock.step("read", Text("파일을 읽는 중", "reading files")):
        raw = read(files, labels=labels, on=on, progress=progress)
    with clock.step("parse", Text("값을 해석하는 중", "reading values")):
        rows = _rows(raw, tenant, simulated=simulated)
    with clock.step("map", Text("열을 맞추는 중", "mapping columns")):
        remembered = _remembered(tenant, equipment, dataset, rows.frame, mapping)
        chosen, shifts = propose_mapping(
            rows.frame, machine, record_kind=record_kind, remembered=remembered
        )
        frame = apply_mapping(rows.frame, chosen)
    name = check_name(dataset or default_name(machine, chosen.record_kind))
    job = _Job(tenant, machine, name, raw, rows, chosen, shifts, frame, replace)
    store = Store(tenant.data / name)
    if dry_run:
        with clock.step("check", Text("데이터를 확인하는 중", "checking the data")):
            plan = job.plan(store)
        return job.result(plan, clock, version=None, dry_run=True)
    with storing(store.folder), store.locked():
        with clock.step("check", Text("데이터를 확인하는 중", "checking the data")):
            plan = job.plan(store)
        if plan.unchanged:
            return job.result(plan, clock, version=plan.state.version)
        remembering = _remembering(chosen, mapping_path(tenant, equipment, name))
        with clock.step("store", Text("저장하는 중", "storing")), remembering:
            version = store_ingest(store, job.staged(plan), plan.table, replace=replace)
        return job.result(plan, clock, version=version)


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


def mapping_path(tenant: Tenant, equipment: str, dataset: str) -> Path:
    """Where the mapping of a data set is remembered."""
    return tenant.data / "mappings" / equipment / f"{dataset}.yaml"


def undo(tenant: Tenant, dataset: str) -> Dataset | None:
    """Take back the last ingest into a data set, with its quarantined rows.

    Returns
    -------
    Dataset or None
        The data set as it is now; None when nothing is left of it.

    Raises
    ------
    KampError
        When there is no such data set.
    """
    open_dataset(tenant, dataset)
    store = Store(tenant.data / check_name(dataset))
    with storing(store.folder), store.locked():
        state = State(store)
        if not state.ingests:
            raise KampError(
                f"데이터셋 '{dataset}'에는 되돌릴 것이 없습니다.",
                f"there is nothing to take back in data set {dataset!r}.",
            )
        store.go_back(state.previous)
    now = State(store)
    return Dataset(now) if now.ingests else None


@contextmanager
def _remembering(mapping: Mapping, path: Path) -> Iterator[None]:
    """Remember a mapping when, and only when, the block succeeds.

    It is written beforehand, so that a full disk stops the ingest and not what follows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.stem}")  # the data set is locked
    try:
        save_mapping(mapping, partial)
        yield
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()


@dataclass
class _Rows:
    """Typed rows without the rejected ones, and the quarantine table."""

    frame: pd.DataFrame
    rejected: pd.DataFrame
    findings: list[Finding]


def _rows(raw: Raw, tenant: Tenant, *, simulated: bool) -> _Rows:
    parsed = parse(raw, time_zone=tenant.time_zone)
    rejected, places = rejected_rows(raw, parsed)
    keep = np.ones(len(parsed.frame), dtype=bool)
    keep[places] = False
    frame = parsed.frame[keep].reset_index(drop=True) if len(places) else parsed.frame
    raw.release()
    if frame.empty:
        first = rejected["reason_ko"].iloc[0], rejected["reason_en"].iloc[0]
        raise KampError(
            f"저장할 수 있는 행이 하나도 없습니다({first[0]}). 머리글과 값을 확인하세요.",
            f"not one row can be stored ({first[1]}); check the header and the values.",
        )
    if simulated:
        frame = frame.assign(**{ORIGIN: pd.Series(SIMULATED, frame.index, "string")})
    return _Rows(frame, rejected, [*raw.findings, *parsed.findings])


def _remembered(
    tenant: Tenant,
    equipment: str,
    dataset: str | None,
    frame: pd.DataFrame,
    given: str | os.PathLike[str] | None,
) -> Mapping | None:
    """The mapping to use: the given file, or one remembered for the same columns."""
    if given is not None:
        return load_mapping(Path(given))
    columns = {str(c) for c in frame.columns} - set(PROVENANCE)
    files = sorted((tenant.data / "mappings" / equipment).glob("*.yaml"))
    files.sort(key=lambda path: path.stem != dataset)
    for path in files:
        mapping = load_mapping(path)
        if {m.source for m in mapping.columns} == columns:
            return mapping
    return None


@dataclass
class _Plan:
    """What an ingest would do to the data set as it stands."""

    state: State
    table: pa.Table
    wider: pa.Schema | None
    frame: pd.DataFrame
    rejected: pd.DataFrame
    findings: list[Finding]
    counts: dict[str, int]
    unchanged: bool


@dataclass
class _Job:
    """One ingest, read and mapped, before anything is written."""

    tenant: Tenant
    machine: Equipment
    name: str
    raw: Raw
    rows: _Rows
    mapping: Mapping
    shifts: list[Finding]
    mapped: pd.DataFrame
    replace: bool
    id: str = field(
        default_factory=lambda: f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(4)}"
    )

    @property
    def simulated(self) -> bool:
        return ORIGIN in self.mapped and bool((self.mapped[ORIGIN] == SIMULATED).any())

    def plan(self, store: Store) -> _Plan:
        """Leave out what is known, hold the rest against what is stored."""
        state = State(store)
        held = [] if self.replace else state.manifests
        self._check_fits(held)
        again = self._files_known(held)
        new = self.mapped[~self.mapped[FILE].isin(again)] if again else self.mapped
        rejected = self.rows.rejected[~self.rows.rejected[FILE].isin(again)]
        kind = self.mapping.record_kind
        double, repeats = duplicate_rows(new, self.machine, kind)
        frame = new[~double.to_numpy()] if double.any() else new
        table = as_stored(frame, self.machine, kind, self.tenant.time_zone)
        wider = None
        if held:
            old = Dataset(state)
            table, wider = fitted(table, old.schema, self.name)
            fresh = self._not_yet_stored(old, table)
            frame, table = frame[fresh], table.filter(pa.array(fresh))
        findings = [*self.rows.findings, *self.shifts, *repeats]
        if len(frame):
            findings += check(
                frame.reset_index(drop=True),
                self.machine,
                kind,
                mapping=self.mapping,
            )
        read_ = self.raw.rows_read
        counts = {
            "read": read_,
            "stored": len(frame),
            "quarantined": len(rejected),
            "duplicate": read_ - len(frame) - len(rejected),
        }
        unchanged = bool(held) and not len(frame) and not len(rejected)
        return _Plan(state, table, wider, frame, rejected, findings, counts, unchanged)

    def _check_fits(self, held: list[Manifest]) -> None:
        """A data set holds one record kind of one equipment, simulated or real."""
        if not held:
            return
        last = held[-1]
        mine = (self.machine.id, self.mapping.record_kind, self.simulated)
        if (last.equipment, last.record_kind, last.simulated) != mine:
            said = Text("모의 데이터", "simulated"), Text("실제 데이터", "real")
            other = f"{last.equipment}/{last.record_kind}"
            ko, en = (
                (said[0].ko, said[0].en) if last.simulated else (said[1].ko, said[1].en)
            )
            raise KampError(
                f"데이터셋 '{self.name}'에는 다른 종류의 기록({other}, {ko})이 있습니다."
                " --dataset 으로 다른 이름에 저장하세요.",
                f"data set {self.name!r} holds another kind of records ({other}, {en});"
                " store these under another --dataset.",
            )

    def _files_known(self, held: list[Manifest]) -> set[str]:
        """Names of files whose content is in the data set, or came before in this ingest."""
        known = {file["key"] for m in held for file in m.files}
        again: set[str] = set()
        for source in self.raw.sources:
            if source.key in known:
                again.add(source.name)
            known.add(source.key)
        if held and len(again) == len(self.raw.sources):
            self._check_same_meaning(held)
        return again

    def _check_same_meaning(self, held: list[Manifest]) -> None:
        """Known files under a new mapping or new labels would change nothing, silently."""
        mine = self.mapping.names()
        theirs = [m.mapping.names() for m in held]
        if not any(set(n) == set(mine) for n in theirs) or mine in theirs:
            labels = {f["sha256"] for m in held for f in m.files if "role" in f}
            if self.raw.labels is None or self.raw.labels.sha256 in labels:
                return
        raise KampError(
            "이 파일은 다른 열 맞추기나 판정으로 이미 들어 있습니다. 새것으로 바꾸려면 --replace 를 쓰세요.",
            "this file is in the data set already, under another mapping or other labels;"
            " use --replace to store it anew.",
        )

    def _not_yet_stored(self, old: Dataset, table: pa.Table) -> np.ndarray:
        """False for rows that the data set holds already (by id or fine time)."""
        before = old.to_pandas()
        both = pd.concat([before, as_frame(table)], ignore_index=True)
        mask, _ = duplicate_rows(both, self.machine, self.mapping.record_kind)
        return ~mask.to_numpy()[len(before) :]

    def staged(self, plan: _Plan) -> Staged:
        known = standard_columns(
            map(str, plan.frame.columns), self.machine, self.mapping.record_kind
        )
        source_of = {stored: source for source, stored in self.mapping.names().items()}
        columns = []
        for name in map(str, plan.frame.columns):
            source = source_of.get(name, name)
            if name in known:
                columns.append(StoredColumn.standard(known[name], source))
            else:
                kind = _kind(plan.frame[name])
                columns.append(
                    StoredColumn(name=name, source=source, ko=name, en=name, kind=kind)
                )
        manifest = Manifest(
            id=self.id,
            equipment=self.machine.id,
            record_kind=self.mapping.record_kind,
            time_zone=self.tenant.time_zone,
            simulated=self.simulated,
            created=datetime.now(UTC).isoformat(),
            rows=plan.counts,
            files=self.files(),
            mapping=self.mapping,
            columns=columns,
            quality=self.quality(plan),
            findings=plan.findings,
        )
        return Staged(manifest, plan.rejected, self.raw, plan.wider)

    def files(self) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = []
        labels = [self.raw.labels] if self.raw.labels else []
        for source in [*self.raw.sources, *labels]:
            described.append(
                {
                    "name": source.name,
                    "sha256": source.sha256,
                    "bytes": source.bytes,
                    "rows": source.rows,
                    "key": source.key,
                    **({"run": source.run} if source.run else {}),
                    **({"role": "labels"} if source is self.raw.labels else {}),
                    **source.details,
                }
            )
        return described

    def quality(self, plan: _Plan) -> Quality:
        if plan.unchanged:
            return Dataset(plan.state).quality
        return quality_score(
            plan.frame if len(plan.frame) else self.mapped,
            plan.findings,
            rows_read=plan.counts["read"],
            rows_quarantined=plan.counts["quarantined"],
            rows_duplicate=plan.counts["duplicate"],
            equipment=self.machine,
            record_kind=self.mapping.record_kind,
        )

    def result(
        self, plan: _Plan, clock: _Clock, *, version: int | None, dry_run: bool = False
    ) -> IngestResult:
        remembered = mapping_path(self.tenant, self.machine.id, self.name)
        return IngestResult(
            tenant=self.tenant.slug,
            equipment=self.machine.id,
            dataset=self.name,
            version=version,
            record_kind=self.mapping.record_kind,
            rows_read=plan.counts["read"],
            rows_stored=plan.counts["stored"],
            rows_quarantined=plan.counts["quarantined"],
            rows_duplicate=plan.counts["duplicate"],
            unchanged=plan.unchanged,
            dry_run=dry_run,
            simulated=self.simulated,
            quality=self.quality(plan),
            findings=(
                Dataset(plan.state).findings if plan.unchanged else plan.findings
            ),
            mapping=self.mapping,
            mapping_file=str(remembered) if remembered.exists() else None,
            files=self.files(),
            seconds=clock.seconds,
        )


def _kind(values: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(values):
        return "time"
    return "number" if pd.api.types.is_numeric_dtype(values) else "text"


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
