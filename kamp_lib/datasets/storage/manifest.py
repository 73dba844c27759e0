"""What one ingest, repair or fix recorded about itself."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kamp_lib.datasets.storage.summaries import Summary
from kamp_lib.datasets.types import (
    AppliedFix,
    Finding,
    Mapping,
    Quality,
    StoredColumn,
)


class RowPlace(BaseModel):
    """Where a row came from: the ingest that read it, its file and its line."""

    model_config = ConfigDict(frozen=True)

    ingest: str
    file: str
    row: int


class Manifest(BaseModel):
    """One ingest: counts, files, mapping, findings, and its columns in figures.

    `rows` always satisfies read = stored + quarantined + duplicate; a repair reads
    nothing anew and moves rows out of quarantine, which counts negative there.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    equipment: str
    record_kind: str | None
    time_zone: str
    simulated: bool
    created: str
    rows: dict[str, int]  # read, stored, quarantined, duplicate
    files: list[dict[str, Any]]
    mapping: Mapping
    columns: list[StoredColumn]
    quality: Quality
    findings: list[Finding]
    summaries: dict[str, Summary] = Field(default_factory=dict)
    repaired: list[RowPlace] = Field(default_factory=list)
    fixes: list[AppliedFix] = Field(default_factory=list)

    def as_json(self) -> str:
        return self.model_dump_json(indent=1)

    def forgetting(self) -> Manifest:
        """What may stay when the rows are purged: counts and names, no values."""
        return self.model_copy(update={"findings": [], "summaries": {}})
