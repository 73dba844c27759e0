"""Raw cells -> typed columns; what does not fit its column is told, never dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kamp_lib.datasets.abreast import each
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.parsing.aside import aside_findings, rows_aside
from kamp_lib.datasets.parsing.cell_findings import cell_findings
from kamp_lib.datasets.parsing.decimals import comma_sense, thousands_points
from kamp_lib.datasets.parsing.settle import settle_times
from kamp_lib.datasets.parsing.typed import Hints, Typed, typed_column
from kamp_lib.datasets.raw import PROVENANCE, Raw
from kamp_lib.datasets.spool import in_memory
from kamp_lib.datasets.types import Finding


@dataclass
class Parsed:
    """Typed columns under their source names.

    `bad_cells` has one row per cell that does not fit its column: `row_index` (position
    in `frame`), `column`, `text`, `reason` (a code of `raw.REASONS`). `set_aside` maps
    positions of repeated headers and totals rows to their code. `units` holds the unit
    of a column as the file writes it, where the file tells.
    """

    frame: pd.DataFrame
    bad_cells: pd.DataFrame
    set_aside: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)


def parse(
    raw: Raw,
    *,
    time_zone: str = "Asia/Seoul",
    options: Options = UNSAID,
    place: Callable[[pd.Series], pd.Series] = in_memory,
) -> Parsed:
    """Give every column of `raw` its type.

    Numbers become int64 (when all are whole) or float64, times datetime64 in local
    time, all else text. A cell that does not fit a column that otherwise does
    (at least 90 %) is a bad cell, and its row will not be stored.

    Parameters
    ----------
    raw : Raw
        What `read` gave.
    time_zone : str
        Where times without an offset were written.
    options : Options
        How doubtful dates are written, when a person says so.
    place : callable
        Gives a column back from where it is kept: memory, or a mapped file.
    """
    aside = rows_aside(raw)
    keep = np.ones(raw.table.num_rows, dtype=bool)
    keep[list(aside)] = False
    comma, doubts = comma_sense(raw)

    def typed_and_placed(name: str) -> Typed:
        hints = Hints(time_zone, comma, raw.units.get(name))
        column = typed_column(raw.table[name], keep, hints)
        column.values = place(column.values)
        return column

    # what does not fit into memory is not there twice either
    abreast = raw.table.num_rows if place is in_memory else 0
    made = each(typed_and_placed, raw.columns, rows=abreast)
    typed = dict(zip(raw.columns, made, strict=True))
    columns = {name: column.values for name, column in typed.items()}
    times = {n: column.times for n, column in typed.items() if column.times is not None}
    bad = _bad_cells(typed)
    findings = [
        *aside_findings(raw, aside),
        *settle_times(columns, times, raw, options.dates, time_zone),
        *doubts,
        *thousands_points(raw),
        *cell_findings(raw, typed, bad),
    ]
    for name in PROVENANCE:
        columns[name] = place(raw.table[name].to_pandas())
    said = {n: column.quantities for n, column in typed.items() if column.quantities}
    units = raw.units | {name: quantities.unit for name, quantities in said.items()}
    frame = pd.DataFrame(columns, copy=False)
    return Parsed(frame, bad, aside, findings, units)


def _bad_cells(typed: dict[str, Typed]) -> pd.DataFrame:
    bad = [
        column.bad.assign(
            column=name,
            reason="not-a-number" if column.times is None else "not-a-time",
        )
        for name, column in typed.items()
        if len(column.bad)
    ]
    cells = pd.concat(bad) if bad else pd.DataFrame(columns=["row_index", "text"])
    return cells.reindex(columns=["row_index", "column", "text", "reason"])
