"""Run as a program: read a workbook from standard input and tell its largest sheet.

It imports nothing of ours: it starts in an instant and may be killed at any moment.
"""

from __future__ import annotations

import io
import resource
import sys

MOST_MEMORY = 4 << 30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import python_calamine

    largest = 0
    data = io.BytesIO(sys.stdin.buffer.read())
    book = python_calamine.CalamineWorkbook.from_filelike(data)
    for about in book.sheets_metadata:
        if about.typ == python_calamine.SheetTypeEnum.WorkSheet:
            sheet = book.get_sheet_by_name(about.name)
            largest = max(largest, sheet.total_height * sheet.total_width)
            _ = [None for _ in sheet.iter_rows()], sheet.merged_cell_ranges
    print(largest)


if __name__ == "__main__":
    main()
