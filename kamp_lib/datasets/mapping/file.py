"""The mapping as a YAML file that a person can read and edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

import yaml

from kamp_lib.datasets.raw import unique_names
from kamp_lib.datasets.types import ColumnMatch, Mapping
from kamp_lib.errors import KampError

HEAD = """\
# 열 맞추기 파일입니다. name 을 고치면 다음에 가져올 때 그대로 쓰입니다.
# Column mapping. Edit `name` (the stored name); it is used as it stands from then on.
# name 이 source 와 같으면 표준 열이 아니며 이름 그대로 보관합니다.
# When `name` equals `source`, the column is kept under its own name.
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
            entry["confidence"] = round(match.confidence, 2)
            entry["reason_ko"] = match.reason_ko
            entry["reason_en"] = match.reason_en
        columns.append(entry)
    body = yaml.safe_dump(
        {
            "equipment": mapping.equipment,
            "record_kind": mapping.record_kind,
            "columns": columns,
        },
        allow_unicode=True,
        sort_keys=False,
        width=120,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + body, encoding="utf-8")


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file back.

    A `name` that differs from what was `proposed` was set by hand, and says so.

    Raises
    ------
    KampError
        The file is missing, is not YAML, or an entry lacks `source` or `name`, two
        columns are given the same name, or one is given a name of the store's own.
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
    return Mapping(
        equipment=str(content.get("equipment") or "generic"),
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
    return ColumnMatch(
        source=source,
        # a column kept under its own name was proposed with no confidence at all
        canonical=name if name != source or confidence > 0 else None,
        confidence=confidence,
        reason_ko="직접 고침" if by_hand else str(entry.get("reason_ko") or ""),
        reason_en="set by hand" if by_hand else str(entry.get("reason_en") or ""),
        by_hand=by_hand,
    )


def _wrong(path: Path, ko: str, en: str) -> KampError:
    name = Path(path).name
    return KampError(
        f"열 맞추기 파일 {name}을(를) 쓸 수 없습니다: {ko}.",
        f"the mapping file {name} cannot be used: {en}",
    )
