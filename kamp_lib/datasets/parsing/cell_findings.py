"""What is said of the cells of a file, once every column has its type."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.parsing.typed import Typed
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.types import Finding


def cell_findings(
    raw: Raw, typed: Mapping[str, Typed], bad: pd.DataFrame
) -> list[Finding]:
    """Cells that do not fit, words for no value, units and decimal signs in cells.

    Parameters
    ----------
    raw : Raw
        The cells as they came.
    typed : mapping of str to Typed
        What was made of each column.
    bad : DataFrame
        The cells that do not fit their column, see `Parsed`.
    """
    found = [*_misfits(bad), *_words(typed)]
    for name, column in typed.items():
        if column.quantities is not None:
            shown = pc.unique(raw.table[name].slice(0, 1000)).to_pylist()
            found.append(column.quantities.finding(name, shown))
        if column.signs:
            found.append(_signs(raw, name, column.signs))
    return found


def _misfits(bad: pd.DataFrame) -> list[Finding]:
    return [
        finding(
            str(reason),
            columns=cells["column"],
            count=cells["row_index"].nunique(),
            examples=cells["text"].drop_duplicates(),
        )
        for reason, cells in bad.groupby("reason")
    ]


def _words(typed: Mapping[str, Typed]) -> list[Finding]:
    words = {name: column.words for name, column in typed.items() if column.words}
    if not words:
        return []
    shown = dict.fromkeys(word for column in words.values() for word in column)
    count = sum(column.spoken for column in typed.values())
    return [finding("text-for-missing", columns=words, count=count, examples=shown)]


def _signs(raw: Raw, name: str, count: int) -> Finding:
    cells = raw.table[name].filter(pc.match_substring(raw.table[name], ","))
    return finding(
        "mixed-decimals",
        columns=[name],
        count=count,
        examples=cells.slice(0, 5).to_pylist(),
        variant="signs",
    )
