from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from kamp_lib.catalog import equipment_types
from kamp_lib.catalog.rules import HERE, Rule, rules_of

A, B = np.array([1.0, 5.0, np.nan]), np.array([3.0, 3.0, 3.0])


def rule(holds: str, **rest: object) -> Rule:
    return Rule(id="trial", holds=holds, ko="시험", en="trial", **rest)


@pytest.mark.parametrize("equipment", equipment_types())
def test_rules_name_columns_of_their_equipment(equipment: str):
    known = {c.name for c in equipment_types()[equipment].columns}
    assert all(set(r.columns) <= known for r in rules_of(equipment))


def test_every_rule_file_belongs_to_an_equipment():
    assert {p.stem for p in HERE.glob("*.yaml")} <= set(equipment_types())


@pytest.mark.parametrize(
    ("holds", "broken"),
    [
        ("a <= b", [False, True, False]),
        ("a + 1 < b", [False, True, False]),
        ("not a > b", [False, True, False]),
        ("a <= 2 * b - 2", [False, True, False]),
        ("a == 1 or b > 10", [False, True, False]),
        ("0 < a < b", [False, True, False]),
        ("a / b >= 1", [True, False, False]),
    ],
)
def test_a_rule_is_broken_where_it_does_not_hold(holds: str, broken: list[bool]):
    assert rule(holds).broken({"a": A, "b": B}).tolist() == broken


def test_a_rule_allows_for_the_error_of_measurements():
    assert not rule("a <= b", tolerance=2).broken({"a": A, "b": B}).any()


def test_a_rule_speaks_only_of_the_rows_that_it_is_meant_for():
    assert not rule("a <= b", when="a < 5").broken({"a": A, "b": B}).any()


def test_columns_are_those_that_the_rule_names():
    assert rule("cycle >= a + b", when="c > 0").columns == ("cycle", "a", "b", "c")


@pytest.mark.parametrize(
    "holds",
    [
        "__import__('os').system('true') == 0",
        "a.real < b",
        "a[0] < b",
        "(lambda: 1) < b",
        "a + b",
        "a < 'text'",
        "a ** 9 < b",
        "open < ",
        "a in b",
        "True",
    ],
)
def test_nothing_but_comparisons_of_sums_is_a_rule(holds: str):
    with pytest.raises(ValidationError):
        rule(holds)
