from __future__ import annotations

import pandas as pd
from datasets.small_machine import MACHINE, shots
from hypothesis import given, settings
from hypothesis import strategies as st

from kamp_lib.datasets.storage.duplicates import duplicate_rows, repeats


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame], ignore_index=True)


def test_rows_with_a_fine_time_stamp_are_dropped_when_they_repeat():
    drop, findings = duplicate_rows(twice(shots(100)), MACHINE, "shot")
    assert drop.tolist() == [False] * 100 + [True] * 100
    assert findings[0].severity == "warning"


def test_a_machine_standing_still_keeps_its_rows():
    still = shots(100)[["filling_time", "cycle_time"]].assign(
        filling_time=0, cycle_time=0
    )
    drop, findings = duplicate_rows(still, MACHINE, "shot")
    assert not drop.any()
    assert (findings[0].severity, findings[0].count) == ("info", 99)


def test_a_day_alone_does_not_tell_records_apart():
    frame = twice(shots(100)[["ts", "filling_time"]])
    frame["ts"] = frame["ts"].dt.normalize()
    drop, findings = duplicate_rows(frame, MACHINE, "shot")
    assert not drop.any()
    assert findings[0].code == "duplicate-rows"


def test_a_stretch_pasted_twice_without_ids_is_suspicious():
    values = ["filling_time", "cycle_time", "injection_pressure"]
    _, findings = duplicate_rows(twice(shots(100)[values]), MACHINE, "shot")
    assert findings[0].severity == "warning"


def test_two_parts_of_one_shot_are_not_duplicates():
    left = shots(50).assign(_id=[f"L{i}" for i in range(50)])
    right = shots(50).assign(_id=[f"R{i}" for i in range(50)])
    drop, findings = duplicate_rows(pd.concat([left, right]), MACHINE, "shot")
    assert not drop.any()
    assert findings == []


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["a", None, "b"])), max_size=30
    )
)
def test_repeats_are_what_pandas_calls_duplicated(rows: list[tuple[int, str | None]]):
    frame = pd.DataFrame(rows, columns=["n", "s"]).astype({"s": "string"})
    if len(frame):
        assert repeats(frame).tolist() == frame.duplicated().tolist()
