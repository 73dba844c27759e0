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
    from kamp_lib.datasets.door import default_name, ingest
    from kamp_lib.datasets.findings import finding
    from kamp_lib.datasets.mapping.file import load_mapping, save_mapping
    from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
    from kamp_lib.datasets.options import Options
    from kamp_lib.datasets.parsing.columns import Parsed, parse
    from kamp_lib.datasets.quality import quality_advice, quality_score
    from kamp_lib.datasets.raw import Raw
    from kamp_lib.datasets.reading.files import read
    from kamp_lib.datasets.storage.dataset import Dataset, list_datasets, open_dataset
    from kamp_lib.datasets.storage.duplicates import duplicate_rows
    from kamp_lib.datasets.storage.going_back import restore, undo
    from kamp_lib.datasets.storage.remembered import mapping_path

_HOME = {
    "Dataset": "storage.dataset",
    "list_datasets": "storage.dataset",
    "open_dataset": "storage.dataset",
    "default_name": "door",
    "ingest": "door",
    "mapping_path": "storage.remembered",
    "undo": "storage.going_back",
    "check": "checks",
    "duplicate_rows": "storage.duplicates",
    "finding": "findings",
    "quality_advice": "quality",
    "quality_score": "quality",
    "apply_mapping": "mapping.propose",
    "propose_mapping": "mapping.propose",
    "load_mapping": "mapping.file",
    "save_mapping": "mapping.file",
    "Options": "options",
    "Parsed": "parsing.columns",
    "parse": "parsing.columns",
    "Raw": "raw",
    "read": "reading.files",
    "restore": "storage.going_back",
}

__all__ = [
    "ORIGIN",
    "SIMULATED",
    "ColumnMatch",
    "Dataset",
    "Finding",
    "IngestResult",
    "Mapping",
    "Options",
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
    "restore",
    "save_mapping",
    "undo",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
