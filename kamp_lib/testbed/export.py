"""Writing files as machines and MES do: their headers, their encodings, stray lines."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from kamp_lib.testbed.data_defects import Table


def write_csv(table: Table, path: Path, *, encoding: str) -> Path:
    """Write a table under the headers of the factory; the same table, the same bytes.

    Parameters
    ----------
    encoding : str
        `cp949` (Korean Excel), `utf-8-sig` (with byte-order mark) or `utf-8`.
    """
    return write_frame(
        table.frame,
        table.header,
        path,
        encoding=encoding,
        repeat_header_every=table.repeat_header_every,
        totals=table.totals,
    )


def write_frame(
    frame: pd.DataFrame,
    header: list[str],
    path: Path,
    *,
    encoding: str,
    repeat_header_every: int = 0,
    totals: list[str] | None = None,
) -> Path:
    """Write a frame; optionally with page headers in between and totals at the end."""
    text = frame.to_csv(index=False, header=False, lineterminator="\n")
    lines = text.splitlines()
    head = _line(header)
    if repeat_header_every:
        lines = [
            line
            for at, body in enumerate(lines)
            for line in (
                [head, body] if at and at % repeat_header_every == 0 else [body]
            )
        ]
    if totals:
        lines.append(_line(totals))
    content = "\r\n".join([head, *lines, ""])
    path.write_bytes(content.encode(encoding))
    return path


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()
