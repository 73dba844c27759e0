from __future__ import annotations

import pandas as pd
from small_machine import found, shots

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import checks


def test_days_for_records_of_a_minute_are_coarse_and_repeated():
    frame = shots().assign(ts=lambda f: f["ts"].dt.normalize())
    frame.loc[200:, "ts"] += pd.Timedelta(days=1)
    coarse = found(frame, "coarse-timestamps")
    assert "day" in coarse[0].message_en
    assert found(frame, "duplicate-timestamps")[0].count == len(frame) - 2


def test_two_machines_may_write_at_the_same_instant():
    frame = pd.concat([shots(), shots().assign(machine_id="M2")])
    assert found(frame, "duplicate-timestamps") == []


def test_a_clock_that_runs_back_is_found():
    frame = shots()
    frame["ts"] = frame["ts"].to_numpy()[::-1].reshape(20, 20)[::-1].ravel()
    unordered = found(frame, "unordered-timestamps")
    assert unordered[0].severity == "warning"


def test_newest_first_is_only_a_note():
    frame = shots().iloc[::-1]
    assert [f.severity for f in found(frame, "unordered-timestamps")] == ["info"]


def test_files_in_any_order_are_in_order():
    late = shots().assign(_file="1.csv", ts=lambda f: f["ts"] + pd.Timedelta(days=3))
    frame = pd.concat([late, shots().assign(_file="2.csv")])
    assert found(frame, "unordered-timestamps") == []


def test_a_counter_that_starts_over_is_counted():
    frame = shots()
    frame["shot_no"] = [*range(1, 151), *range(1, 101), *range(1, 151)]
    assert found(frame, "restarting-id")[0].count == 2


def test_a_counter_may_start_over_in_every_file():
    frame = pd.concat([shots(100).assign(_file=f"{i}.csv") for i in range(3)])
    assert found(frame, "restarting-id") == []


def test_days_of_several_products_are_not_coarse():
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2026-01-01", periods=100).repeat(4),
            "product": pd.array(["a", "b", "c", "d"] * 100, "string"),
            "made": range(400),
        }
    )
    codes = {f.code for f in checks.check(frame, equipment_type("generic"), "record")}
    assert not codes & {"coarse-timestamps", "duplicate-timestamps"}
