"""The parameters of an analysis as a form, from the schema that the command line uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kamp_lib.catalog import (
    Family,
    Parameter,
    StandardModel,
    families,
    resolve_parameters,
    standard_model,
)
from kamp_lib.catalog.parameters import Value
from kamp_lib.errors import UsageError
from kamp_lib.text import Text

# What an analyst rarely changes stands folded away.
FINE = frozenset({"folds", "seed", "features", "time", "image_size"})
LONGEST_VALUE = 2000


@dataclass(frozen=True)
class Field:
    """One parameter: what it is called, what it may be, what it is now."""

    parameter: Parameter
    default: Value
    value: str
    error: Text | None = None

    @property
    def kind(self) -> str:
        """How it is asked for: number, choice, column, switch or text."""
        kinds = {"number": "number", "integer": "number", "boolean": "switch"}
        kinds |= {"choice": "choice", "column": "column"}
        return kinds.get(self.parameter.type, "text")

    @property
    def group(self) -> str:
        """Where it stands: with the money, the plain settings or the fine ones."""
        if self.parameter.money:
            return "money"
        return "fine" if self.parameter.name in FINE else "plain"

    @property
    def shown_default(self) -> str:
        """What an empty field means, as people read it."""
        if isinstance(self.default, bool) or self.default is None:
            return ""
        if isinstance(self.default, (int, float)):
            return (
                f"{self.default:,g}" if self.default < 1e6 else f"{self.default:,.0f}"
            )
        return str(self.default)


def analysis(name: str) -> tuple[Family, StandardModel | None]:
    """A standard model by id, or a problem family by its own name."""
    if name in families():
        return families()[name], None
    model = standard_model(name)
    return families()[model.family], model


def fields(
    family: Family,
    model: StandardModel | None,
    given: dict[str, str] | None = None,
    errors: dict[str, Text] | None = None,
) -> list[Field]:
    """The form, filled with what was `given` before."""
    defaults = resolve_parameters(family, model, {})
    return [
        Field(p, defaults[p.name], (given or {}).get(p.name, ""), (errors or {}).get(p.name))
        for p in family.parameters
    ]  # fmt: skip


def filled(
    family: Family, model: StandardModel | None, told: Any
) -> tuple[dict[str, str], dict[str, Text]]:
    """What of a form was really set, and what is wrong with it.

    An empty field means the default, and is no value of the company's own.

    Returns
    -------
    given : dict
        Parameters that differ from an empty field, as `resolve_parameters` takes them.
    errors : dict
        By parameter, the sentence that `kamp run -p` would print.
    """
    if not isinstance(told, dict) or not all(_plain(v) for v in told.values()):
        raise UsageError(
            "분석 조건을 읽을 수 없습니다. 화면을 새로 고치고 다시 하세요.",
            "the settings cannot be read; reload the page and try again.",
        )
    given = {str(k): _written(v) for k, v in told.items() if _written(v)}
    errors: dict[str, Text] = {}
    for name, value in given.items():
        try:
            resolve_parameters(family, model, {name: value})
        except UsageError as error:
            errors[name] = error.text
    return given, errors


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _written(value: Any) -> str:
    """A value as it would be typed; separators of thousands are for people only."""
    if value is None:
        return ""
    said = str(value).strip()[:LONGEST_VALUE]
    digits = said.replace(",", "")
    return digits if digits.lstrip("-").replace(".", "", 1).isdigit() else said


def column_choices(columns: Sequence[dict[str, str]]) -> list[tuple[str, Text]]:
    """Columns of a data set to choose from: name and what it is called."""
    return [(c["name"], Text(c["ko"], c["en"])) for c in columns]
