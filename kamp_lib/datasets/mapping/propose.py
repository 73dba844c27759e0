"""Column mapping: which column of a file is which standard column, and why.

`propose_mapping` is one assignment over all columns at once, from names in Korean and
English, synonyms, kinds and ranges of values; `mapping_file` keeps it as YAML that a
person can edit; `apply_mapping` renames.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from kamp_lib.catalog import Column, Equipment, equipment_type
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.mapping.evidence import Profile, evidence, profile
from kamp_lib.datasets.mapping.shift import Shift, find_shift, name_likeness
from kamp_lib.datasets.types import ColumnMatch, Finding, Mapping
from kamp_lib.text import Text

PROVENANCE = ("_file", "_row")
ACCEPTED = 0.55  # least confidence of a proposal
# How far values move a confidence that the name gave, per point of evidence.
VALUE_WEIGHT = 0.06
ABSENT = 1e-6  # likeness below this is no candidate


def propose_mapping(
    frame: pd.DataFrame,
    equipment: str | Equipment,
    *,
    record_kind: str | None = None,
    remembered: Mapping | None = None,
) -> tuple[Mapping, list[Finding]]:
    """Propose a standard name for every column of a typed frame.

    Parameters
    ----------
    frame : DataFrame
        Typed columns under the names of the source; provenance columns are passed over.
    equipment : str or Equipment
        Whose column dictionary is used.
    record_kind : str, optional
        What one row is; None chooses the kind that most columns speak for.
    remembered : Mapping, optional
        An earlier mapping: the columns it names are taken over as they are.

    Returns
    -------
    mapping : Mapping
        One match per source column. A shifted header is already corrected in it.
    findings : list of Finding
        `shifted-columns`, when the header is shifted.
    """
    machine = equipment_type(equipment) if isinstance(equipment, str) else equipment
    header = [str(c) for c in frame.columns if c not in PROVENANCE]
    fixed = {m.source: m for m in remembered.columns} if remembered else {}
    if record_kind is None and remembered is not None:
        record_kind = remembered.record_kind
    profiles = [profile(frame[name]) for name in header]
    shift = None
    if not fixed.keys() & set(header):
        shift = find_shift(header, profiles, machine.columns)
    names: list[str | None] = list(header)
    if shift:
        names = shift.names(header, machine.columns)
    free = [i for i, name in enumerate(header) if name not in fixed]
    held = {m.canonical for m in fixed.values() if m.canonical and m.source in header}

    kinds: list[str | None] = [k.id for k in machine.record_kinds]
    if record_kind or not kinds:
        kinds = [record_kind]
    best: tuple[float, str | None, dict[int, tuple[Column, float, float]]] | None = None
    for kind in kinds:
        columns = [c for c in machine.columns_of(kind) if c.name not in held]
        pairs = _assign(names, profiles, free, columns)
        worth = _worth(pairs, columns, len(machine.columns))
        if best is None or worth > best[0] + 1e-9:
            best = (worth, kind, pairs)
    assert best is not None  # noqa: S101 - the loop ran at least once
    _, chosen, pairs = best

    matches = []
    for i, source in enumerate(header):
        if source in fixed:
            matches.append(fixed[source])
        elif i in pairs:
            matches.append(_match(source, names[i], *pairs[i]))
        else:
            matches.append(_unknown(source, names[i]))
    mapping = Mapping(equipment=machine.id, record_kind=chosen, columns=matches)
    mapping = _with_unique_names(mapping)
    findings = [_shifted(shift, header, mapping)] if shift else []
    return mapping, findings


def _assign(
    names: list[str | None],
    profiles: list[Profile],
    free: list[int],
    columns: list[Column],
) -> dict[int, tuple[Column, float, float]]:
    """The one assignment with the greatest sum of confidences.

    Gives, per position of a column, the standard column, the confidence and the
    likeness of the names.
    """
    if not free or not columns:
        return {}
    alike = np.zeros((len(free), len(columns)))
    score = np.zeros_like(alike)
    for row, i in enumerate(free):
        name = names[i]
        for col, column in enumerate(columns):
            likely = name_likeness(name, column) if name else 0.0
            if likely < ABSENT:
                continue
            alike[row, col] = likely
            score[row, col] = likely + VALUE_WEIGHT * evidence(profiles[i], column)
    _adopt_time(names, profiles, free, columns, alike, score)
    score = np.where(score < ACCEPTED, 0.0, score)
    rows, cols = linear_sum_assignment(score, maximize=True)
    return {
        free[r]: (columns[c], float(min(1.0, score[r, c])), float(alike[r, c]))
        for r, c in zip(rows, cols, strict=True)
        if score[r, c] > 0
    }


def _adopt_time(
    names: list[str | None],
    profiles: list[Profile],
    free: list[int],
    columns: list[Column],
    alike: np.ndarray,
    score: np.ndarray,
) -> None:
    """A file's only time column is the time column, whatever its name."""
    times = [c for c, column in enumerate(columns) if column.role == "time"]
    stamped = [r for r, i in enumerate(free) if profiles[i].kind == "time"]
    if len(times) == 1 and len(stamped) == 1 and score[:, times[0]].max() < ACCEPTED:
        score[stamped[0], times[0]] = 0.6


