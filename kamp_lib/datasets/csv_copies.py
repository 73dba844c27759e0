"""Tables of a company as CSV, for people without a Parquet reader.

Parses what the company's people could have written, so the platform runs it inside the
company's walls only: `python -m kamp_lib.datasets.csv_copies DATASET...` writes all of
them to standard output, as `csv_frames`. Takes the memory of one piece of a table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from kamp_lib.datasets.csv_frames import Framed, Part
from kamp_lib.datasets.storage.dataset import Dataset, open_dataset
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant, tenant_named

PIECE = 50_000  # rows
# Excel takes a file for UTF-8 only with this in front
UTF_8_MARK = b"\xef\xbb\xbf"


def write_rows(data: Dataset, out: BinaryIO) -> None:
    """The rows, with the file and line that each came from."""
    out.write(UTF_8_MARK)
    with pacsv.CSVWriter(out, data.schema) as writer:
        for piece in _pieces(data):
            writer.write_batch(piece)


def write_quarantine(data: Dataset, out: BinaryIO) -> None:
    """The rejected rows, verbatim, with their reasons; nothing when there are none."""
    if data.rows_quarantined:
        out.write(data.quarantine().to_csv(index=False).encode("utf-8-sig"))


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


def write_framed(tenant: Tenant, names: list[str], stream: BinaryIO) -> None:
    """These data sets, one after the other; a damaged one leaves a complaint."""

    def file(number: int, part: Part) -> BinaryIO:
        return cast("BinaryIO", Framed(stream, number, part))

    for number, name in enumerate(names):
        try:
            data = open_dataset(tenant, name)
            write_rows(data, file(number, Part.ROWS))
            write_quarantine(data, file(number, Part.QUARANTINE))
        except (KampError, OSError, pa.ArrowException) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            file(number, Part.COMPLAINT).write(said.encode("utf-8", "replace"))


def main() -> None:
    """The data sets that are named, of the company whose walls these are."""
    write_framed(tenant_named(), sys.argv[1:], sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
