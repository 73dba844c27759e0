"""`run.json`: the record of a run, typed, validated when read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from kamp_lib.datasets.types import Finding, Quality, StoredColumn
from kamp_lib.learning.outcome import Money, Score, Split, Verdict
from kamp_lib.text import Text


class ModelRef(BaseModel):
    """The standard model, or a problem family run by its own name."""

    id: str
    version: str
    name: Text
    family: str
    equipment: str | None
    decision: Text | None = None
    case: Text
    bad: Text
    good: Text


class DatasetRef(BaseModel):
    """The exact data a run read."""

    name: str
    version: int
    fingerprint: str
    rows: int
    equipment: str
    record_kind: str | None
    simulated: bool
    quality: Quality
    findings: list[Finding]
    columns: list[StoredColumn]
    first_time: datetime | None = None
    last_time: datetime | None = None
    files: list[str] = Field(default_factory=list)


class RunRecord(BaseModel):
    """Everything a page says about a run, traceable to data version and parameters."""

    schema_version: int = 1
    run: str
    status: Literal["succeeded", "failed"]
    reason: Text | None = None
    tenant: str
    tenant_name: Text
    time_zone: str
    person: str | None = Field(default=None, description="who ran it")
    model: ModelRef
    dataset: DatasetRef | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    edited: list[str] = Field(
        default_factory=list, description="parameters a person set, so not assumptions"
    )
    split: Split | None = None
    metrics: dict[str, Score] = Field(default_factory=dict)
    baseline: dict[str, Score] = Field(default_factory=dict)
    baseline_name: Text | None = None
    shuffled: dict[str, Score] = Field(default_factory=dict)
    forward: dict[str, Score] = Field(default_factory=dict)
    method: str | None = None
    method_name: Text | None = None
    threshold: float | None = None
    verdict: Verdict | None = None
    money: Money | None = None
    notes: dict[str, Any] = Field(default_factory=dict)
    seconds: float = 0.0
    timings: dict[str, float] = Field(default_factory=dict)
    libraries: dict[str, str] = Field(default_factory=dict)
    started: datetime
    finished: datetime

    @property
    def outcome(self) -> Text:
        """The verdict in two words, for lists."""
        if self.verdict is None:
            return Text("실패", "failed")
        if self.verdict.value == "usable":
            return Text("사용 가능", "usable")
        return Text("아직 이릅니다", "not usable yet")
