"""Attacks on the request of a run: refused before a kernel starts."""

from __future__ import annotations

import pytest

from kamp_lib.catalog import families, resolve_parameters
from kamp_lib.datasets import StoredColumn
from kamp_lib.errors import UsageError
from kamp_lib.learning import Task, task_for

FAMILY = "quality-classification"


def request(**given: str) -> Task:
    family = families()[FAMILY]
    columns = [
        StoredColumn(name=n, source=n, ko=n, en=n, kind="number", role="extra")
        for n in ("x", "y", "lot")
    ]
    parameters = resolve_parameters(family, None, given)
    return task_for(
        family, None, columns, parameters, time_zone="Asia/Seoul", simulated=False
    )


def test_the_target_alone_is_no_input() -> None:
    assert request(target="y", group="lot").features == ["x"]


@pytest.mark.parametrize(
    "given", [{"features": "y"}, {"features": "x, y"}, {"group": "y"}]
)
def test_the_target_is_neither_input_nor_group(given: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="target"):
        request(target="y", **given)
