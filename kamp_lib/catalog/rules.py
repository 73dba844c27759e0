"""Rules of physics between the columns of one machine, written as one line each.

A rule is a comparison of two expressions over column names and numbers, such as
`injection_time + cooling_time <= cycle_time`. It is parsed when the catalogue is loaded
and computed from the parsed tree: only + - * /, comparisons, `and`, `or` and `not` exist,
so nothing that a YAML file says is ever executed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from kamp_lib.catalog.load import equipment_types, load_entries
from kamp_lib.catalog.types import Slug
from kamp_lib.errors import KampError
from kamp_lib.text import Text

HERE = Path(__file__).parent / "rules"
ARITHMETIC: dict[type[ast.operator], Callable[..., np.ndarray]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
# Each with the tolerance on the side of the rule: only what is clearly broken counts.
COMPARISONS: dict[type[ast.cmpop], Callable[..., np.ndarray]] = {
    ast.LtE: lambda a, b, slack: a <= b + slack,
    ast.Lt: lambda a, b, slack: a < b + slack,
    ast.GtE: lambda a, b, slack: a >= b - slack,
    ast.Gt: lambda a, b, slack: a > b - slack,
    ast.Eq: lambda a, b, slack: np.abs(a - b) <= slack,
    ast.NotEq: lambda a, b, slack: np.abs(a - b) > slack,
}
Columns = Mapping[str, np.ndarray]


class Rule(BaseModel):
    """What always holds between columns of one record of a machine.

    `holds` has to be true wherever `when` is; `tolerance` is how far, in the unit of
    the columns, a measurement may miss it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Slug
    holds: str
    when: str | None = None
    tolerance: float = Field(default=0.0, ge=0)
    ko: str
    en: str

    @field_validator("holds", "when")
    @classmethod
    def _is_a_rule(cls, text: str | None) -> str | None:
        if text is not None:
            _check(parsed(text))
        return text

    @property
    def said(self) -> Text:
        return Text(self.ko, self.en)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have to be there, in the order of the rule."""
        names: list[str] = []
        for text in (self.holds, self.when):
            nodes = ast.walk(parsed(text)) if text else ()
            found = [n for n in nodes if isinstance(n, ast.Name)]
            names += [n.id for n in sorted(found, key=lambda n: n.col_offset)]
        return tuple(dict.fromkeys(names))

    def broken(self, columns: Columns) -> np.ndarray:
        """Rows that break the rule; a row with a gap breaks none.

        Parameters
        ----------
        columns : mapping of str to array, shape (n,)
            At least `self.columns`, with nan for gaps.
        """
        known = ~np.any([np.isnan(columns[c]) for c in self.columns], axis=0)
        with np.errstate(all="ignore"):
            true = _truth(parsed(self.holds), columns, self.tolerance)
            if self.when:
                known &= _truth(parsed(self.when), columns, 0.0)
        return np.asarray(known & ~true)


@cache
def parsed(text: str) -> ast.expr:
    """The tree of one expression.

    Raises
    ------
    ValueError
        When the text is no expression at all.
    """
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{text!r} is not a rule: {error.msg}") from error


def _check(node: ast.expr) -> None:
    """Refuse whatever is not a comparison of sums over columns and numbers."""
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _check(value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        _check(node.operand)
    elif isinstance(node, ast.Compare) and all(
        type(op) in COMPARISONS for op in node.ops
    ):
        for side in (node.left, *node.comparators):
            _check_number(side)
    else:
        raise ValueError(f"{ast.unparse(node)!r} compares nothing")


def _check_number(node: ast.expr) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        _check_number(node.left)
        _check_number(node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check_number(node.operand)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ValueError(f"{node.value!r} is not a number")
    elif not isinstance(node, ast.Name):
        raise ValueError(f"{ast.unparse(node)!r} is not allowed in a rule")


def _truth(node: ast.expr, columns: Columns, slack: float) -> np.ndarray:
    if isinstance(node, ast.BoolOp):
        parts = [_truth(value, columns, slack) for value in node.values]
        every = isinstance(node.op, ast.And)
        return np.asarray(np.all(parts, axis=0) if every else np.any(parts, axis=0))
    if isinstance(node, ast.UnaryOp):
        return ~_truth(node.operand, columns, -slack)
    if not isinstance(node, ast.Compare):
        raise TypeError(ast.dump(node))
    sides = [_number(side, columns) for side in (node.left, *node.comparators)]
    held = [
        COMPARISONS[type(op)](a, b, slack)
        for op, a, b in zip(node.ops, sides[:-1], sides[1:], strict=True)
    ]
    return np.asarray(np.all(held, axis=0))


def _number(node: ast.expr, columns: Columns) -> np.ndarray:
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left, columns), _number(node.right, columns)
        return ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        return -_number(node.operand, columns)
    if isinstance(node, ast.Name):
        return columns[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return np.asarray(float(node.value))
    raise TypeError(ast.dump(node))


@cache
def rules_of(equipment: str) -> tuple[Rule, ...]:
    """The rules of an equipment type, each checked against its columns.

    Raises
    ------
    KampError
        When a rule names a column that the equipment does not have.
    """
    path = HERE / f"{equipment}.yaml"
    if not path.exists():
        return ()
    rules = tuple(load_entries(path, Rule))
    known = {c.name for c in equipment_types()[equipment].columns}
    for rule in rules:
        names = ", ".join(sorted(set(rule.columns) - known))
        if names:
            raise KampError(
                f"카탈로그 파일 {path.name}의 규칙 '{rule.id}'에 모르는 열이 있습니다: {names}",
                f"catalogue file {path.name}: the rule {rule.id!r} names unknown columns: {names}",
            )
    return rules
