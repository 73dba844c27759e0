from __future__ import annotations

import numpy as np
from datasets.small_machine import found, samples, shots


def test_two_columns_that_fit_each_others_names_are_swapped():
    frame = shots().rename(
        columns={"filling_time": "cycle_time", "cycle_time": "filling_time"}
    )
    swapped = found(frame, "swapped-columns")
    assert set(swapped[0].columns) == {"cycle_time", "filling_time"}
    assert found(frame, "implausible-values") == []


def test_quantities_are_swapped_though_no_catalogue_names_them():
    frame = samples()
    rng = np.random.default_rng(1)
    frame["A_OutputCurrent"] = rng.integers(320, 331, len(frame))
    frame["A_DCBusVoltage"] = (0.2 + 0.1 * rng.random(len(frame))).round(4)
    swapped = found(frame, "swapped-columns", "sample")
    assert set(swapped[0].columns) == {"A_OutputCurrent", "A_DCBusVoltage"}


def test_a_value_that_cannot_be_is_doubted_and_counted():
    frame = shots()
    frame.loc[[3, 7], "cycle_time"] = 812.0
    doubted = found(frame, "implausible-values")
    assert [(f.columns, f.count) for f in doubted] == [(["cycle_time"], 2)]
    assert "812" in doubted[0].message_ko


def test_one_column_alone_out_of_range_is_no_swap():
    frame = shots().assign(cycle_time=lambda f: f["cycle_time"] + 1000)
    assert found(frame, "swapped-columns") == []
    assert found(frame, "implausible-values")[0].count == len(frame)


def test_a_swap_with_a_neighbour_that_fits_both_names_is_found():
    frame = shots()
    exchanged = {
        "injection_pressure": "back_pressure",
        "back_pressure": "injection_pressure",
    }
    frame["back_pressure"] = 38.0 + frame["back_pressure"] / 17
    frame["injection_pressure"] = 55 + frame["injection_pressure"] / 140
    both = frame.rename(columns=exchanged)
    assert found(frame, "swapped-columns") == []
    assert set(found(both, "swapped-columns")[0].columns) == set(exchanged)
