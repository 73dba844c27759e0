"""Column mapping: which column of a file is which standard column, and why.

`propose_mapping` is one assignment over all columns at once, from names in Korean and
English, units, kinds, ranges and shape of values; what it is not sure of it asks, and
keeps under its own name until it is answered. `apply_mapping` renames and converts.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import replace

import pandas as pd

from kamp_lib.catalog import Column, Equipment, equipment_type
from kamp_lib.datasets.mapping.assignment import Pair, Seen, assign, worth
from kamp_lib.datasets.mapping.evidence import CONTRADICTION, evidence, profile
from kamp_lib.datasets.mapping.known import KnownNames
from kamp_lib.datasets.mapping.names import common_path, take_apart
from kamp_lib.datasets.mapping.reasons import (
    about_units,
    matched,
    questions,
    shifted,
    unmatched,
    with_unit,
)
from kamp_lib.datasets.mapping.shift import FEWEST_MENDED, Shift, find_shift
from kamp_lib.datasets.options import AskColumn, nobody_to_ask
from kamp_lib.datasets.spool import let_go
from kamp_lib.datasets.types import ColumnMatch, Finding, Mapping
from kamp_lib.datasets.units import convert

PROVENANCE = ("_file", "_row")
SHARE_WRONG = 0.25  # of remembered matches that values may contradict
SURE = 0.7  # confidence from which a standard name is given without asking


def propose_mapping(
    frame: pd.DataFrame,
    equipment: str | Equipment,
    *,
    record_kind: str | None = None,
    remembered: Mapping | None = None,
    units: Dictionary[str, str] | None = None,
    sure: float = SURE,
    ask: AskColumn = nobody_to_ask,
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
        An earlier mapping: the columns it names are taken over, unless the values now
        contradict what was proposed then. What a person set is never undone.
    units : mapping of str to str, optional
        Source column -> its unit as a line of units or the cells tell it. The unit in a
        name's bracket needs no telling.
    sure : float, default 0.7
        A proposal of less confidence is a question, not an answer.
    ask : callable
        Asked with each such match and the standard names that are left; its answer is
        the name to store, None leaves the question open.

    Returns
    -------
    mapping : Mapping
        One match per source column. A shifted header is already corrected in it.
    findings : list of Finding
        `shifted-columns`, `unit-converted`, `unit-unclear` and `mapping-unsure`.
    """
    machine = equipment_type(equipment) if isinstance(equipment, str) else equipment
    seen = _seen(frame, units or {})
    fixed = _kept(remembered, seen, machine) if remembered else {}
    if record_kind is None and fixed and remembered is not None:
        record_kind = remembered.record_kind
    shift = None
    if not fixed:
        seen, shift = _straightened(seen, machine)
    kind, pairs = _best_kind(seen, fixed, machine, record_kind)

    known = {c.name: c for c in machine.columns_of(kind)}
    matches = []
    for place, one in enumerate(seen):
        if one.source in fixed:
            match = fixed[one.source]
        else:
            match = matched(one, pairs[place]) if place in pairs else unmatched(one)
        matches.append(match)
    matches = _settled(seen, matches, known, sure, ask)
    matches = [
        with_unit(m, s.unit, known.get(m.canonical or ""))
        for m, s in zip(matches, seen, strict=True)
    ]
    mapping = Mapping(equipment=machine.id, record_kind=kind, columns=matches)
    mapping = _with_unique_names(mapping)
    header = [s.source for s in seen]
    written = {s.source: s.unit for s in seen if s.unit}
    findings = [shifted(shift, header, mapping)] if shift else []
    findings += about_units(mapping, written, known)
    return mapping, findings + questions(mapping)


def _seen(frame: pd.DataFrame, units: Dictionary[str, str]) -> list[Seen]:
    header = [str(c) for c in frame.columns if c not in PROVENANCE]
    path = common_path(header)
    seen = []
    for name in header:
        unit = units.get(name) or take_apart(name).unit
        seen.append(Seen(name, name, profile(frame[name]), unit, path))
        let_go()  # a column of a large file that was looked at
    return seen


