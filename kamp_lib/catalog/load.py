"""The catalogue's YAML files, read once, each name in them checked against the others."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kamp_lib.catalog.entries import compose, line_of, load_entries, load_entry, mistake
from kamp_lib.catalog.types import (
    Equipment,
    Family,
    Quantity,
    StandardModel,
    Word,
)
from kamp_lib.errors import KampError, UsageError

HERE = Path(__file__).parent


def catalogue_files() -> list[Path]:
    """All files of the catalogue, and the folders that others may come into."""
    files = sorted(HERE.rglob("*.yaml"))
    return [*files, *sorted({file.parent for file in files})]


@cache
def equipment_types() -> dict[str, Equipment]:
    """All equipment types by id."""
    files = sorted((HERE / "equipment").glob("*.yaml"))
    return {e.id: e for e in (load_entry(f, Equipment) for f in files)}


@cache
def families() -> dict[str, Family]:
    """All problem families by id."""
    files = sorted((HERE / "families").glob("*.yaml"))
    return {f.id: f for f in (load_entry(path, Family) for path in files)}


@cache
def standard_models() -> dict[str, StandardModel]:
    """All standard models by id, in catalogue order; each checked against its equipment."""
    files = sorted((HERE / "models").glob("*.yaml"))
    models = [(load_entry(f, StandardModel), f) for f in files]
    for model, path in models:
        check_model(model, path)
    return {m.id: m for m, _ in sorted(models, key=lambda pair: pair[0].no)}


@cache
def quantities() -> tuple[Quantity, ...]:
    """The dictionary of physical quantities."""
    return tuple(load_entries(HERE / "quantities.yaml", Quantity))


@cache
def vocabulary() -> dict[str, Word]:
    """The words of column names by how they are written, in lower case."""
    path = HERE / "vocabulary.yaml"
    words: dict[str, Word] = {}
    for word in load_entries(path, Word):
        for text in word.written:
            if text.lower() in words:
                raise mistake(path, 1, "written", f"{text!r} stands in two words")
            words[text.lower()] = word
    return words


def check_model(model: StandardModel, path: Path) -> None:
    """Hold a model against its equipment and family: every name it uses must exist."""
    _, node = compose(path)

    def wrong(field: str, problem: str) -> KampError:
        return mistake(path, line_of(node, (field,)), field, problem)

    kind = equipment_types().get(model.equipment)
    if kind is None:
        raise wrong("equipment", f"unknown equipment {model.equipment!r}")
    if model.record_kind not in {k.id for k in kind.record_kinds}:
        raise wrong(
            "record_kind", f"{kind.id} has no record kind {model.record_kind!r}"
        )
    family = families().get(model.family)
    if family is None:
        raise wrong("family", f"unknown problem family {model.family!r}")
    known = {c.name for c in kind.columns_of(model.record_kind)}
    for field in ("required", "optional", "controllable", "leaks", "case_keys"):
        unknown = set(getattr(model, field)) - known
        if unknown:
            raise wrong(field, f"unknown columns {sorted(unknown)}")
    if model.target is not None and model.target.column not in known:
        raise wrong("target", f"unknown column {model.target.column!r}")
    if set(model.groups) - known - {"day"}:
        raise wrong("groups", f"unknown columns {sorted(set(model.groups) - known)}")
    for name in model.defaults:
        if family.parameter(name) is None:
            raise wrong("defaults", f"{family.id} has no parameter {name!r}")


def equipment_type(name: str) -> Equipment:
    """The equipment type `name`; an unknown one is answered with the list of known ones."""
    found = equipment_types().get(name)
    if found is None:
        known = ", ".join(equipment_types())
        raise KampError(
            f"'{name}' 설비를 모릅니다. 쓸 수 있는 설비: {known}",
            f"unknown equipment {name!r}; known: {known}",
        )
    return found


def standard_model(name: str) -> StandardModel:
    """The standard model `name`; an unknown one is answered with the list of known ones."""
    found = standard_models().get(name)
    if found is None:
        known = ", ".join([*standard_models(), *families()])
        raise UsageError(
            f"'{name}' 표준모델을 모릅니다. 쓸 수 있는 모델: {known}",
            f"unknown model {name!r}; known: {known}",
        )
    return found
