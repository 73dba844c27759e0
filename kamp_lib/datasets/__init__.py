"""Any file -> standard data set: read, map columns, check, quarantine, store, version.

`ingest` is the door; each of its stages can be used on its own in a notebook. Names are
loaded when first used, so that looking at a finding does not load pandas and Delta Lake.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kamp_lib.datasets.types import (
    ORIGIN,
    SIMULATED,
    ColumnMatch,
    Finding,
    IngestResult,
    Mapping,
    Quality,
    StoredColumn,
)

if TYPE_CHECKING:
    from kamp_lib.datasets.checks import check
    from kamp_lib.datasets.dataset import Dataset, list_datasets, open_dataset
    from kamp_lib.datasets.door import default_name, ingest, mapping_path, undo
    from kamp_lib.datasets.duplicates import duplicate_rows
    from kamp_lib.datasets.findings import finding
    from kamp_lib.datasets.mapping import apply_mapping, propose_mapping
    from kamp_lib.datasets.mapping_file import load_mapping, save_mapping
    from kamp_lib.datasets.parsing import Parsed, parse
    from kamp_lib.datasets.quality import quality_advice, quality_score
    from kamp_lib.datasets.raw import Raw
    from kamp_lib.datasets.reading import read

_HOME = {
    "Dataset": "dataset",
    "list_datasets": "dataset",
    "open_dataset": "dataset",
    "default_name": "door",
    "ingest": "door",
    "mapping_path": "door",
    "undo": "door",
    "check": "checks",
    "duplicate_rows": "duplicates",
    "finding": "findings",
    "quality_advice": "quality",
    "quality_score": "quality",
    "apply_mapping": "mapping",
    "propose_mapping": "mapping",
    "load_mapping": "mapping_file",
    "save_mapping": "mapping_file",
    "Parsed": "parsing",
    "parse": "parsing",
    "Raw": "raw",
    "read": "reading",
}

__all__ = [
    "ORIGIN",
    "SIMULATED",
    "ColumnMatch",
    "Dataset",
    "Finding",
    "IngestResult",
    "Mapping",
    "Parsed",
    "Quality",
    "Raw",
    "StoredColumn",
    "apply_mapping",
    "check",
    "default_name",
    "duplicate_rows",
    "finding",
    "ingest",
    "list_datasets",
    "load_mapping",
    "mapping_path",
    "open_dataset",
    "parse",
    "propose_mapping",
    "quality_advice",
    "quality_score",
    "read",
    "save_mapping",
    "undo",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
