"""Rejected rows, kept verbatim with file, row number and reason."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kamp_lib.datasets.parsing.columns import Parsed
from kamp_lib.datasets.raw import FILE, INGEST_COLUMN, REASONS, ROW, Raw, Rejected
from kamp_lib.datasets.storage.durable import read_plain
from kamp_lib.datasets.storage.log import LONGEST, damaged
from kamp_lib.datasets.storage.store import State

REJECTED = "_rejected"  # of kept cells: not a good row
SAMPLE = 200  # good rows kept beside rejected ones
SCHEMA = pa.schema(
    [
        (FILE, pa.string()),
        (ROW, pa.int64()),
        ("reason_code", pa.string()),
        ("reason_ko", pa.string()),
        ("reason_en", pa.string()),
        ("columns", pa.string()),
        ("original", pa.string()),
    ]
)


def rejected_rows(raw: Raw, parsed: Parsed) -> tuple[pd.DataFrame, np.ndarray]:
    """The quarantine table of an ingest, and the positions of its rows in `parsed.frame`.

    A row with several bad cells is one row; all its reasons are named.
    """
    found: dict[int, tuple[str, list[str], list[str], list[str]]] = {}
    for place, code in parsed.set_aside.items():
        found[place] = (code, [REASONS[code].ko], [REASONS[code].en], [])
    cells = parsed.bad_cells[["row_index", "column", "text", "reason"]]
    for place, column, text, code in cells.to_numpy().tolist():
        reason = REASONS[code].format(column=column, text=text)
        entry = found.setdefault(int(place), (code, [], [], []))
        entry[1].append(reason.ko)
        entry[2].append(reason.en)
        entry[3].append(column)
    places = np.array(sorted(found), dtype=np.int64)
    taken = raw.table.select([FILE, ROW]).take(pa.array(places))
    files = np.array(taken[FILE].to_pylist(), dtype=object)
    originals = np.empty(len(places), dtype=object)
    for file in dict.fromkeys(files):
        here = np.flatnonzero(files == file)
        originals[here] = raw.originals(file, places[here].tolist())
    rows = [
        {
            FILE: file,
            ROW: row,
            "reason_code": found[place][0],
            "reason_ko": "; ".join(found[place][1]),
            "reason_en": "; ".join(found[place][2]),
            "columns": ", ".join(found[place][3]),
            "original": original,
        }
        for place, file, row, original in zip(
            places.tolist(), files, taken[ROW].to_pylist(), originals, strict=True
        )
    ]
    rows += [_as_row(rejected) for rejected in raw.rejected]
    frame = pd.DataFrame(rows, columns=SCHEMA.names)
    return frame.sort_values([FILE, ROW], ignore_index=True), places


def _as_row(rejected: Rejected) -> dict[str, object]:
    return {
        FILE: rejected.file,
        ROW: rejected.row,
        "reason_code": rejected.code,
        "reason_ko": rejected.reason.ko,
        "reason_en": rejected.reason.en,
        "columns": ", ".join(rejected.columns),
        "original": rejected.original,
    }


def quarantine_file(rows: pd.DataFrame) -> bytes:
    """The quarantine table as the content of a Parquet file."""
    return parquet_bytes(
        pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False)
    )


def kept_cells(raw: Raw, places: np.ndarray) -> pa.Table:
    """The cells of rejected rows as the file writes them, and of some that are good.

    With good rows beside it a repaired row can be read as the file was: its decimal
    commas, its order of dates. Without rejected rows nothing is kept.
    """
    if not len(places) and not raw.rejected:
        return pa.table({REJECTED: pa.array([], pa.bool_())})
    step = max(1, raw.table.num_rows // SAMPLE)
    good = np.setdiff1d(np.arange(0, raw.table.num_rows, step), places)
    taken = raw.table.take(pa.array(np.concatenate([places, good])))
    columns = {name: as_text(taken[name]) for name in raw.columns}
    rejected = np.arange(len(taken)) < len(places)
    return pa.table({FILE: taken[FILE], ROW: taken[ROW], REJECTED: rejected} | columns)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = column.to_pylist()
        return pa.chunked_array([[None if v is None else str(v) for v in values]])


def parquet_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def quarantined(state: State) -> pd.DataFrame:
    """The rejected rows of a version that were not repaired since."""
    parts = []
    for ingest in state.ingests:
        path = state.store.ingest_folder(ingest) / "quarantine.parquet"
        try:
            content = read_plain(path, LONGEST)
            part = pq.read_table(pa.BufferReader(content)).to_pandas()
        except (OSError, pa.ArrowException) as error:
            raise damaged(path) from error
        parts.append(part.assign(**{INGEST_COLUMN: ingest}))
    frame = pd.concat(parts, ignore_index=True)
    repaired = {
        (place.ingest, place.file, place.row)
        for manifest in state.manifests
        for place in manifest.repaired
    }
    places = zip(frame[INGEST_COLUMN], frame[FILE], frame[ROW], strict=True)
    left = [place not in repaired for place in places]
    return frame[left].reset_index(drop=True)
