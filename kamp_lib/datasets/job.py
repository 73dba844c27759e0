"""One ingest between reading and writing: what it would do to the data set as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from kamp_lib.catalog import Equipment
from kamp_lib.datasets.abreast import beside, ready
from kamp_lib.datasets.checks import check
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.fixes import apply_fixes, put_aside
from kamp_lib.datasets.mapping.propose import standard_columns
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.quality import quality_score
from kamp_lib.datasets.raw import FILE, Raw
from kamp_lib.datasets.rows import Rows, chosen_rows
from kamp_lib.datasets.spool import in_memory
from kamp_lib.datasets.storage.dataset import Dataset, as_frame
from kamp_lib.datasets.storage.drift import drift
from kamp_lib.datasets.storage.duplicates import duplicate_rows
from kamp_lib.datasets.storage.manifest import Manifest
from kamp_lib.datasets.storage.shape import as_stored, fitted
from kamp_lib.datasets.storage.store import State, Store
from kamp_lib.datasets.storage.summaries import Summary, summarise
from kamp_lib.datasets.storage.transaction import Coming, Staged
from kamp_lib.datasets.types import (
    ORIGIN,
    SIMULATED,
    AppliedFix,
    Finding,
    Mapping,
    Quality,
    StoredColumn,
)
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

Settled = Callable[[Coming], object]


def new_id() -> str:
    """The id of an ingest: sortable by time (UTC)."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(4)}"


@dataclass
class Plan:
    """What an ingest would do to the data set as it stands."""

    state: State
    frame: pd.DataFrame
    rejected: pd.DataFrame
    findings: list[Finding]
    counts: dict[str, int]
    known: int  # rows that the data set holds already, of its duplicates
    unchanged: bool
    summaries: dict[str, Summary]
    fixes: list[AppliedFix]
    quality: Quality | None = None  # once it was asked for


