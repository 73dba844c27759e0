"""The rows of an ingest, as they leave the file: typed, nobody's name in them, the rejected apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from kamp_lib.datasets import spool
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.parsing.columns import parse
from kamp_lib.datasets.parsing.numbers import whole_again
from kamp_lib.datasets.people import Guarded, guarded
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.spool import Spool, as_it_is, in_memory
from kamp_lib.datasets.storage.quarantine import kept_cells, rejected_rows
from kamp_lib.datasets.storage.shape import Keep
from kamp_lib.datasets.types import ORIGIN, SIMULATED, Finding
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant

Place = Callable[[pd.Series], pd.Series]


@dataclass
class Rows:
    """Typed rows without the rejected ones, and the quarantine table."""

    frame: pd.DataFrame
    rejected: pd.DataFrame
    findings: list[Finding]
    units: dict[str, str]  # of source columns, as the file writes them
    cells: pa.Table  # of the rejected rows and some good ones, for a repair
    place: Place = in_memory  # where columns as long as these are kept
    keep: Keep = as_it_is  # and where their Arrow columns are


def typed_rows(
    raw: Raw,
    tenant: Tenant,
    *,
    options: Options,
    simulated: bool,
    remember_key: bool = True,
) -> Rows:
    """The rows of an ingest in their types, and nobody's name in them.

    `remember_key` is False where nothing may be written, as in a dry run.
    """
    large = raw.table.nbytes > spool.IN_MEMORY
    spooled = Spool(options.scratch) if large else None
    place = spooled.series if spooled else in_memory
    parsed = parse(raw, time_zone=tenant.time_zone, options=options, place=place)
    rejected, places = rejected_rows(raw, parsed)
    keep = np.ones(len(parsed.frame), dtype=bool)
    keep[places] = False
    frame = parsed.frame
    if len(places):
        frame = whole_again(chosen_rows(frame, keep, place))
    cells = kept_cells(raw, places)
    raw.release()
    if frame.empty:
        first = rejected["reason_ko"].iloc[0], rejected["reason_en"].iloc[0]
        raise KampError(
            f"저장할 수 있는 행이 하나도 없습니다({first[0]}). 머리글과 값을 확인하세요.",
            f"not one row can be stored ({first[1]}); check the header and the values.",
        )
    if simulated:
        mark = place(pd.Series(SIMULATED, frame.index, "string"))
        frame = frame.assign(**{ORIGIN: mark})
    findings = [*raw.findings, *parsed.findings]
    safe = guarded(
        Guarded(frame, rejected, cells, findings),
        tenant,
        options.personal,
        remember_key=remember_key,
    )
    if safe.masked:  # the file as it came holds what is hidden here
        raw.keep_originals = False
    return Rows(
        frame=safe.frame,
        rejected=safe.rejected,
        findings=safe.findings,
        units=parsed.units,
        cells=safe.cells,
        place=place,
        keep=spooled.array if spooled else as_it_is,
    )


def chosen_rows(frame: pd.DataFrame, chosen: np.ndarray, place: Place) -> pd.DataFrame:
    """Some rows of a frame, numbered anew, column by column."""
    columns = {
        name: place(frame[name][chosen].reset_index(drop=True))
        for name in frame.columns
    }
    return pd.DataFrame(columns, copy=False)
