"""The plain objects that flow through the door: findings, mapping, quality, result."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kamp_lib.catalog import Column
from kamp_lib.text import Text

Severity = Literal["info", "warning", "error"]
# The provenance column that every simulator writes and every page looks for.
ORIGIN = "data_origin"
SIMULATED = "simulated"


class Finding(BaseModel):
    """One thing that ingest found in the data, said to a person.

    `columns` holds source and canonical names; `count` is how many rows (or files, or
    columns) it concerns; `examples` are a few values as they stand in the file.
    """

    model_config = ConfigDict(extra="forbid")

    code: str
    severity: Severity
    columns: list[str] = Field(default_factory=list)
    count: int = 0
    examples: list[str] = Field(default_factory=list)
    message_ko: str  # what and where
    message_en: str
    why_ko: str = ""  # why it matters
    why_en: str = ""
    action_ko: str = ""  # what was done, or what to do
    action_en: str = ""

    @property
    def message(self) -> Text:
        return Text(self.message_ko, self.message_en)

    @property
    def why(self) -> Text:
        return Text(self.why_ko, self.why_en)

    @property
    def action(self) -> Text:
        return Text(self.action_ko, self.action_en)

    def _repr_html_(self) -> str:
        from kamp_lib.datasets.displays import finding_html

        return finding_html(self)


class AppliedFix(BaseModel):
    """What a fix did to the rows of an ingest: columns and how many cells or rows."""

    model_config = ConfigDict(extra="forbid")

    code: str
    columns: list[str] = Field(default_factory=list)
    count: int
    said_ko: str
    said_en: str

    @property
    def said(self) -> Text:
        return Text(self.said_ko, self.said_en)


class ColumnMatch(BaseModel):
    """One source column, the canonical name proposed for it, and why.

    `canonical` is None for a column that is kept under its own name; when it might be a
    standard one after all, `maybe` names that and `confidence` is below what is
    accepted without asking. `unit` is the UCUM code of the values in the file, and
    `stored_unit` that of the values as they are stored.
    """

    model_config = ConfigDict(extra="forbid")

    source: str
    canonical: str | None = None
    maybe: str | None = None
    confidence: float = 0.0
    unit: str | None = None
    stored_unit: str | None = None
    unit_by_hand: bool = False
    reason_ko: str = ""
    reason_en: str = ""
    by_hand: bool = False

    @property
    def reason(self) -> Text:
        return Text(self.reason_ko, self.reason_en)

    def answered(self, name: str) -> ColumnMatch:
        """The match as a person settled it: stored under `name` from then on."""
        return ColumnMatch(
            source=self.source,
            canonical=name,
            confidence=1.0,
            unit=self.unit,
            unit_by_hand=self.unit_by_hand,
            reason_ko="직접 고침",
            reason_en="set by hand",
            by_hand=True,
        )


class Mapping(BaseModel):
    """How the columns of a file become the equipment's standard columns."""

    model_config = ConfigDict(extra="forbid")

    equipment: str
    record_kind: str | None = None
    columns: list[ColumnMatch]

    def names(self) -> dict[str, str]:
        """Source name -> stored name, for every column."""
        return {m.source: m.canonical or m.source for m in self.columns}

    def _repr_html_(self) -> str:
        from kamp_lib.datasets.displays import mapping_html

        return mapping_html(self)


class Quality(BaseModel):
    """Data-quality score, 0-100, and its five parts."""

    score: float
    completeness: float
    validity: float
    uniqueness: float
    consistency: float
    timeliness: float

    def _repr_html_(self) -> str:
        from kamp_lib.datasets.displays import quality_html

        return quality_html(self)


class StoredColumn(BaseModel):
    """One column of a stored data set: its names, unit, role and standard meaning."""

    name: str
    source: str
    ko: str
    en: str
    unit: str | None = None  # of the stored values, a UCUM code
    source_unit: str | None = None  # of the values in the file, where it is known
    kind: str = "number"
    role: str = "extra"
    min: float | None = None
    max: float | None = None

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)

    @classmethod
    def of(
        cls, name: str, kind: str, match: ColumnMatch | None, column: Column | None
    ) -> StoredColumn:
        """A stored column from its match and the standard column it has, if any."""
        source = match.source if match else name
        unit = match.stored_unit if match else None
        told = match.unit if match else None
        if column is None:
            return cls(
                name=name,
                source=source,
                ko=name,
                en=name,
                unit=unit,
                source_unit=told,
                kind=kind,
            )
        return cls(
            name=name,
            source=source,
            ko=column.ko,
            en=column.en,
            unit=unit or column.unit,
            source_unit=told,
            kind=column.kind,
            role=column.role,
            min=column.min,
            max=column.max,
        )


class FirstRows(BaseModel):
    """A few rows as people read them, under their stored names."""

    columns: list[str]
    rows: list[list[str]]


class IngestResult(BaseModel):
    """What an ingest did; `kamp ingest --json` prints exactly this.

    Always `rows_read == rows_stored + rows_quarantined + rows_duplicate`.
    """

    tenant: str
    equipment: str
    dataset: str
    version: int | None
    record_kind: str | None = None
    rows_read: int
    rows_stored: int
    rows_quarantined: int
    rows_duplicate: int
    unchanged: bool = False
    dry_run: bool = False
    simulated: bool = False
    quality: Quality
    findings: list[Finding]
    fixes: list[AppliedFix] = Field(default_factory=list)
    mapping: Mapping
    mapping_file: str | None = None
    files: list[dict[str, Any]] = Field(default_factory=list)
    seconds: dict[str, float] = Field(default_factory=dict)
    first_rows: FirstRows | None = Field(
        default=None, description="of a dry run: the rows as they would be stored"
    )

    def _repr_html_(self) -> str:
        from kamp_lib.datasets.displays import result_html

        return result_html(self)
