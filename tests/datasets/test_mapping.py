from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from datasets.small_machine import MACHINE, samples, shots
from hypothesis import given, settings
from hypothesis import strategies as st

from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
from kamp_lib.datasets.raw import unique_names


def names_of(frame: pd.DataFrame, **rest) -> dict[str, str]:
    return propose_mapping(frame, MACHINE, **rest)[0].names()


def test_korean_names_with_units_find_their_columns():
    frame = shots().rename(
        columns={
            "cycle_time": "사이클타임(s)",
            "barrel_temperature": "배럴온도[℃]",
            "injection_pressure": "사출압력",
        }
    )
    names = names_of(frame)
    assert names["사이클타임(s)"] == "cycle_time"
    assert names["배럴온도[℃]"] == "barrel_temperature"
    assert names["사출압력"] == "injection_pressure"


def test_an_unknown_column_keeps_its_own_name():
    frame = shots().assign(humidity=40.0)
    mapping, _ = propose_mapping(frame, MACHINE)
    match = next(m for m in mapping.columns if m.source == "humidity")
    assert match.canonical is None
    assert match.reason_ko


def test_the_only_time_column_is_the_time_whatever_its_name():
    frame = shots().rename(columns={"ts": "일자"})
    assert names_of(frame)["일자"] == "ts"


def test_two_columns_never_share_a_stored_name():
    frame = shots().assign(Cycle_Time=50.0)
    mapping, _ = propose_mapping(frame, MACHINE)
    stored = list(apply_mapping(frame, mapping).columns)
    assert len(stored) == len(set(stored))


def test_the_columns_tell_the_record_kind():
    assert propose_mapping(shots(), MACHINE)[0].record_kind == "shot"
    assert propose_mapping(samples(), MACHINE)[0].record_kind == "sample"


def test_a_remembered_mapping_is_taken_over():
    frame = shots().rename(columns={"back_pressure": "P7"})
    first, _ = propose_mapping(frame, MACHINE)
    for match in first.columns:
        if match.source == "P7":
            match.canonical, match.by_hand = "back_pressure", True
    assert names_of(frame, remembered=first)["P7"] == "back_pressure"


def test_a_new_column_that_collides_with_a_stored_name_is_told_apart():
    frame = shots().rename(columns={"cycle_time": "CT"})
    mapping, _ = propose_mapping(frame, MACHINE)
    for match in mapping.columns:
        if match.source == "CT":
            match.canonical = "cycle_time"
    later = frame.assign(cycle_time=1.0)
    stored = apply_mapping(later, mapping)
    assert {"cycle_time", "cycle_time__source"} <= set(stored.columns)


@pytest.mark.parametrize("path", ["E77_", "Root.IMM01.", "PLC1/DB20."])
def test_the_path_of_a_tag_that_all_columns_share_says_nothing(path: str):
    frame = shots().drop(columns=["_file", "_row"])
    tags = frame.rename(columns=lambda c: f"{path}{c}" if c != "ts" else c)
    names = names_of(tags)
    assert all(names[f"{path}{c}"] == c for c in frame.columns if c != "ts")


def test_a_shifted_header_of_tags_is_corrected_too():
    frame = shots().drop(columns=["_file", "_row"])
    wrong = shifted(frame, 3).rename(columns=lambda c: f"IMM1.{c}")
    mapping, findings = propose_mapping(wrong, MACHINE)
    assert [f.code for f in findings] == ["shifted-columns"]
    np.testing.assert_array_equal(
        apply_mapping(wrong, mapping)["cycle_time"], frame["cycle_time"]
    )


def test_setting_and_actual_value_of_one_quantity_are_told_apart():
    frame = pd.DataFrame(
        {
            "보압 SV": np.repeat([60.0, 62.0], 60),
            "보압 PV": np.random.default_rng(0).normal(61, 1, 120),
            "실린더온도1 설정": np.repeat([230.0], 120),
            "실린더온도1 현재": np.random.default_rng(1).normal(230, 1, 120),
        }
    )
    mapping, _ = propose_mapping(frame, "injection-moulding")
    assert mapping.names() == {
        "보압 SV": "holding_pressure",
        "보압 PV": "보압 PV",
        "실린더온도1 설정": "실린더온도1 설정",
        "실린더온도1 현재": "barrel_temperature_1",
    }


@pytest.mark.parametrize(
    "name", ["실린더 {}존(℃)", "H{:02d}", "ActTmpBrlZn[1,{}]", "Cyl.Temp #{}"]
)
def test_numbered_zones_keep_their_numbers(name: str):
    rng = np.random.default_rng(0)
    zones = [3, 1, 2, 5, 4]
    frame = pd.DataFrame({name.format(z): rng.normal(220, 2, 80) for z in zones})
    names = propose_mapping(frame, "injection-moulding")[0].names()
    assert names == {name.format(z): f"barrel_temperature_{z}" for z in zones}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=8, unique=True))
def test_any_names_at_all_are_mapped_once_each(header: list[str]):
    names = unique_names(header)
    frame = pd.DataFrame({name: [1.0, 2.0, 3.0] for name in names})
    mapping, _ = propose_mapping(frame, "injection-moulding")
    stored = list(mapping.names().values())
    assert [m.source for m in mapping.columns] == names
    assert len({name.lower() for name in stored}) == len(stored)


def shifted(frame: pd.DataFrame, start: int) -> pd.DataFrame:
    """From position `start` on, every name sits one column too late."""
    names = list(frame.columns)
    moved = [*names[:start], "lost_name", *names[start:]][: len(names)]
    return frame.set_axis(moved, axis="columns")


def test_a_shifted_header_is_found_and_corrected():
    frame = shots().drop(columns=["_file", "_row"])
    wrong = shifted(frame, 3)
    mapping, findings = propose_mapping(wrong, MACHINE)
    assert [f.code for f in findings] == ["shifted-columns"]
    stored = apply_mapping(wrong, mapping)
    for name in ("cycle_time", "injection_pressure", "mould_temperature"):
        np.testing.assert_array_equal(stored[name], frame[name])


def test_names_that_come_too_early_are_corrected_too():
    frame = shots().drop(columns=["_file", "_row"])
    names = list(frame.columns)
    wrong = frame.set_axis([*names[:2], *names[3:], "empty"], axis="columns")
    mapping, findings = propose_mapping(wrong, MACHINE)
    assert findings
    np.testing.assert_array_equal(
        apply_mapping(wrong, mapping)["cycle_time"], frame["cycle_time"]
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(["filling_time", "cycle_time", "back_pressure"]), max_size=2
    ),
    st.floats(-1e4, 1e4),
)
def test_odd_values_alone_are_never_a_shift(odd: list[str], value: float):
    frame = shots(60).assign(**dict.fromkeys(odd, value))
    assert propose_mapping(frame, MACHINE)[1] == []


@settings(max_examples=25, deadline=None)
@given(st.permutations(list(shots(60).columns)))
def test_columns_in_any_order_are_never_a_shift(order: list[str]):
    assert propose_mapping(shots(60)[order], MACHINE)[1] == []
