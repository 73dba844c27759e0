"""What a mapping says of its matches: the reason of each, and findings about them."""

from __future__ import annotations

from kamp_lib.catalog import Column
from kamp_lib.datasets.findings import finding, list_of
from kamp_lib.datasets.mapping.assignment import Pair, Seen
from kamp_lib.datasets.mapping.shift import Shift
from kamp_lib.datasets.types import ColumnMatch, Finding, Mapping
from kamp_lib.datasets.units import compatible, said, to_ucum
from kamp_lib.text import Text

PLAIN = 0.3  # evidence that is worth a word


def matched(seen: Seen, pair: Pair) -> ColumnMatch:
    """The match of a column that has a standard one, with its reason in words."""
    parts = [_by_name(pair), _by_values(pair), _by_unit(seen, pair)]
    if seen.name != seen.source:
        parts.insert(0, _moved(seen.name))
    told = [part for part in parts if part is not None]
    return ColumnMatch(
        source=seen.source,
        canonical=pair.column.name,
        confidence=round(max(0.0, min(1.0, pair.confidence)), 2),
        reason_ko=", ".join(part.ko for part in told),
        reason_en=", ".join(part.en for part in told),
    )


def unmatched(seen: Seen) -> ColumnMatch:
    """A column that is kept: under its own name, or the one that a shift gives it."""
    if seen.name is None:
        name: str | None = f"{seen.source}__source"
        why = Text(
            "열 이름이 밀려 있어 원래 이름을 알 수 없음",
            "names are shifted; its right name is not known",
        )
    elif seen.name != seen.source:
        name, moved = seen.name, _moved(seen.name)
        why = Text(f"{moved.ko}; 표준 열은 아님", f"{moved.en}; not a standard column")
    else:
        name = None
        why = Text(
            "표준 열이 아니므로 이름 그대로 보관",
            "not a standard column; kept under its own name",
        )
    return ColumnMatch(
        source=seen.source,
        canonical=name,
        reason_ko=why.ko,
        reason_en=why.en,
    )


def with_unit(
    match: ColumnMatch, written: str | None, column: Column | None
) -> ColumnMatch:
    """The match with the unit of its values, and the unit that they are stored in.

    What a person set in the mapping file goes before what the file tells.
    """
    number = column is not None and column.kind == "number"
    wanted = column.unit if column is not None and number else None
    code = match.unit
    if written and not match.unit_by_hand:
        code = to_ucum(written, like=wanted)
    fits = code is not None and wanted is not None and compatible(code, wanted)
    stored = wanted if fits else code
    return match.model_copy(update={"unit": code, "stored_unit": stored})


def _moved(name: str | None) -> Text:
    return Text(
        f"열 이름이 밀려 있어 '{name}'(으)로 바로잡음",
        f"names are shifted, corrected to '{name}'",
    )


def _by_name(pair: Pair) -> Text:
    if not pair.likely:
        return Text("하나뿐인 시각 열", "the only time column")
    if pair.likely >= 1.0:
        return Text(f"이름이 같음('{pair.said}')", f"same name ('{pair.said}')")
    if pair.likely >= 0.95:
        return Text(f"같은 말로 된 이름('{pair.said}')", f"same words ('{pair.said}')")
    return Text(f"비슷한 이름('{pair.said}')", f"similar name ('{pair.said}')")


def _by_values(pair: Pair) -> Text | None:
    if not pair.likely or abs(pair.values) < PLAIN:
        return None
    if pair.values > 0:
        return Text("값도 맞음", "values agree")
    return Text("값은 예상과 다름", "values are unexpected")


def _by_unit(seen: Seen, pair: Pair) -> Text | None:
    wanted = pair.column.unit
    if seen.unit is None or wanted is None or pair.column.kind != "number":
        return None
    code = seen.code(pair.column)
    if code is None:
        return Text(f"단위 '{seen.unit}' 모름", f"unit '{seen.unit}' not known")
    if not compatible(code, wanted):
        return Text(
            f"단위 {said(code)}은(는) {said(wanted)}(으)로 바꿀 수 없음",
            f"unit {said(code)} cannot be {said(wanted)}",
        )
    if code == wanted:
        return Text(f"단위 {said(code)}", f"unit {said(code)}")
    both = f"{said(code)} → {said(wanted)}"
    return Text(f"단위 {both}", f"unit {both}")


def shifted(shift: Shift, header: list[str], mapping: Mapping) -> Finding:
    """The finding of a header whose names sit beside their columns."""
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


def about_units(
    mapping: Mapping, written: dict[str, str], known: dict[str, Column]
) -> list[Finding]:
    """What was converted, and the units that are not those of their standard column."""
    converted = [m for m in mapping.columns if m.unit != m.stored_unit]
    found = []
    if converted:
        shown = [
            f"{m.source}: {said(m.unit)} → {said(m.stored_unit)}" for m in converted
        ]
        found.append(_unit_finding("unit-converted", converted, shown))
    unclear = []
    for match in mapping.columns:
        column = known.get(match.canonical or match.maybe or "")
        if column is None or column.kind != "number" or column.unit is None:
            continue
        told = match.unit if match.unit_by_hand else written.get(match.source)
        if told and (match.unit is None or not compatible(match.unit, column.unit)):
            unclear.append((match, f"{match.source}: {told} ↔ {said(column.unit)}"))
    if unclear:
        matches = [match for match, _ in unclear]
        found.append(_unit_finding("unit-unclear", matches, [t for _, t in unclear]))
    return found


def _unit_finding(code: str, matches: list[ColumnMatch], shown: list[str]) -> Finding:
    names = [n for m in matches for n in (m.source, m.canonical or m.source)]
    return finding(
        code, columns=names, count=len(shown), examples=shown, detail=list_of(shown)
    )


def questions(mapping: Mapping) -> list[Finding]:
    """The columns that may be standard ones, with the line that answers each."""
    asked = [m for m in mapping.columns if m.maybe]
    if not asked:
        return []
    lines = [f"{{source: {m.source}, name: {m.maybe}}}" for m in asked]
    return [
        finding(
            "mapping-unsure",
            columns=[m.source for m in asked],
            count=len(asked),
            examples=lines,
            detail=list_of(
                f"{m.source} → {m.maybe}? ({m.confidence:.0%})" for m in asked
            ),
            line=lines[0],
        )
    ]
