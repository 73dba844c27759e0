"""Which rows are duplicates, by the rule of the house.

A row is a duplicate only when an id, or a time stamp fine enough to tell records apart,
is part of the equality: a machine standing still writes identical rows, and they are data.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kamp_lib.catalog import Equipment, equipment_type
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.mapping.names import take_apart
from kamp_lib.datasets.mapping.propose import PROVENANCE
from kamp_lib.datasets.rising import rises
from kamp_lib.datasets.spool import let_go
from kamp_lib.datasets.types import Finding

# Ids and times tell records apart when, together, they differ on this share of the
# rows that differ at all.
TELLS_APART = 0.9
BLOCK = 1 << 18  # rows hashed at a time
# A pasted stretch: so many rows in a row repeat an earlier stretch in the same order.
PASTED = 30
ID_WORDS = frozenset(
    {"id", "uuid", "serial", "번호", "일련번호", "number", "shot", "key", "index"}
)


def duplicate_rows(
    frame: pd.DataFrame, equipment: str | Equipment, record_kind: str | None
) -> tuple[pd.Series, list[Finding]]:
    """Rows to leave out as duplicates, and what to say about repeated rows.

    Parameters
    ----------
    frame : DataFrame
        Typed columns under stored names; provenance columns are not compared.
    equipment : str or Equipment
        Its dictionary says which columns are ids and times.
    record_kind : str or None

    Returns
    -------
    drop : Series of bool
        True for every repeat of an earlier row, when the rows can be told apart.
    findings : list of Finding
        `duplicate-rows`: dropped, or kept and why.
    """
    machine = equipment_type(equipment) if isinstance(equipment, str) else equipment
    values = frame.drop(columns=[c for c in PROVENANCE if c in frame.columns])
    nothing = pd.Series(False, index=frame.index)
    if values.shape[1] == 0 or len(values) < 2:
        return nothing, []
    repeated = repeats(values)
    count = int(repeated.sum())
    if not count:
        return nothing, []
    examples = _places(frame, repeated)
    keys = key_columns(values, machine, record_kind)
    if keys and _tell_apart(values.loc[~repeated, keys]):
        found = finding("duplicate-rows", columns=keys, count=count, examples=examples)
        return repeated, [found]
    variant = "suspicious" if longest_pasted(values) >= PASTED else "kept"
    found = finding("duplicate-rows", count=count, examples=examples, variant=variant)
    return nothing, [found]


def repeats(values: pd.DataFrame) -> pd.Series:
    """True where a row equals an earlier one; hashes first, then exactly."""
    result = pd.Series(False, index=values.index)
    if any(rises(values[name]) for name in values.columns):
        return result
    candidates = row_hashes(values).duplicated(keep=False)
    if candidates.any():
        result[candidates] = values[candidates].duplicated()
    return result


def row_hashes(values: pd.DataFrame) -> pd.Series:
    """One 64-bit number per row; equal rows have equal numbers."""
    hashed = np.empty(len(values), dtype=np.uint64)
    for first in range(0, len(values), BLOCK):
        block = values.iloc[first : first + BLOCK]
        hashed[first : first + BLOCK] = pd.util.hash_pandas_object(block, index=False)
        let_go()
    return pd.Series(hashed, index=values.index)


def key_columns(
    values: pd.DataFrame, machine: Equipment, record_kind: str | None
) -> list[str]:
    """Columns that may name a record: ids and times, by the dictionary or by name."""
    roles = {c.name: c.role for c in machine.columns_of(record_kind)}
    keys = []
    for name in values.columns:
        role = roles.get(name)
        time = role == "time" or pd.api.types.is_datetime64_any_dtype(values[name])
        by_name = role is None and ID_WORDS & set(take_apart(name).words)
        fraction = pd.api.types.is_float_dtype(values[name])
        if time or role == "id" or (by_name and not fraction):
            keys.append(name)
    return keys


def _tell_apart(keys: pd.DataFrame) -> bool:
    return bool((~keys.duplicated()).mean() >= TELLS_APART)


def longest_pasted(values: pd.DataFrame) -> int:
    """Length of the longest stretch that repeats an earlier one row by row."""
    first, _ = pd.factorize(row_hashes(values).to_numpy())
    _, where = np.unique(first, return_index=True)
    here = np.arange(len(first))
    back = here - where[first]  # how far back this row occurred first; 0 = new
    goes_on = (back[1:] == back[:-1]) & (back[1:] > 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], goes_on.view(np.int8), [0]])))
    lengths = edges[1::2] - edges[::2] + 1
    return int(lengths.max()) if len(lengths) else 0


def _places(frame: pd.DataFrame, mask: pd.Series) -> list[str]:
    """Where the first few marked rows stand: file and row as a person sees them."""
    if not set(PROVENANCE) <= set(frame.columns):
        return []
    shown = frame.loc[mask, list(PROVENANCE)].head(3)
    return [f"{file}:{row}" for file, row in shown.itertuples(index=False)]
