"""Parameters of an analysis: checked by name, type and range before a kernel starts.

Papermill writes parameter *names* into the notebook as code, so a name that is not in
the family's schema must never reach it.
"""

from __future__ import annotations

from typing import Any

from kamp_lib.catalog.types import Family, Parameter, StandardModel
from kamp_lib.errors import UsageError

Value = float | int | bool | str | None


def resolve_parameters(
    family: Family, model: StandardModel | None, given: dict[str, Any]
) -> dict[str, Value]:
    """All parameters of `family`: its defaults, the model's, then what was `given`.

    Raises
    ------
    UsageError
        For an unknown name, a value of the wrong type or out of range.
    """
    values: dict[str, Value] = {p.name: p.default for p in family.parameters}
    values.update(model.defaults if model else {})
    for name, raw in given.items():
        parameter = family.parameter(name)
        if parameter is None:
            known = ", ".join(p.name for p in family.parameters)
            raise UsageError(
                f"'{name}' 매개변수는 없습니다. 쓸 수 있는 것: {known}",
                f"there is no parameter {name!r}; known: {known}",
            )
        values[name] = _checked(parameter, raw)
    return values


def parse_assignments(pairs: list[str]) -> dict[str, str]:
    """`["a=1", "b=x"]` -> `{"a": "1", "b": "x"}`."""
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                f"-p 는 NAME=VALUE 꼴로 적습니다. 받은 값: {pair}",
                f"-p takes NAME=VALUE, not {pair!r}",
            )
        given[name.strip()] = value.strip()
    return given


def _checked(parameter: Parameter, raw: Any) -> Value:
    if raw is None or (raw == "" and parameter.type in ("column", "columns", "text")):
        return parameter.default
    value = _converted(parameter, raw)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = parameter.min, parameter.max
        if (low is not None and value < low) or (high is not None and value > high):
            raise _wrong(parameter, raw, f"{low} ~ {high}")
    if parameter.choices and value not in parameter.choices:
        raise _wrong(parameter, raw, ", ".join(parameter.choices))
    return value


def _converted(parameter: Parameter, raw: Any) -> Value:
    text = str(raw).strip()
    try:
        if parameter.type == "number":
            number = float(text)
            if number != number or number in (float("inf"), float("-inf")):
                raise ValueError(text)
            return number
        if parameter.type == "integer":
            return int(text)
    except ValueError:
        raise _wrong(parameter, raw, "a number / 숫자") from None
    if parameter.type == "boolean":
        if text.lower() in ("true", "1", "yes", "예"):
            return True
        if text.lower() in ("false", "0", "no", "아니요"):
            return False
        raise _wrong(parameter, raw, "true, false")
    return text


def _wrong(parameter: Parameter, raw: Any, expected: str) -> UsageError:
    return UsageError(
        f"매개변수 {parameter.name}({parameter.ko})에 '{raw}' 값을 쓸 수 없습니다. 가능: {expected}",
        f"parameter {parameter.name} cannot be {raw!r}; expected: {expected}",
    )
