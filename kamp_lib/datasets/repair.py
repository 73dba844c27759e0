"""Rows out of quarantine: mended by hand, read as their ingest was, stored in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets.job import new_id
from kamp_lib.datasets.mapping.propose import apply_mapping
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.raw import FILE, INGEST_COLUMN, ROW, Raw, Source, sha256_of
from kamp_lib.datasets.rows import typed_rows
from kamp_lib.datasets.storage.dataset import Dataset, as_frame, open_dataset
from kamp_lib.datasets.storage.duplicates import duplicate_rows
from kamp_lib.datasets.storage.durable import read_plain, storing
from kamp_lib.datasets.storage.log import LONGEST, damaged
from kamp_lib.datasets.storage.manifest import Manifest, RowPlace
from kamp_lib.datasets.storage.quarantine import REJECTED
from kamp_lib.datasets.storage.shape import as_stored, fitted
from kamp_lib.datasets.storage.sheet import Mended, Rejection, read_sheet
from kamp_lib.datasets.storage.store import State, Store, check_name
from kamp_lib.datasets.storage.transaction import Coming, Staged, writing
from kamp_lib.datasets.types import ORIGIN, Mapping
from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.tenancy import Tenant
from kamp_lib.text import language

CONTEXT = "\0good"  # stands for the file of the good rows that are read along
PER_MENDED = 20  # good rows for each mended one, so that those set the tone


class Repair(BaseModel):
    """What a repair did; `still` are rows that stay in quarantine, with the reason."""

    dataset: str
    version: int
    rows_repaired: int
    rows_duplicate: int
    rows_left: int  # in quarantine
    still: list[dict[str, str | int]]


@dataclass(frozen=True)
class _Read:
    """The mended rows of one ingest: as they are stored, and those still wrong."""

    rows: pa.Table
    rejected: pd.DataFrame
    keep_original: bool


def rejections(data: Dataset) -> list[Rejection]:
    """The rows in quarantine, every cell in its column where the row had cells."""
    cells: dict[RowPlace, dict[str, str | None]] = {}
    for ingest in data.state.ingests:
        kept = _cells(data.state.store, ingest)
        for row in kept.filter(kept[REJECTED]).drop_columns([REJECTED]).to_pylist():
            place = RowPlace(ingest=ingest, file=row.pop(FILE), row=row.pop(ROW))
            cells[place] = row
    found = []
    for row in data.quarantine().to_dict("records"):
        place = RowPlace(ingest=row[INGEST_COLUMN], file=row[FILE], row=row[ROW])
        reason, original = row[f"reason_{language()}"], row["original"]
        found.append(Rejection(place, reason, original, cells.get(place, {})))
    return found


def repair(
    tenant: Tenant,
    dataset: str,
    file: Path,
    *,
    options: Options = UNSAID,
    progress: Progress = silent,
) -> Repair:
    """Store mended rows in the place that they had; what is still wrong stays.

    Parameters
    ----------
    tenant : Tenant
        Whose data set.
    dataset : str
        Its name.
    file : Path
        What `kamp datasets quarantine --to` wrote, with its cells mended.
    options : Options
        As for an ingest: how doubtful dates are written.
    progress : Progress
        Told of each step.

    Raises
    ------
    KampError
        When a row is not in quarantine, or not one of them can be stored; the store is
        then as it was.
    """
    open_dataset(tenant, dataset)
    mended = read_sheet(file)
    store = Store(tenant.data / check_name(dataset))
    with storing(store.folder), store.locked(progress), writing(store) as work:
        data = Dataset(State(store))
        mended = _to_do(data, mended)
        read = [
            _read_again(tenant, data, ingest, ones, options)
            for ingest in data.state.ingests
            if (ones := [m for m in mended if m.place.ingest == ingest])
        ]
        still = pd.concat([one.rejected for one in read], ignore_index=True)
        rows, wider = _fitted([one.rows for one in read], data)
        if not rows.num_rows:
            first = still.iloc[0]
            raise KampError(
                f"고친 행 가운데 저장할 수 있는 것이 없습니다({first['reason_ko']}). 파일을 더 고치세요.",
                f"none of the mended rows can be stored ({first['reason_en']}); mend the file.",
            )
        fresh = _not_yet_stored(data, rows)
        manifest = _manifest(data, rows, fresh, file)
        empty = still.iloc[:0]
        cells = pa.table({REJECTED: pa.array([], pa.bool_())})
        source = Source(file.name, file, manifest.files[0]["sha256"], 0, 0)
        # a file whose names were masked in the rows is not kept either
        kept = all(one.keep_original for one in read)
        raw = Raw(rows.slice(0, 0), [source], keep_originals=kept)
        new = rows.filter(pa.array(fresh))
        work.begin(Coming(manifest.id, raw, new, "repair", wider=wider))
        version = work.commit(Staged(manifest, empty, cells))
    now = Dataset(State(store))
    return Repair(
        dataset=dataset,
        version=version,
        rows_repaired=rows.num_rows,
        rows_duplicate=int((~fresh).sum()),
        rows_left=now.rows_quarantined,
        still=[
            {"file": file, "row": row, "reason_ko": ko, "reason_en": en}
            for file, row, ko, en in still[
                [FILE, ROW, "reason_ko", "reason_en"]
            ].itertuples(index=False)
        ],
    )


def _to_do(data: Dataset, mended: Sequence[Mended]) -> list[Mended]:
    """The rows that are still in quarantine; one file may be handed in again and again.

    Raises
    ------
    KampError
        When a row never was there, stands twice in the file, or none is left.
    """
    done = {place for m in data.state.manifests for place in m.repaired}
    left = [m for m in mended if m.place not in done]
    there = {r.place for r in rejections(data)}
    wrong = [m.place for m in left if m.place not in there]
    wrong += [
        place for place, count in Counter(m.place for m in left).items() if count > 1
    ]
    if wrong:
        where = f"{wrong[0].file}:{wrong[0].row}"
        raise KampError(
            f"{where} 은(는) 보류된 행이 아니거나 파일에 두 번 적혀 있습니다."
            " kamp datasets quarantine --to 로 다시 내보내세요.",
            f"{where} is not in quarantine, or stands twice in the file;"
            " export again with `kamp datasets quarantine --to`.",
        )
    if not left:
        raise KampError(
            "이 파일의 행은 이미 모두 고쳐져 저장되었습니다.",
            "the rows of this file are mended and stored already.",
        )
    return left


def _read_again(
    tenant: Tenant,
    data: Dataset,
    ingest: str,
    mended: Sequence[Mended],
    options: Options,
) -> _Read:
    """Mended rows of one ingest as they are stored, and those that are still wrong.

    Good rows of the ingest are read along, so that a column is what it was.
    """
    state = data.state
    made = next(m for m in state.manifests if m.id == ingest)
    kept = _cells(state.store, ingest)
    good = kept.filter(pc.invert(kept[REJECTED])).drop_columns([REJECTED, FILE, ROW])
    names = [c for c in made.mapping.names() if c != ORIGIN or not made.simulated]
    texts = _texts(mended, names, good)
    raw = Raw(texts, [Source(CONTEXT, Path(), "", 0, texts.num_rows)])
    rows = typed_rows(raw, tenant, options=options, simulated=made.simulated)
    frame = rows.frame[rows.frame[FILE] != CONTEXT].reset_index(drop=True)
    frame = _as_text_again(frame, texts, data.schema, made.mapping)
    machine = equipment_type(made.equipment)
    table = as_stored(
        apply_mapping(frame, made.mapping), machine, made.record_kind, made.time_zone
    )
    origin = pa.array([ingest] * table.num_rows, pa.string())
    rejected = rows.rejected[rows.rejected[FILE] != CONTEXT]
    table = table.append_column(INGEST_COLUMN, origin)
    return _Read(table, rejected, raw.keep_originals)


def _texts(mended: Sequence[Mended], names: Sequence[str], good: pa.Table) -> pa.Table:
    """Good rows, as many as are needed, and then the mended ones, all as text."""
    times = -(-PER_MENDED * len(mended) // max(1, good.num_rows))
    context = pa.concat_tables([good] * min(times, len(mended) + 1))
    nothing = pa.nulls(context.num_rows, pa.string())
    columns = {}
    for name in names:
        own = pa.array([m.cells.get(name) for m in mended], pa.string())
        held = context[name].combine_chunks() if name in good.column_names else nothing
        columns[name] = pa.concat_arrays([held, own])
    files = [CONTEXT] * context.num_rows + [m.place.file for m in mended]
    lines = [*range(context.num_rows), *(m.place.row for m in mended)]
    return pa.table(columns | {FILE: files, ROW: lines})


def _as_text_again(
    frame: pd.DataFrame, texts: pa.Table, held: pa.Schema, mapping: Mapping
) -> pd.DataFrame:
    """Codes that look like numbers stay text where the data set holds text."""
    written = texts.to_pandas().set_index([FILE, ROW])
    places = pd.MultiIndex.from_frame(frame[[FILE, ROW]])
    for source, stored in mapping.names().items():
        if source not in frame or stored not in held.names:
            continue
        is_text = pa.types.is_string(held.field(stored).type)
        if is_text and not pd.api.types.is_string_dtype(frame[source]):
            cells = written.loc[places, source].astype("string").str.strip()
            frame[source] = cells.replace("", pd.NA).to_numpy()
            frame[source] = frame[source].astype("string")
    return frame


def _fitted(
    tables: Sequence[pa.Table], data: Dataset
) -> tuple[pa.Table, pa.Schema | None]:
    whole = pa.concat_tables(tables, promote_options="permissive")
    return fitted(whole, data.schema, data.name)


def _not_yet_stored(data: Dataset, rows: pa.Table) -> np.ndarray:
    """False for rows that the data set holds already, by the rule of the house."""
    before = data.to_pandas()
    both = pd.concat(
        [before, as_frame(rows.drop_columns([INGEST_COLUMN]))], ignore_index=True
    )
    machine = equipment_type(data.equipment)
    double, _ = duplicate_rows(both, machine, data.record_kind)
    return ~double.to_numpy()[len(before) :]


def _manifest(data: Dataset, rows: pa.Table, fresh: np.ndarray, file: Path) -> Manifest:
    """The record of a repair: nothing read anew, rows moved out of quarantine."""
    places = rows.select([INGEST_COLUMN, FILE, ROW]).to_pylist()
    content = read_plain(file, LONGEST)
    sha = sha256_of(content)
    counts = {
        "read": 0,
        "stored": int(fresh.sum()),
        "quarantined": -rows.num_rows,
        "duplicate": int((~fresh).sum()),
    }
    described = {"name": file.name, "sha256": sha, "bytes": len(content), "rows": 0}
    return data.state.manifests[-1].model_copy(
        update={
            "id": new_id(),
            "created": datetime.now(UTC).isoformat(),
            "rows": counts,
            "files": [described | {"key": f"{sha}:repair", "role": "repair"}],
            "columns": [],
            "quality": data.quality,
            "findings": [],
            "summaries": {},
            "repaired": [
                RowPlace(ingest=p[INGEST_COLUMN], file=p[FILE], row=p[ROW])
                for p in places
            ],
        }
    )


def _cells(store: Store, ingest: str) -> pa.Table:
    path = store.ingest_folder(ingest) / "cells.parquet"
    try:
        return pq.read_table(pa.BufferReader(read_plain(path, LONGEST)))
    except (OSError, pa.ArrowException) as error:
        raise damaged(path) from error
