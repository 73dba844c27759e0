"""YAML files -> typed catalogue, with every error naming file, line and field."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from kamp_lib.catalog.types import (
    Equipment,
    Family,
    Quantity,
    StandardModel,
)
from kamp_lib.errors import KampError, UsageError

HERE = Path(__file__).parent
Entry = TypeVar("Entry", bound=BaseModel)
# libyaml, where PyYAML was built with it, is ten times as fast
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(yaml.SafeLoader):
    """YAML whose only booleans are true and false: `no` and `yes` are words here.

    They are the number of a model and the labels of many factory files.
    """


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:bool"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"true|false"), list("tf")
)


def load_entry(path: Path, kind: type[Entry]) -> Entry:
    """Read one YAML file as `kind`.

    Raises
    ------
    KampError
        Naming file, line and field of the first mistake.
    """
    data, node = _compose(path)
    return _validated(data, node, path, kind)


def load_entries(path: Path, kind: type[Entry]) -> list[Entry]:
    """Read a YAML file that holds a list of `kind`."""
    data, node = _compose(path)
    if not isinstance(node, yaml.SequenceNode):
        raise _error(path, 1, "", "a list is expected")
    pairs = zip(data, node.value, strict=True)
    return [_validated(item, child, path, kind) for item, child in pairs]


def _compose(path: Path) -> tuple[Any, yaml.Node]:
    text = path.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _error(path, line, "", error.problem or "not YAML") from error
    if node is None:
        raise _error(path, 1, "", "the file is empty")
    return data, node


def _validated(data: Any, node: yaml.Node, path: Path, kind: type[Entry]) -> Entry:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _error(path, _line(node, first["loc"]), field, first["msg"]) from error


def _line(node: yaml.Node, loc: tuple[int | str, ...]) -> int:
    """The line of the deepest place of `loc` that the file really has."""
    for part in loc:
        child = None
        if isinstance(node, yaml.MappingNode):
            child = next((v for k, v in node.value if k.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            child = node.value[part] if part < len(node.value) else None
        if child is None:
            break
        node = child
    return int(node.start_mark.line) + 1


def _error(path: Path, line: int, field: str, problem: str) -> KampError:
    place = f"{path.name}:{line}" + (f" ({field})" if field else "")
    return KampError(
        f"카탈로그 파일 {place}에 오류가 있습니다: {problem}",
        f"catalogue file {place}: {problem}",
    )


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


def check_model(model: StandardModel, path: Path) -> None:
    """Hold a model against its equipment and family: every name it uses must exist."""
    _, node = _compose(path)

    def wrong(field: str, problem: str) -> KampError:
        return _error(path, _line(node, (field,)), field, problem)

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
