"""A YAML file -> typed entries, with every error naming file, line and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from kamp_lib.errors import KampError

Entry = TypeVar("Entry", bound=BaseModel)


# libyaml, where PyYAML was built with it, is ten times as fast
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
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
    data, node = compose(path)
    return _validated(data, node, path, kind)


def load_entries(path: Path, kind: type[Entry]) -> list[Entry]:
    """Read a YAML file that holds a list of `kind`."""
    data, node = compose(path)
    if not isinstance(node, yaml.SequenceNode):
        raise mistake(path, 1, "", "a list is expected")
    pairs = zip(data, node.value, strict=True)
    return [_validated(item, child, path, kind) for item, child in pairs]


def compose(path: Path) -> tuple[Any, yaml.Node]:
    """What a YAML file holds, and where each part of it stands."""
    text = path.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise mistake(path, line, "", error.problem or "not YAML") from error
    if node is None:
        raise mistake(path, 1, "", "the file is empty")
    return data, node


def _validated(data: Any, node: yaml.Node, path: Path, kind: type[Entry]) -> Entry:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise mistake(path, line_of(node, first["loc"]), field, first["msg"]) from error


def line_of(node: yaml.Node, loc: tuple[int | str, ...]) -> int:
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


def mistake(path: Path, line: int, field: str, problem: str) -> KampError:
    """The error that names file, line and field."""
    place = f"{path.name}:{line}" + (f" ({field})" if field else "")
    return KampError(
        f"카탈로그 파일 {place}에 오류가 있습니다: {problem}",
        f"catalogue file {place}: {problem}",
    )
