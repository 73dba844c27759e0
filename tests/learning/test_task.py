"""A request is held against the columns before anything is computed."""

import pytest
from learning.quality_data import number_columns

from kamp_lib.catalog import (
    equipment_type,
    families,
    resolve_parameters,
    standard_model,
)
from kamp_lib.datasets.types import StoredColumn
from kamp_lib.errors import UsageError
from kamp_lib.learning import Task, task_for

INJECTION = equipment_type("injection-moulding")


def shot_task(*names: str, **given: object) -> Task:
    model = standard_model("injection-quality")
    family = families()[model.family]
    columns = [
        StoredColumn.of(column.name, column.kind, None, column)
        for name in names
        if (column := INJECTION.column(name)) is not None
    ]
    parameters = resolve_parameters(family, model, given)
    zone = "Asia/Seoul"
    return task_for(family, model, columns, parameters, time_zone=zone, simulated=False)


SHOT = ("ts", "machine_id", "cycle_time", "holding_pressure", "max_back_pressure")


def test_a_missing_required_column_is_named_in_words():
    with pytest.raises(UsageError) as error:
        shot_task("cycle_time", "pass_or_fail")
    assert "시각 (ts)" in error.value.text.ko


def test_ids_target_and_leaks_are_no_inputs():
    task = shot_task(*SHOT, "pass_or_fail", "defect_reason", "lot_id")
    assert task.features == ["cycle_time", "holding_pressure", "max_back_pressure"]
    assert task.target == "pass_or_fail"
    assert task.leaks == ["defect_reason"]


def test_the_dictionary_says_which_value_is_bad():
    task = shot_task(*SHOT, "pass_or_fail")
    assert "n" in task.bad_values
    assert "y" in task.good_values


def test_the_cavity_is_no_part_of_the_case():
    task = shot_task(*SHOT, "cavity_id")
    assert task.case_keys == ["ts", "machine_id"]


def test_without_a_target_column_there_is_no_target():
    assert shot_task(*SHOT).target is None


def test_only_what_is_there_can_be_controlled():
    task = shot_task(*SHOT)
    assert task.controllable == ["holding_pressure", "max_back_pressure"]


def test_a_parameter_naming_no_column_says_which_there_are():
    with pytest.raises(UsageError, match="cycle_time"):
        shot_task(*SHOT, group="nothing")


def test_a_bare_family_takes_the_factory_s_own_number_columns():
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0], "b": [2.0], "lot": ["x"], "ng": [0]})
    family = families()["quality-classification"]
    task = task_for(
        family,
        None,
        number_columns(frame, lot="id"),
        resolve_parameters(family, None, {"target": "ng"}),
        time_zone="Asia/Seoul",
        simulated=False,
    )
    assert task.features == ["a", "b"]
    assert task.groups == ["lot"]
