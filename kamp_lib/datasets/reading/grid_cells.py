"""The table on a sheet -> raw cells: merged cells fill, layout and notes are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.raw import FILE, ROW, Raw, Rejected
from kamp_lib.datasets.reading.arrow_files import source_of
from kamp_lib.datasets.reading.grids import (
    HEAD,
    HEADER_REACH,
    Area,
    Grid,
    Table,
    holds_values,
    tables,
)
from kamp_lib.datasets.reading.layout import layout_findings, table_layout
from kamp_lib.datasets.reading.refusals import no_data
from kamp_lib.datasets.types import Finding


def raw_of_grid(
    grid: Grid, path: Path, name: str, *, details: dict[str, str], where: str | None
) -> Raw:
    """The largest table of a sheet, or the one in the named area, as raw cells.

    Raises
    ------
    KampError
        When there is none.
    """
    wanted = grid.area(where) if where else None
    if where:
        found = [Table(wanted, 0)] if wanted else []
    else:
        found = tables(grid)
    if not found:
        raise no_data(name)
    table = found[0]
    findings, filled_in = _fill_merged(grid, table.area)
    area = table.area
    places = [p for p in range(area.left, area.right) if _is_used(grid, area, p)]
    head = grid.text(area, HEAD)
    head = [[row[p - area.left] for p in places] for row in head]
    layout = table_layout(head, filled_in=filled_in)
    first = area.top + layout.first
    in_rows = grid.filled[first : area.bottom, places].any(axis=1)
    rows = first + np.flatnonzero(in_rows)
    if not len(rows):
        raise no_data(name)
    cells = pa.table(
        [grid.columns[place].take(pa.array(rows)) for place in places],
        names=layout.names,
    )
    cells = cells.append_column(FILE, pa.array([name] * len(rows), pa.string()))
    cells = cells.append_column(ROW, pa.array(rows + 1, pa.int64()))
    findings += layout_findings(layout, head)
    if len(found) > 1:
        findings.append(_several(grid, found, name, details))
    if len(found) > 1 or wanted:
        details = {**details, "range": grid.name(area)}
    notes = [_note(grid, area, row, name) for row in table.notes]
    source = source_of(path, name, len(rows) + len(notes), details)
    return Raw(cells, [source], notes, findings, units=layout.units)


def _is_used(grid: Grid, area: Area, place: int) -> bool:
    return bool(grid.filled[area.top : area.bottom, place].any())


def _several(
    grid: Grid, found: list[Table], name: str, details: dict[str, str]
) -> Finding:
    said = [grid.name(table.area) for table in found]
    sheet = details.get("sheet", name)
    return finding(
        "several-tables",
        count=len(found),
        examples=said[1:],
        sheet=sheet,
        taken=said[0],
        example=f"{sheet}!{said[1]}",
    )


def _note(grid: Grid, area: Area, row: int, name: str) -> Rejected:
    cells = grid.text(Area(row, area.left, row + 1, area.right), 1)[0]
    filled = [cell for cell in cells if cell.strip()]
    return Rejected.because(
        "wrong-field-count",
        name,
        row + 1,
        original=" ".join(filled),
        expected=area.right - area.left,
        actual=len(filled),
    )


def _fill_merged(grid: Grid, area: Area) -> tuple[list[Finding], bool]:
    """Write the value of merged cells into all of them, where it is said of all.

    Downwards always; to the right only where the cell heads a group of columns. A
    title over the whole table stays where it is. Also tells whether groups were filled.
    """
    edits: dict[int, list[tuple[Area, str]]] = {}
    named, groups = [], False
    for merge in sorted(grid.merged, key=lambda area: (area.top, area.left)):
        if not _contains(area, merge) or not grid.filled[merge.top, merge.left]:
            continue
        spread = _heads_a_group(grid, area, merge)
        right = merge.right if spread else merge.left + 1
        if not spread and merge.bottom - merge.top < 2:
            continue
        groups |= spread
        named.append(grid.name(merge))
        value = grid.columns[merge.left][merge.top].as_py()
        for place in range(merge.left, right):
            edits.setdefault(place, []).append((merge, value))
    for place, fills in edits.items():
        cells = grid.columns[place].to_pylist()
        for merge, value in fills:
            cells[merge.top : merge.bottom] = [value] * (merge.bottom - merge.top)
        grid.columns[place] = pa.chunked_array([pa.array(cells, pa.string())])
    said = [finding("merged-cells", count=len(named), examples=named)] if named else []
    return said, groups


def _contains(area: Area, merge: Area) -> bool:
    return (
        area.top <= merge.top
        and merge.bottom <= area.bottom
        and area.left <= merge.left
        and merge.right <= area.right
    )


def _heads_a_group(grid: Grid, area: Area, merge: Area) -> bool:
    """Whether a merged cell stands over the names of several columns."""
    width = area.right - area.left
    if merge.right - merge.left < 2 or merge.right - merge.left > 0.8 * width:
        return False
    if merge.bottom >= min(area.bottom, area.top + HEADER_REACH):
        return False
    below = grid.text(Area(merge.bottom, merge.left, merge.bottom + 1, merge.right), 1)
    return any(below[0]) and not holds_values(below[0])
