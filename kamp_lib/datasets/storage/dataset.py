"""A stored data set as people hold it in a notebook."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from html import escape
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kamp_lib.catalog import equipment_types, said
from kamp_lib.datasets.raw import FILE, INGEST_COLUMN, ROW
from kamp_lib.datasets.storage.log import damaged
from kamp_lib.datasets.storage.manifest import Manifest
from kamp_lib.datasets.storage.quarantine import quarantined
from kamp_lib.datasets.storage.store import NAME, State, Store, check_name
from kamp_lib.datasets.types import Finding, Quality, StoredColumn
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets.storage.history import Difference, VersionMade
    from kamp_lib.datasets.storage.lineage import Origin, Runs

TIME = "ts"  # the canonical time column of every equipment


@dataclass(frozen=True, eq=False)
class Dataset:
    """One version of a standard data set: its rows, and all that is known about them.

    Examples
    --------
    >>> data = open_dataset(tenant, "injection")  # doctest: +SKIP
    >>> data.to_pandas(columns=["ts", "cycle_time"])  # doctest: +SKIP
    """

    state: State

    @property
    def name(self) -> str:
        return self.state.store.name

    @property
    def version(self) -> int:
        return self.state.version

    @property
    def _last(self) -> Manifest:
        return self.state.manifests[-1]

    @property
    def equipment(self) -> str:
        return self._last.equipment

    @property
    def record_kind(self) -> str | None:
        return self._last.record_kind

    @property
    def time_zone(self) -> str:
        return self._last.time_zone

    @property
    def simulated(self) -> bool:
        """Whether any row is simulated."""
        return any(m.simulated for m in self.state.manifests)

    @property
    def rows(self) -> int:
        return sum(m.rows["stored"] for m in self.state.manifests)

    @property
    def rows_quarantined(self) -> int:
        return sum(m.rows["quarantined"] for m in self.state.manifests)

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files it was made from: name, sha256, bytes, rows."""
        return [file for m in self.state.manifests for file in m.files]

    @property
    def images_folder(self) -> Path:
        return self.state.store.images

    @property
    def updated(self) -> datetime:
        """When this version was made (UTC)."""
        return datetime.fromtimestamp(self.state.commits[-1].time_ms / 1000, UTC)

    @cached_property
    def columns(self) -> list[StoredColumn]:
        """Every column with its source name, unit and standard meaning."""
        known = {c.name: c for m in self.state.manifests for c in m.columns}
        names = [n for n in self.schema.names if n != INGEST_COLUMN]
        plain = (StoredColumn(name=n, source=n, ko=n, en=n) for n in names)
        return [known.get(column.name, column) for column in plain]

    @cached_property
    def findings(self) -> list[Finding]:
        """What the ingests of this version found; the latest word on each thing."""
        found = {
            (f.code, *f.columns): f for m in self.state.manifests for f in m.findings
        }
        return list(found.values())

    @cached_property
    def quality(self) -> Quality:
        """The quality score; over several ingests, the mean weighted by rows."""
        parts = [m.quality.model_dump() for m in self.state.manifests]
        weights = [max(1, m.rows["stored"]) for m in self.state.manifests]
        mean = {
            name: round(float(np.average([p[name] for p in parts], weights=weights)), 1)
            for name in parts[0]
        }
        return Quality(**mean)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the version and the content of its table files.

        The same content and version give the same fingerprint, wherever it is kept.
        """
        hashes = []
        for path in self.state.files:
            with _opened(path) as file:
                hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
        whole = "\n".join([str(self.version), *sorted(hashes)])
        return hashlib.sha256(whole.encode()).hexdigest()

    @cached_property
    def first_time(self) -> pd.Timestamp | None:
        return self._time_range[0]

    @cached_property
    def last_time(self) -> pd.Timestamp | None:
        return self._time_range[1]

    @cached_property
    def _time_range(self) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
        if TIME not in self.schema.names:
            return (None, None)
        column = self.arrow([TIME])[TIME]
        if not pa.types.is_timestamp(column.type) or column.null_count == len(column):
            return (None, None)
        ends = pc.min_max(column).as_py()
        return (pd.Timestamp(ends["min"]), pd.Timestamp(ends["max"]))

    def to_pandas(self, columns: list[str] | None = None) -> pd.DataFrame:
        """The rows, in the order of ingests, files and lines; times in UTC.

        Parameters
        ----------
        columns : list of str, optional
            Stored names; None gives all, with `_file` and `_row`.

        Raises
        ------
        KampError
            When a column does not exist.
        """
        names = [n for n in self.schema.names if n != INGEST_COLUMN]
        wanted = names if columns is None else list(columns)
        unknown = [n for n in wanted if n not in names]
        if unknown:
            raise KampError(
                f"데이터셋 '{self.name}'에 {', '.join(unknown)} 열이 없습니다. 있는 열: {', '.join(names)}",
                f"data set {self.name!r} has no column {', '.join(unknown)}; it has {', '.join(names)}.",
            )
        keys = [INGEST_COLUMN, FILE, ROW]
        table = self.arrow(list(dict.fromkeys([*wanted, *keys])))
        order = self._order(table)
        if order is not None:
            table = table.take(order)
        return as_frame(table.select(wanted))

    def quarantine(self) -> pd.DataFrame:
        """The rejected rows, verbatim, with file, row number and reason."""
        return quarantined(self.state)

    def history(self) -> list[VersionMade]:
        """What made each version: time (UTC), what was done, files, rows, quality, who."""
        from kamp_lib.datasets.storage.history import history

        return history(self.state)[: self.version]

    def diff(self, other: Dataset) -> Difference:
        """What changed from `other` to this version."""
        from kamp_lib.datasets.storage.history import difference

        return difference(other, self)

    def trace(self, rows: Iterable[int]) -> list[Origin]:
        """File, sheet and line of stored rows, by their places in `to_pandas`, from 0."""
        from kamp_lib.datasets.storage.lineage import trace

        return trace(self, rows)

    def runs(self) -> Runs:
        """The analyses that read this data set, in any version, newest first."""
        from kamp_lib.datasets.storage.lineage import runs_using

        return runs_using(self.state.store.folder.parents[1] / "runs", self.name)

    def places(self) -> pa.Table:
        """Ingest, file and line of every row, in the order of `to_pandas`."""
        table = self.arrow([INGEST_COLUMN, FILE, ROW])
        order = self._order(table)
        return table if order is None else table.take(order)

    @cached_property
    def schema(self) -> pa.Schema:
        return self.state.log.schema(self.version)

    def arrow(self, columns: list[str] | None = None) -> pa.Table:
        """The rows as an Arrow table, in the order of the table's files."""
        columns = self.schema.names if columns is None else columns
        schema = pa.schema([self.schema.field(c) for c in columns])
        parts = [_read_part(path, schema) for path in self.state.files]
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def _order(self, table: pa.Table) -> np.ndarray | None:
        """The order of ingests, files and rows; None when the rows stand in it."""
        places: dict[tuple[str, str], int] = {}
        for manifest in self.state.manifests:
            for file in manifest.files:
                places.setdefault((manifest.id, file["name"]), len(places))
        pairs = pc.binary_join_element_wise(table[INGEST_COLUMN], table[FILE], "\0")
        coded = pc.dictionary_encode(pairs).combine_chunks()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.unify_dictionaries().chunk(0)
        rank_of = [
            places.get(tuple(pair.split("\0", 1)), len(places))
            for pair in coded.dictionary.to_pylist()
        ]
        ranks = np.asarray(rank_of, dtype=np.int64)[coded.indices.to_numpy()]
        rows = table[ROW].to_numpy()
        step = (np.diff(ranks) > 0) | ((np.diff(ranks) == 0) & (np.diff(rows) >= 0))
        return None if step.all() else np.lexsort((rows, ranks))

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, version={self.version}, rows={self.rows})"

    def _repr_html_(self) -> str:
        kind = equipment_types().get(self.equipment)
        facts = {
            Text("설비", "equipment"): kind.label if kind else self.equipment,
            Text("데이터 판(버전)", "version"): self.version,
            Text("행", "rows"): f"{self.rows:,}",
            Text("보류된 행", "quarantined rows"): f"{self.rows_quarantined:,}",
            Text("데이터 품질 점수", "data quality score"): f"{self.quality.score:g}",
            Text("발견 사항", "findings"): len(self.findings),
        }
        if self.first_time is not None and self.last_time is not None:
            zone = self.time_zone
            facts[Text("기간", "period")] = (
                f"{self.first_time.tz_convert(zone):%Y-%m-%d %H:%M} ~ "
                f"{self.last_time.tz_convert(zone):%Y-%m-%d %H:%M} ({zone})"
            )
        note = (
            Text("모의(시뮬레이션) 데이터", "simulated data") if self.simulated else ""
        )
        head = "".join(
            f"<tr><th style='text-align:left'>{escape(str(k))}</th>"
            f"<td style='text-align:left'>{escape(str(v))}</td></tr>"
            for k, v in facts.items()
        )
        titles = (Text("열", "column"), Text("이름", "label"), Text("단위", "unit"))
        columns = "".join(
            f"<tr><td style='text-align:left'>{escape(c.name)}</td>"
            f"<td style='text-align:left'>{escape(str(c.label))}</td>"
            f"<td>{escape(said(c.unit))}</td></tr>"
            for c in self.columns
            if c.name not in (FILE, ROW)
        )
        header = "".join(f"<th>{escape(str(t))}</th>" for t in titles)
        return (
            f"<h4>{escape(self.name)} {escape(str(note))}</h4><table>{head}</table>"
            f"<details><summary>{escape(str(titles[0]))} {len(self.columns)}</summary>"
            f"<table><tr>{header}</tr>{columns}</table></details>"
        )


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """A file of the store, no link followed; it must be there and whole."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(handle, "rb") as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise damaged(path) from error


def _read_part(path: Path, schema: pa.Schema) -> pa.Table:
    """One table file under the columns and types of the whole."""
    with _opened(path) as file:
        held = pq.ParquetFile(file)
        names = [name for name in schema.names if name in held.schema_arrow.names]
        part = held.read(columns=names)
    for field in schema:
        if field.name not in names:
            part = part.append_column(field, pa.nulls(part.num_rows, type=field.type))
    return part.select(schema.names).cast(schema)


def as_frame(table: pa.Table) -> pd.DataFrame:
    """pandas, with long whole numbers beside gaps kept exact."""
    frame = table.to_pandas(types_mapper={pa.string(): pd.StringDtype()}.get)
    for field in table.schema:
        column = table[field.name]
        if pa.types.is_integer(field.type) and column.null_count:
            largest = pc.max(pc.abs(column)).as_py()
            if largest is not None and largest >= 2**53:
                frame[field.name] = column.to_pandas(
                    types_mapper={field.type: pd.Int64Dtype()}.get
                )
    return frame


def stored_names(tenant: Tenant) -> list[str]:
    """Names of all data sets of a company that hold something."""
    folders = sorted(p for p in tenant.data.glob("*") if (p / "table").is_dir())
    stores = [
        Store(f) for f in folders if not f.is_symlink() and NAME.fullmatch(f.name)
    ]
    return [s.name for s in stores if s.exists() and _holds_something(s)]


def _holds_something(store: Store) -> bool:
    try:
        return bool(State(store).ingests)
    except KampError:  # damaged: said when it is opened, not when another one is
        return True


def list_datasets(
    tenant: Tenant, *, unreadable: Callable[[KampError], None] | None = None
) -> list[Dataset]:
    """The newest version of every data set of a company, by name.

    Raises
    ------
    KampError
        When one is damaged; with `unreadable` that is told, and the others are listed.
    """
    found = []
    for name in stored_names(tenant):
        try:
            data = open_dataset(tenant, name)
            data.state.manifests  # noqa: B018 - read now, so that damage is told now
            found.append(data)
        except KampError as error:
            if unreadable is None:
                raise
            unreadable(error)
    return found


def open_dataset(
    tenant: Tenant, name: str | None = None, version: int | None = None
) -> Dataset:
    """Open a data set of a company.

    Parameters
    ----------
    tenant : Tenant
        Whose data set.
    name : str, optional
        Which; may be left out when there is only one.
    version : int, optional
        None is the newest.

    Raises
    ------
    KampError
        When there is no such data set, saying which there are.
    """
    names = stored_names(tenant)
    if name is None and len(names) == 1:
        name = names[0]
    if name is None or name not in names:
        ko = (
            f"있는 데이터셋: {', '.join(names)}"
            if names
            else "아직 데이터셋이 없습니다"
        )
        en = f"there are: {', '.join(names)}" if names else "there is none yet"
        how_to = Text(
            f"kamp ingest {tenant.slug} 설비 파일",
            f"kamp ingest {tenant.slug} EQUIPMENT FILE",
        )
        if name is None and names:
            raise KampError(
                f"데이터셋이 여럿입니다. 하나를 골라 적으세요. {ko}",
                f"there are several data sets; name one. {en}",
            )
        asked = name or ""
        raise KampError(
            f"'{tenant.slug}'에 데이터셋 '{asked}'이(가) 없습니다. {ko}. 가져오기: {how_to.ko}",
            f"{tenant.slug!r} has no data set {asked!r}; {en}. To bring one in: {how_to.en}",
        )
    state = State(Store(tenant.data / check_name(name)), version)
    if not state.ingests:
        raise KampError(
            f"데이터셋 '{name}'의 버전 {state.version}은(는) 비어 있습니다. 다른 버전을 고르세요.",
            f"version {state.version} of data set {name!r} is empty; choose another.",
        )
    if state.log.retired and not state.readable(state.version):
        raise state.given_up(state.version)
    return Dataset(state)
