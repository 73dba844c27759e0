"""Units of measure: what `units.yaml` says of each, and how a code is shown to people."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from kamp_lib.catalog.entries import load_entries

UNITS = Path(__file__).parent / "units.yaml"
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Unit(BaseModel):
    """One unit: its code, what people read, what it measures, how it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ucum: str
    said: str
    of: str = Field(description="what it measures; only like converts into like")
    written: tuple[str, ...]
    near: tuple[str, ...] = Field(
        default=(), description="spellings that mean it only where it is expected"
    )
    in_names: tuple[str, ...] = Field(
        default=(), description="spellings that may end a column's name"
    )
    common: bool = Field(
        default=False, description="often written by machines that do not say so"
    )


@cache
def units() -> dict[str, Unit]:
    """All units by UCUM code."""
    return {unit.ucum: unit for unit in load_entries(UNITS, Unit)}


def said(ucum: str | None) -> str:
    """A UCUM code as people write it; nothing for no unit.

    Examples
    --------
    >>> said("Cel"), said("kgf/cm2"), said("N/m2")
    ('°C', 'kgf/cm²', 'N/m²')
    """
    if ucum is None:
        return ""
    known = units().get(ucum)
    if known is not None:
        return known.said
    plain = re.sub(r"\{[^}]*\}|[\[\]]", "", ucum).replace(".", "·")
    return re.sub(r"(?<=[^\W\d])-?\d+", lambda m: m[0].translate(RAISED), plain)