@dataclass
class Job:
    """One ingest, read and mapped, before anything is written."""

    tenant: Tenant
    machine: Equipment
    name: str
    raw: Raw
    rows: Rows
    mapping: Mapping
    shifts: list[Finding]
    mapped: pd.DataFrame
    replace: bool
    options: Options = UNSAID
    after: int | None = None  # set by `plan`: the last ingest is done again
    id: str = field(default_factory=new_id)

    @property
    def op(self) -> str:
        """What its commit is called."""
        if self.after is not None:
            return "fix"
        return "replace" if self.replace else "append"

    @property
    def simulated(self) -> bool:
        return ORIGIN in self.mapped and bool((self.mapped[ORIGIN] == SIMULATED).any())

    def plan(self, store: Store, settled: Settled | None = None) -> Plan:
        """Leave out what is known, hold the rest against what is stored.

        `settled` is called before the checks, when it is certain that something will be
        stored: a new version is on its way.
        """
        state = State(store)
        self.after = self._done_again(state)
        if self.after:
            state = State(store, self.after)
        held = [] if self.replace or self.after == 0 else state.manifests
        self._check_fits(held)
        again = self._files_known(held)
        new, place = self.mapped, self.rows.place
        if again:
            new = chosen_rows(new, ~new[FILE].isin(again).to_numpy(), place)
        rejected = self.rows.rejected[~self.rows.rejected[FILE].isin(again)]
        known = len(self.mapped) - len(new) + len(self.rows.rejected) - len(rejected)
        kind = self.mapping.record_kind
        new, aside, fixes = self._mended(new, held)
        rejected = pd.concat([rejected, aside], ignore_index=True)
        double, repeats = duplicate_rows(new, self.machine, kind)
        frame = chosen_rows(new, ~double.to_numpy(), place) if double.any() else new
        table = as_stored(
            frame, self.machine, kind, self.tenant.time_zone, keep=self.rows.keep
        )
        wider = None
        if held:
            old = Dataset(state)
            table, wider = fitted(table, old.schema, self.name)
            fresh = self._not_yet_stored(old, table)
            if not fresh.all():
                frame = chosen_rows(frame, fresh, place)
                table = table.filter(pa.array(fresh))
                known += int((~fresh).sum())
        unchanged = bool(held) and not len(frame) and not len(rejected)
        if settled is not None and not unchanged:
            settled(
                Coming(self.id, self.raw, table, self.op, wider=wider, after=self.after)
            )
        findings = [*self.rows.findings, *self.shifts, *repeats]
        summaries: dict[str, Summary] = {}
        if len(frame):
            abreast = len(frame) if place is in_memory else 0
            with beside(rows=abreast) as start:
                figures = start(partial(summarise, units=self._units()), ready(frame))
                findings += check(
                    frame,
                    self.machine,
                    kind,
                    mapping=self.mapping,
                    rejected=len(rejected),
                )
                summaries = figures()
        if held and self.raw.images and len(frame):
            findings = self._with_stored_twins(findings, frame, Dataset(state))
        findings += drift(held, summaries, self._sources(), state.version)
        read_ = self.raw.rows_read
        counts = {
            "read": read_,
            "stored": len(frame),
            "quarantined": len(rejected),
            "duplicate": read_ - len(frame) - len(rejected),
        }
        if known and not unchanged:
            findings.append(finding("duplicate-rows", variant="stored", count=known))
        return Plan(
            state=state,
            frame=frame,
            rejected=rejected,
            findings=findings,
            counts=counts,
            known=known,
            unchanged=unchanged,
            summaries=summaries,
            fixes=fixes,
        )

    def _done_again(self, state: State) -> int | None:
        """The version before the last ingest, when that brought these very files.

        Fixes that are asked for now, and were not then, take the place of that ingest.
        """
        asked = self.options.fixes
        if asked is None or self.replace or not state.ingests:
            return None
        last = state.manifests[-1]
        mine = {source.key for source in self.raw.sources}
        theirs = {f["key"] for f in last.files if "role" not in f}
        if mine != theirs or set(asked) == {f.code for f in last.fixes}:
            return None
        return state.before_last()

    def _mended(
        self, rows: pd.DataFrame, held: list[Manifest]
    ) -> tuple[pd.DataFrame, pd.DataFrame, list[AppliedFix]]:
        """Rows after the fixes that were asked for, or that the last file needed.

        Gives the rows, those that were put aside, and what was done.
        """
        asked, kind = self.options.fixes, self.mapping.record_kind
        codes = tuple(f.code for f in held[-1].fixes) if held and asked is None else ()
        codes = codes if asked is None else asked
        if not codes or rows.empty:
            return rows, self.rows.rejected.iloc[:0], []
        _, repeats = duplicate_rows(rows, self.machine, kind)
        said = [
            *(self._under_stored_names(f) for f in self.rows.findings),
            *repeats,
            *check(rows, self.machine, kind, mapping=self.mapping),
        ]
        if asked is None:  # what last month's file needed this one may not
            codes = tuple(c for c in codes if c in {f.code for f in said})
        fixed = apply_fixes(
            rows,
            said,
            codes,
            equipment=self.machine,
            record_kind=kind,
            mapping=self.mapping,
        )
        aside = put_aside(rows, fixed.left_out)
        return fixed.frame.reset_index(drop=True), aside, fixed.applied

    def _under_stored_names(self, finding: Finding) -> Finding:
        """What was found before the mapping names columns as the file does."""
        names = self.mapping.names()
        stored = [names.get(c, c) for c in finding.columns]
        return finding.model_copy(update={"columns": [*finding.columns, *stored]})

    def _with_stored_twins(
        self, findings: list[Finding], frame: pd.DataFrame, old: Dataset
    ) -> list[Finding]:
        """Pictures that come later are held against those that are there."""
        from kamp_lib.datasets.checks.images import twins_with_stored

        paths = {source.name: source.path for source in self.raw.sources}
        twins = twins_with_stored(frame, old.to_pandas(), paths, old.images_folder)
        rest = [f for f in findings if f.code != "near-duplicate-images"]
        return [*rest, *twins]

    def _sources(self) -> dict[str, str]:
        """Stored name -> name in the file."""
        return {stored: source for source, stored in self.mapping.names().items()}

    def _units(self) -> dict[str, str]:
        """Stored name -> unit of the stored values."""
        return {
            match.canonical or match.source: unit
            for match in self.mapping.columns
            if (unit := match.stored_unit or match.unit) is not None
        }

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
        asked = set(self.options.fixes or ())
        if asked and asked not in [{f.code for f in m.fixes} for m in held]:
            raise KampError(
                "고치기는 마지막으로 가져온 파일에만 할 수 있고, 이 파일 뒤에 다른 것이 들어왔습니다."
                " 뒤의 것을 --undo 로 되돌리거나, --replace 로 모두 다시 가져오세요.",
                "only the last ingest can be fixed, and something came in after this file;"
                " take that back with --undo, or ingest all again with --replace.",
            )
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

    def staged(self, plan: Plan) -> Staged:
        known = standard_columns(
            map(str, plan.frame.columns), self.machine, self.mapping.record_kind
        )
        matches = {m.canonical or m.source: m for m in self.mapping.columns}
        columns = [
            StoredColumn.of(
                name, _kind(plan.frame[name]), matches.get(name), known.get(name)
            )
            for name in map(str, plan.frame.columns)
        ]
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
            summaries=plan.summaries,
            fixes=plan.fixes,
        )
        cells = self.rows.cells
        return Staged(manifest, plan.rejected, cells)

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

    def quality(self, plan: Plan) -> Quality:
        if plan.unchanged:
            return Dataset(plan.state).quality
        plan.quality = plan.quality or quality_score(
            plan.frame if len(plan.frame) else self.mapped,
            plan.findings,
            rows_read=plan.counts["read"],
            rows_quarantined=plan.counts["quarantined"],
            rows_duplicate=plan.counts["duplicate"] - plan.known,
            equipment=self.machine,
            record_kind=self.mapping.record_kind,
        )
        return plan.quality


def _kind(values: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(values):
        return "time"
    return "number" if pd.api.types.is_numeric_dtype(values) else "text"