def _kept(
    remembered: Mapping, seen: list[Seen], machine: Equipment
) -> dict[str, ColumnMatch]:
    """The earlier matches of these columns.

    When the values contradict many of them, or names changed and are shifted now, the
    header was mended, or broke: then only what a person set is kept.
    """
    known = {c.name: c for c in machine.columns}
    earlier = {m.source: m for m in remembered.columns}
    kept = {s.source: earlier[s.source] for s in seen if s.source in earlier}
    proposed, wrong = 0, 0
    for one in seen:
        match = kept.get(one.source)
        column = known.get(match.canonical or "") if match else None
        if match is None or match.by_hand or column is None:
            continue
        unit = match.unit if match.unit_by_hand else one.unit
        proposed += 1
        wrong += evidence(one.profile, column, unit) <= CONTRADICTION
    few = wrong < FEWEST_MENDED or wrong <= SHARE_WRONG * proposed
    other_names = {s.source for s in seen} != set(earlier)
    if few and not (other_names and _straightened(seen, machine)[1]):
        return kept
    return {source: match for source, match in kept.items() if match.by_hand}


def _straightened(
    seen: list[Seen], machine: Equipment
) -> tuple[list[Seen], Shift | None]:
    """The columns under the names that belong to them, when the header is shifted."""
    header = [s.source for s in seen]
    told = [s.unit if s.unit != take_apart(s.source).unit else None for s in seen]
    profiles = [s.profile for s in seen]
    standard = KnownNames(machine.columns)
    spoken = [s.source.removeprefix(s.path) for s in seen]
    shift = find_shift(spoken, profiles, standard, told)
    if shift is None:
        return seen, None
    names = shift.names(header, standard)
    units = [
        told[i] or (take_apart(name).unit if name else None)
        for i, name in enumerate(names)
    ]
    moved = zip(seen, names, units, strict=True)
    return [replace(one, name=name, unit=unit) for one, name, unit in moved], shift


def _best_kind(
    seen: list[Seen],
    fixed: dict[str, ColumnMatch],
    machine: Equipment,
    record_kind: str | None,
) -> tuple[str | None, dict[int, Pair]]:
    """The record kind that most columns speak for, and their assignment in it."""
    free = [i for i, one in enumerate(seen) if one.source not in fixed]
    held = {m.canonical for m in fixed.values() if m.canonical}
    kinds: list[str | None] = [k.id for k in machine.record_kinds]
    if record_kind or not kinds:
        kinds = [record_kind]
    found = []
    for kind in kinds:
        columns = [c for c in machine.columns_of(kind) if c.name not in held]
        pairs = assign(seen, free, columns)
        found.append((worth(pairs, columns, len(machine.columns)), kind, pairs))
    _, kind, pairs = max(found, key=lambda one: round(one[0], 9))
    return kind, pairs


def _settled(
    seen: list[Seen],
    matches: list[ColumnMatch],
    known: Iterable[str],
    sure: float,
    ask: AskColumn,
) -> list[ColumnMatch]:
    """What is not sure becomes a question, and the column keeps its own name meanwhile."""
    standard = set(known)
    for place, (one, match) in enumerate(zip(seen, matches, strict=True)):
        doubted = match.canonical in standard and match.confidence < sure
        if doubted and not match.by_hand:
            kept = unmatched(one).canonical
            matches[place] = match.model_copy(
                update={"canonical": kept, "maybe": match.canonical}
            )
    for place, match in enumerate(matches):
        if match.maybe is None:
            continue
        left = sorted(standard - {m.canonical for m in matches})
        answer = ask(match, left)
        if answer is not None:
            matches[place] = match.answered(answer)
    return matches


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


def apply_mapping(frame: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """The frame under its stored names and in its stored units.

    Columns that the mapping lacks keep their own name; one that a mapped column already
    bears gets the ending `__source`.
    """
    names = mapping.names()
    stored = {names[c] for c in frame.columns if c in names}
    renamed = [
        names.get(c, f"{c}__source" if c in stored else c) for c in frame.columns
    ]
    made = frame.set_axis(renamed, axis="columns")
    for match in mapping.columns:
        name, unit, wanted = names[match.source], match.unit, match.stored_unit
        if unit is None or wanted is None or unit == wanted or name not in made:
            continue
        if pd.api.types.is_numeric_dtype(made[name]):
            made[name] = convert(made[name], unit, wanted)
    return made


def standard_columns(
    names: Iterable[str], equipment: Equipment, record_kind: str | None
) -> dict[str, Column]:
    """The standard column behind each stored name that has one."""
    known = {c.name: c for c in equipment.columns_of(record_kind)}
    return {n: known[n] for n in names if n in known}