def _worth(
    pairs: dict[int, tuple[Column, float, float]],
    columns: list[Column],
    size: int,
) -> float:
    """How well a record kind fits: what it explains, less what it expects in vain."""
    explained = sum(confidence for _, confidence, _ in pairs.values())
    return explained - 0.2 * (len(columns) - len(pairs)) / max(1, size)


def _match(
    source: str, name: str | None, column: Column, confidence: float, likely: float
) -> ColumnMatch:
    moved = Text("", "")
    if name != source:
        moved = Text(
            f"열 이름이 밀려 있어 '{name}'(으)로 바로잡음; ",
            f"names are shifted, corrected to '{name}'; ",
        )
    if likely >= 1.0:
        why = Text("이름이 같음", "same name")
    elif likely > 0:
        why = Text("이름이 비슷함", "similar name")
    else:
        why = Text("하나뿐인 시각 열", "the only time column")
    values = confidence - likely
    if likely > 0 and values > 0.02:
        why = Text(f"{why.ko}, 값도 맞음", f"{why.en}, values agree")
    elif likely > 0 and values < -0.02:
        why = Text(
            f"{why.ko}, 값은 예상 범위와 다름", f"{why.en}, values are unexpected"
        )
    return ColumnMatch(
        source=source,
        canonical=column.name,
        confidence=round(min(1.0, confidence), 2),
        reason_ko=moved.ko + why.ko,
        reason_en=moved.en + why.en,
    )


def _unknown(source: str, name: str | None) -> ColumnMatch:
    if name is None:
        return ColumnMatch(
            source=source,
            canonical=f"{source}__source",
            reason_ko="열 이름이 밀려 있어 원래 이름을 알 수 없음",
            reason_en="names are shifted; its right name is not known",
        )
    if name != source:
        return ColumnMatch(
            source=source,
            canonical=name,
            confidence=0.5,
            reason_ko=f"열 이름이 밀려 있어 '{name}'(으)로 바로잡음; 표준 열은 아님",
            reason_en=f"names are shifted, corrected to '{name}'; not a standard column",
        )
    return ColumnMatch(
        source=source,
        reason_ko="표준 열이 아니므로 이름 그대로 보관",
        reason_en="not a standard column; kept under its own name",
    )


def _with_unique_names(mapping: Mapping) -> Mapping:
    """No two columns under one name: the one that is not standard steps aside."""
    # Delta Lake knows no upper and lower case in names.
    taken = {m.canonical.lower() for m in mapping.columns if m.canonical}
    columns, used = [], set()
    for match in mapping.columns:
        name = match.canonical or match.source
        if name.lower() in used or (match.canonical is None and name.lower() in taken):
            name = f"{match.source}__source"
            match = match.model_copy(update={"canonical": name})
        used.add(name.lower())
        columns.append(match)
    return mapping.model_copy(update={"columns": columns})


def _shifted(shift: Shift, header: list[str], mapping: Mapping) -> Finding:
    names = mapping.names()
    moved = [(s, names[s]) for s in header[shift.start :]]
    return finding(
        "shifted-columns",
        columns=[name for pair in moved for name in pair],
        count=len(moved),
        examples=[f"{source} -> {name}" for source, name in moved],
        start=header[shift.start],
        shift=abs(shift.places),
        direction=Text("뒤로", "late") if shift.places > 0 else Text("앞으로", "early"),
        proposals=list_of(f"{source} → {name}" for source, name in moved),
    )


def apply_mapping(frame: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """The frame under its stored names; columns that the mapping lacks keep their own.

    A kept name that a mapped column already bears gets the ending `__source`.
    """
    names = mapping.names()
    stored = {names[c] for c in frame.columns if c in names}
    renamed = [
        names.get(c, f"{c}__source" if c in stored else c) for c in frame.columns
    ]
    return frame.set_axis(renamed, axis="columns")


def standard_columns(
    names: Iterable[str], equipment: Equipment, record_kind: str | None
) -> dict[str, Column]:
    """The standard column behind each stored name that has one."""
    known = {c.name: c for c in equipment.columns_of(record_kind)}
    return {n: known[n] for n in names if n in known}
