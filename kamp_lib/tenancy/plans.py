"""Plans: the quotas a company gets, from `plans.yaml`, validated on load."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kamp_lib.errors import KampError, UsageError
from kamp_lib.text import Text

FILE = Path(__file__).with_name("plans.yaml")
DEFAULT = "standard"
PlanId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]


@dataclass(frozen=True)
class Plan:
    """What one company may use.

    Memory (MiB), processors and processes hold for each server, disk (GiB) and
    servers (running at once) for the company as a whole.
    """

    id: str
    memory_mb: int
    cpus: float
    processes: int
    disk_gb: int
    servers: int
    name: Text = field(default_factory=lambda: Text("", ""))


class _Names(BaseModel):
    """A name in both languages, as it stands in the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ko: str
    en: str


class _Entry(BaseModel):
    """One plan as it stands in the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: _Names
    memory_mb: int = Field(ge=256)
    cpus: float = Field(gt=0)
    processes: int = Field(ge=32)
    disk_gb: int = Field(ge=1)
    servers: int = Field(ge=1)


def read_plans(file: Path) -> dict[str, Plan]:
    """The plans of a file, by id.

    Raises
    ------
    KampError
        When a plan is not complete, or a quota is impossible.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        entries = TypeAdapter(dict[PlanId, _Entry]).validate_python(content)
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise KampError(
            f"요금제 파일을 읽을 수 없습니다: {file} ({error})",
            f"cannot read the plans: {file} ({error})",
        ) from error
    return {
        key: Plan(
            id=key,
            memory_mb=entry.memory_mb,
            cpus=entry.cpus,
            processes=entry.processes,
            disk_gb=entry.disk_gb,
            servers=entry.servers,
            name=Text(entry.name.ko, entry.name.en),
        )
        for key, entry in entries.items()
    }


@cache
def plans() -> dict[str, Plan]:
    """All plans, smallest first, as the file has them."""
    return read_plans(FILE)


def plan_named(name: str) -> Plan:
    """The plan `name`, or a sentence with those that there are."""
    try:
        return plans()[name]
    except KeyError:
        known = ", ".join(plans())
        raise UsageError(
            f"요금제 '{name}'이(가) 없습니다. 고를 수 있는 것: {known}",
            f"there is no plan {name!r}; choose one of {known}.",
        ) from None
