"""Tables of a company as CSV, for people without a Parquet reader.

Parses what the company's people could have written, so the platform runs it inside the
company's walls only: `python -m kamp_lib.datasets.csv_copies FOLDER`, with
`KAMP_TENANT_HOME` set. Takes the memory of one piece of a table, however long it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from kamp_lib.datasets.storage.dataset import Dataset, list_datasets
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant, tenant_named

PIECE = 50_000  # rows
# Excel takes a file for UTF-8 only with this in front
UTF_8_MARK = b"\xef\xbb\xbf"


def tables_as_csv(
    tenant: Tenant,
    target: Path,
    *,
    unreadable: Callable[[KampError], None] | None = None,
) -> list[Path]:
    """Write the newest version of every data set, and its quarantined rows, into `target`.

    Parameters
    ----------
    unreadable
        Told of a damaged data set, which then does not stop the others.

    Returns
    -------
    list of Path
        `<data set>.csv`, and `<data set>.quarantine.csv` where rows were rejected.
    """
    written = []
    for data in list_datasets(tenant, unreadable=unreadable):
        try:
            written += _copies(data, target)
        except (KampError, OSError, pa.ArrowException) as error:
            if unreadable is None:
                raise
            unreadable(_not_written(data, error))
    return written


def _copies(data: Dataset, target: Path) -> list[Path]:
    table = target / f"{data.name}.csv"
    _write(table, data.schema, _pieces(data))
    if not data.rows_quarantined:
        return [table]
    rejected = target / f"{data.name}.quarantine.csv"
    data.quarantine().to_csv(rejected, index=False, encoding="utf-8-sig")
    return [table, rejected]


def _write(path: Path, schema: pa.Schema, pieces: Iterator[pa.RecordBatch]) -> None:
    with path.open("wb") as file:
        file.write(UTF_8_MARK)
        with pacsv.CSVWriter(file, schema) as writer:
            for piece in pieces:
                writer.write_batch(piece)


def _pieces(data: Dataset) -> Iterator[pa.RecordBatch]:
    """The rows under the columns and types of the newest version."""
    schema = data.schema
    for path in data.state.files:
        with pq.ParquetFile(path) as held:
            there = [n for n in schema.names if n in held.schema_arrow.names]
            for batch in held.iter_batches(PIECE, columns=there):
                columns = [
                    batch[field.name].cast(field.type)
                    if field.name in there
                    else pa.nulls(batch.num_rows, field.type)
                    for field in schema
                ]
                yield pa.record_batch(columns, schema=schema)


def _not_written(data: Dataset, error: Exception) -> KampError:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return KampError(
        f"데이터셋 '{data.name}'을(를) CSV로 쓰지 못했습니다: {said[0]}",
        f"data set {data.name!r} could not be written as CSV: {said[0]}",
    )


def main() -> int:
    """Write into the folder that is named; 1 when a data set could not be read."""
    failed: list[KampError] = []
    tables_as_csv(tenant_named(), Path(sys.argv[1]), unreadable=failed.append)
    for error in failed:
        print(error, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
