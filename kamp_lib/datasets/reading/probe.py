"""Run as a program: let a library read a file before the ingest does.

    python -I probe.py workbook|matlab|hdf5 < file

Some parsers end their process when a file is damaged in the right place, or ask for all
the memory there is. Here it is this process that ends. It imports nothing of ours, so it
starts in an instant, and prints how many cells the largest table has.
"""

from __future__ import annotations

import io
import resource
import sys

MOST_MEMORY = 4 << 30


def workbook(data: io.BytesIO) -> int:
    import python_calamine

    largest = 0
    book = python_calamine.CalamineWorkbook.from_filelike(data)
    for about in book.sheets_metadata:
        if about.typ == python_calamine.SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_name(about.name)
            rows, columns = sheet.end or (0, 0)
            largest = max(largest, (rows + 1) * (columns + 1))
            _ = [None for _ in sheet.iter_rows()], sheet.merged_cell_ranges
    return largest


def matlab(data: io.BytesIO) -> int:
    import scipy.io

    scipy.io.loadmat(data)
    return 0


def hdf5(data: io.BytesIO) -> int:
    import h5py

    largest = 0

    def visit(place: str, node: object) -> None:
        nonlocal largest
        if isinstance(node, h5py.Dataset) and not (node.external or node.is_virtual):
            largest = max(largest, node.size or 0)
            if largest * node.dtype.itemsize < MOST_MEMORY // 2:
                node[()]

    with h5py.File(data, "r") as file:
        file.visititems(visit)
    return largest


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    readers = {"workbook": workbook, "matlab": matlab, "hdf5": hdf5}
    print(readers[sys.argv[1]](io.BytesIO(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
