"""A column mapping as a person corrected it in the form, on top of what was proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kamp_lib.datasets.types import ColumnMatch, Mapping
from kamp_lib.errors import UsageError


def edited_mapping(request: dict[str, Any]) -> Path | None:
    """Write the corrected mapping beside the upload; None when nothing was corrected.

    `request["mapping"]` is the mapping that was shown, `request["edits"]` what was changed
    in it: source column -> `name` and `unit`, either of which may be left out.
    """
    edits: dict[str, dict[str, str]] = request.get("edits") or {}
    if not edits or not request.get("mapping"):
        return None
    from kamp_lib.datasets import save_mapping

    proposed = Mapping.model_validate(request["mapping"])
    columns = [
        _edited(match, edits.get(match.source, {})) for match in proposed.columns
    ]
    to = Path(request["mapping_to"])
    save_mapping(proposed.model_copy(update={"columns": columns}), to)
    return to


def _edited(match: ColumnMatch, edit: dict[str, str]) -> ColumnMatch:
    name, unit = edit.get("name"), edit.get("unit")
    if name is not None:
        match = match.answered(name)
    if unit is not None:
        match = match.model_copy(update={"unit": _code(unit), "unit_by_hand": True})
    return match


def _code(unit: str) -> str | None:
    from kamp_lib.datasets.units import to_ucum

    if not unit.strip():
        return None
    code = to_ucum(unit)
    if code is None:
        raise UsageError(
            f"단위 '{unit[:40]}'을(를) 모릅니다. 예: ℃, kgf/cm², mm/s, rpm",
            f"the unit {unit[:40]!r} is not known; for example °C, kgf/cm², mm/s, rpm",
        )
    return code
