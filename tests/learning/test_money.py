"""Prices nobody said are assumptions, in every family by the same rule."""

import pandas as pd
import pytest
from learning.quality_data import lots, number_columns

from kamp_lib.catalog import families, resolve_parameters
from kamp_lib.learning import task_for
from kamp_lib.learning.money import money_for

FAMILIES = ("quality-classification", "vision-inspection", "tool-wear-rul")


def money(name, **given):
    family = families()[name]
    task = task_for(
        family,
        None,
        number_columns(lots(groups=2), lot="id"),
        resolve_parameters(family, None, given),
        time_zone="Asia/Seoul",
        simulated=False,
    )
    time = pd.Series(pd.date_range("2026-01-01", periods=61, freq="D", tz="UTC"))
    return money_for(task, time, cases=61, base_rate=0.1)


@pytest.mark.parametrize("name", FAMILIES)
def test_prices_left_as_they_are_are_an_assumption(name):
    assert money(name).prices_are_assumption


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("price", ["cost_missed", "cost_false_alarm"])
def test_an_edited_price_is_no_assumption(name, price):
    assert not money(name, **{price: 12_345}).prices_are_assumption


@pytest.mark.parametrize("name", FAMILIES)
def test_a_case_a_day_is_thirty_a_month(name):
    assert money(name).cases_per_month == pytest.approx(30, abs=1)
