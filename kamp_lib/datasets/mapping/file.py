"""The mapping as a YAML file that a person can read and edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

import yaml

from kamp_lib.datasets.raw import unique_names
from kamp_lib.datasets.types import ColumnMatch, Mapping
from kamp_lib.datasets.units import said, to_ucum
from kamp_lib.errors import KampError

HEAD = """\
# 열 맞추기 파일입니다. name 을 고치면 다음에 가져올 때 그대로 쓰입니다.
# Column mapping. Edit `name` (the stored name); it is used as it stands from then on.
# name 이 source 와 같으면 표준 열이 아니며 이름 그대로 보관합니다.
# When `name` equals `source`, the column is kept under its own name.
# maybe 는 확실하지 않은 표준 열입니다. 맞으면 그 이름을 name 에 적으세요.
# `maybe` is a standard column it may be; if it is, write that into `name`.
# unit 은 파일에 적힌 값의 단위입니다. 틀렸거나 없으면 고쳐 적으세요(예: kgf/cm², °F).
# `unit` is the unit of the values in the file; mend or add it (such as kgf/cm², °F).
"""


def save_mapping(mapping: Mapping, path: Path) -> None:
    """Write a mapping, with the reasons of its proposals."""
    columns: list[dict[str, Any]] = []
    for match in mapping.columns:
        entry: dict[str, Any] = {
            "source": match.source,
            "name": match.canonical or match.source,
        }
        if match.by_hand:
            entry["by_hand"] = True
        else:
            entry["proposed"] = match.canonical or match.source
            if match.maybe:
                entry["maybe"] = match.maybe
            entry["confidence"] = round(match.confidence, 2)
            entry["reason_ko"] = match.reason_ko
            entry["reason_en"] = match.reason_en
        columns.append(entry | _units(match))
    body = yaml.dump(
        {
            "equipment": mapping.equipment,
            "record_kind": mapping.record_kind,
            "columns": columns,
        },
        allow_unicode=True,
        sort_keys=False,
        width=120,
        Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),  # in C: six times as fast
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + body, encoding="utf-8")


def _units(match: ColumnMatch) -> dict[str, Any]:
    if match.unit is None:
        return {}
    entry: dict[str, Any] = {"unit": _written(match.unit, match.stored_unit)}
    if match.stored_unit is not None:
        entry["stored_unit"] = _written(match.stored_unit, match.stored_unit)
    entry["unit_by_hand" if match.unit_by_hand else "unit_told"] = (
        True if match.unit_by_hand else entry["unit"]
    )
    return entry


def _written(code: str, like: str | None) -> str:
    """A unit as people write it, where that is read back as the same."""
    return said(code) if to_ucum(said(code), like=like) == code else code


def load_mapping(path: Path, equipment: str | None = None) -> Mapping:
    """Read a mapping file back.

    A `name` that differs from what was `proposed`, and a `unit` that differs from what
    was told, were set by hand, and say so.

    Parameters
    ----------
    path : Path
        The file.
    equipment : str, optional
        The equipment it has to be for.

    Raises
    ------
    KampError
        The file is missing, is not YAML, is for another equipment, or an entry lacks
        `source` or `name`, two columns are given the same name, one is given a name of
        the store's own, or a unit that nobody knows.
    """
    try:
        if not path.is_file():  # a pipe or a device never ends
            raise FileNotFoundError(path)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise KampError(
            f"열 맞추기 파일 {path}을(를) 읽을 수 없습니다. 경로를 확인하세요.",
            f"cannot read the mapping file {path}; check the path",
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise KampError(
            f"열 맞추기 파일 {place}이(가) YAML 형식이 아닙니다. 그 줄을 고치세요.",
            f"the mapping file {place} is not valid YAML; mend that line",
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("columns"), list):
        raise _wrong(
            path,
            "'equipment' 와 'columns' 목록이 필요합니다",
            "it needs 'equipment' and a list 'columns'",
        )
    kind = content.get("record_kind")
    if not isinstance(kind, str | None):
        raise _wrong(path, "'record_kind' 는 이름입니다", "'record_kind' is a name")
    matches = [_entry(path, i, e) for i, e in enumerate(content["columns"], 1)]
    for field, seen in (
        ("source", [m.source for m in matches]),
        ("name", [m.canonical or m.source for m in matches]),
    ):
        twice = sorted({n for n in seen if seen.count(n) > 1})
        if twice:
            raise _wrong(
                path,
                f"'{field}' 값이 두 번 나옵니다: {', '.join(twice)}",
                f"'{field}' occurs twice: {', '.join(twice)}",
            )
    made_for = str(content.get("equipment") or equipment or "generic")
    if equipment is not None and made_for != equipment:
        raise _wrong(
            path,
            f"설비 '{made_for}'용인데 '{equipment}'에 쓰려고 합니다",
            f"it is for equipment {made_for!r}, not {equipment!r}",
        )
    return Mapping(
        equipment=made_for,
        record_kind=kind,
        columns=matches,
    )


def _entry(path: Path, number: int, entry: Any) -> ColumnMatch:
    if not isinstance(entry, dict) or not entry.get("source") or not entry.get("name"):
        raise _wrong(
            path,
            f"columns 의 {number}번째 항목에 'source' 와 'name' 이 있어야 합니다",
            f"entry {number} of columns needs 'source' and 'name'",
        )
    source, name = (normalize("NFC", str(entry[part])) for part in ("source", "name"))
    if unique_names([name]) != [name]:
        raise _wrong(
            path,
            f"{number}번째 항목의 이름 {name!r}은(는) 저장할 때 쓸 수 없습니다",
            f"entry {number} has a name that cannot be stored: {name!r}",
        )
    by_hand = bool(entry.get("by_hand")) or str(entry.get("proposed", "")) != name
    told = entry.get("confidence")
    confidence = float(told) if isinstance(told, int | float) else 0.0
    confidence = 1.0 if by_hand else confidence
    maybe = None if by_hand else entry.get("maybe")
    # a column kept under its own name was proposed with no confidence at all
    own = name == source and (maybe is not None or not confidence)
    return ColumnMatch(
        source=source,
        canonical=None if own else name,
        maybe=str(maybe) if maybe else None,
        confidence=confidence,
        **_units_of(path, number, entry),
        reason_ko="직접 고침" if by_hand else str(entry.get("reason_ko") or ""),
        reason_en="set by hand" if by_hand else str(entry.get("reason_en") or ""),
        by_hand=by_hand,
    )


def _units_of(path: Path, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    unit, stored = entry.get("unit"), entry.get("stored_unit")
    if not unit:
        return {}
    kept = to_ucum(str(stored)) if stored else None
    code = to_ucum(str(unit), like=kept)
    if code is None:
        raise _wrong(
            path,
            f"{number}번째 항목의 단위 {str(unit)!r}을(를) 모릅니다",
            f"entry {number} has a unit that is not known: {str(unit)!r}",
        )
    by_hand = bool(entry.get("unit_by_hand")) or entry.get("unit_told") != unit
    return {"unit": code, "stored_unit": kept, "unit_by_hand": by_hand}


def _wrong(path: Path, ko: str, en: str) -> KampError:
    name = Path(path).name
    return KampError(
        f"열 맞추기 파일 {name}을(를) 쓸 수 없습니다: {ko}.",
        f"the mapping file {name} cannot be used: {en}",
    )
