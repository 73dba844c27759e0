"""The form of an analysis says what `kamp run -p` says, no more and no less."""

from __future__ import annotations

from typing import Any

import pytest

from kamp_lib.catalog import families, resolve_parameters, standard_models
from kamp_lib.errors import KampError, UsageError
from kamp_lib.workspace.forms import analysis, fields, filled

QUALITY = analysis("injection-quality")


@pytest.mark.parametrize("name", [*families(), *standard_models()])
def test_every_analysis_has_a_form_with_all_its_parameters(name: str) -> None:
    family, model = analysis(name)
    shown = fields(family, model)
    assert [f.parameter.name for f in shown] == [p.name for p in family.parameters]
    assert {f.group for f in shown} == {"money", "plain", "fine"}


@pytest.mark.parametrize("name", ["", "nobody", "../x", "injection-quality\n"])
def test_an_unknown_analysis_is_an_error(name: str) -> None:
    with pytest.raises(KampError):
        analysis(name)


def test_empty_fields_are_not_the_companys_own_values() -> None:
    given, errors = filled(*QUALITY, {"cost_missed": "", "target": " ", "seed": None})
    assert (given, errors) == ({}, {})


def test_thousands_may_be_separated() -> None:
    given, errors = filled(*QUALITY, {"cost_missed": "80,000"})
    assert not errors
    assert resolve_parameters(*QUALITY, given)["cost_missed"] == 80_000


def test_commas_between_names_stay() -> None:
    given, _ = filled(*QUALITY, {"features": "cycle_time,holding_pressure"})
    assert given["features"] == "cycle_time,holding_pressure"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cost_missed", "-1"),
        ("cost_missed", "많이"),
        ("cost_missed", "1e99"),
        ("cost_missed", "nan"),
        ("folds", "2.5"),
        ("folds", "1"),
        ("x=__import__('os').system('true') #", "1"),
        ("bundle", "/etc"),
    ],
)
def test_a_wrong_value_gives_the_sentence_of_the_command_line(
    name: str, value: str
) -> None:
    _, errors = filled(*QUALITY, {name: value})
    with pytest.raises(UsageError) as raised:
        resolve_parameters(*QUALITY, {name: value})
    assert errors == {name: raised.value.text}


def test_all_wrong_fields_are_told_at_once() -> None:
    _, errors = filled(*QUALITY, {"cost_missed": "-1", "folds": "x"})
    assert set(errors) == {"cost_missed", "folds"}


@pytest.mark.parametrize("told", [[], "x", 7, {"a": []}, {"a": {}}])
def test_garbage_is_one_sentence(told: Any) -> None:
    with pytest.raises(UsageError, match="읽을 수 없습니다"):
        filled(*QUALITY, told)
