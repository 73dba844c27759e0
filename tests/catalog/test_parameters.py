from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib import catalog
from kamp_lib.errors import UsageError

FAMILY = catalog.families()["quality-classification"]
MODEL = catalog.standard_model("injection-quality")


def test_without_anything_given_the_defaults_hold():
    values = catalog.resolve_parameters(FAMILY, MODEL, {})
    assert set(values) == {p.name for p in FAMILY.parameters}
    assert values["cost_missed"] == 50000


def test_text_from_the_command_line_becomes_the_type_of_the_parameter():
    given_ = {"cost_missed": "80000", "folds": "5", "target": "passorfail"}
    values = catalog.resolve_parameters(FAMILY, MODEL, given_)
    assert (values["cost_missed"], values["folds"]) == (80000.0, 5)
    assert values["target"] == "passorfail"


@pytest.mark.parametrize(
    "given_",
    [
        {"cost": 1},
        {"__import__('os').system('true')": 1},
        {"seed\nimport os": 1},
        {"folds": "many"},
        {"folds": "2.5"},
        {"folds": 1},
        {"folds": 10**6},
        {"cost_missed": "-1"},
        {"cost_missed": "nan"},
        {"cost_missed": "inf"},
    ],
)
def test_a_wrong_name_type_or_range_is_refused(given_: dict[str, object]):
    with pytest.raises(UsageError):
        catalog.resolve_parameters(FAMILY, MODEL, given_)


@given(st.text(max_size=40))
def test_no_name_but_the_familys_own_ever_passes(name: str):
    known = {p.name for p in FAMILY.parameters}
    if name in known:
        return
    with pytest.raises(UsageError):
        catalog.resolve_parameters(FAMILY, MODEL, {name: 1})


def test_parameter_names_are_plain_python_names():
    for family in catalog.families().values():
        for parameter in family.parameters:
            assert parameter.name.isidentifier()
            assert not keyword.iskeyword(parameter.name)


@pytest.mark.parametrize("pair", ["folds", "=3", " =3"])
def test_an_assignment_needs_a_name_and_an_equals_sign(pair: str):
    with pytest.raises(UsageError):
        catalog.parse_assignments([pair])


def test_a_value_may_hold_an_equals_sign():
    assert catalog.parse_assignments(["target=a=b"]) == {"target": "a=b"}
