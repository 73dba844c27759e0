"""What the door finds on real files that no one on this project wrote."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.datasets.checks import check
from kamp_lib.datasets.checks.images import near_twins
from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
from kamp_lib.datasets.reading.pictures import look
from kamp_lib.datasets.storage.duplicates import duplicate_rows
from kamp_lib.datasets.types import Finding, Mapping

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real files are not here (../shared/data)"
)
INJECTION = DATA / "kamp_injection_moulding"


def with_provenance(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return frame.assign(_file=name, _row=np.arange(2, len(frame) + 2))


@cache
def source(name: str) -> pd.DataFrame:
    """A real file as typed columns under its own names."""
    if name == "molding":
        frame = pd.read_parquet(INJECTION / "molding.parquet").replace({"None": None})
    elif name == "labeled":
        frame = pd.read_csv(INJECTION / "labeled_data.csv", parse_dates=["TimeStamp"])
    elif name == "scaled":
        frame = pd.read_csv(INJECTION / "moldset_labeled_cn7_missing.csv")
    elif name == "press":
        frame = pd.read_csv(DATA / "kamp_press" / "press.csv")
        frame["working_time"] = pd.to_datetime(
            frame["working_time"], format="%m/%d/%y %H:%M"
        )
    else:
        runs = []
        for path in sorted((DATA / "kamp_cnc").glob("experiment_*.csv")):
            run = with_provenance(pd.read_csv(path), path.name)
            runs.append(run.assign(No=int(path.stem[-2:])))
        labels = pd.read_csv(DATA / "kamp_cnc" / "train.csv")
        return pd.concat(runs, ignore_index=True).merge(labels, on="No")
    return with_provenance(frame, name)


EQUIPMENT = {
    "molding": "injection-moulding",
    "labeled": "injection-moulding",
    "scaled": "injection-moulding",
    "press": "press",
    "cnc": "cnc-machine",
}


@cache
def mapped(name: str) -> tuple[Mapping, pd.DataFrame, list[Finding]]:
    """Mapping, mapped frame and everything that is found."""
    mapping, findings = propose_mapping(source(name), EQUIPMENT[name])
    frame = apply_mapping(source(name), mapping)
    kind = mapping.record_kind
    findings = findings + check(frame, EQUIPMENT[name], kind, mapping=mapping)
    return mapping, frame, findings


def of_code(name: str, code: str) -> list[Finding]:
    return [f for f in mapped(name)[2] if f.code == code]


def test_molding_is_found_shifted_by_one_from_equip_name_on():
    shifted = of_code("molding", "shifted-columns")
    assert "'equip_name'" in shifted[0].message_en
    assert "1 place(s) too late" in shifted[0].message_en
    assert shifted[0].count == 40


def test_the_corrected_names_hold_what_the_true_names_hold():
    """The parquet file under corrected names equals KAMP's own file, row by row."""
    mapping, frame, _ = mapped("molding")
    true_mapping, true, _ = mapped("labeled")
    key = mapping.names()["id"]
    both = frame.drop_duplicates(key).set_index(key)
    true = true.set_index(true_mapping.names()["_id"])
    shared = both.index.intersection(true.index)
    numbers = [
        c
        for c in true.select_dtypes("number").columns
        if c in both.columns and not c.startswith("_") and c != "pass_or_fail"
    ]
    assert len(shared) > 4000
    assert len(numbers) >= 20
    for name in numbers:
        np.testing.assert_allclose(
            both.loc[shared, name].astype(float), true.loc[shared, name], rtol=1e-5
        )


def test_the_stored_label_of_molding_is_yes_or_no_and_its_cycle_a_minute():
    _, frame, _ = mapped("molding")
    assert set(frame["pass_or_fail"].unique()) == {"Y", "N"}
    assert frame["cycle_time"].median() == pytest.approx(59.5, abs=0.2)


@pytest.mark.parametrize("name", ["labeled", "scaled", "press", "cnc"])
def test_files_with_right_names_are_not_called_shifted(name: str):
    assert of_code(name, "shifted-columns") == []


def test_molding_repeats_2764_rows():
    mapping, frame, _ = mapped("molding")
    drop, _ = duplicate_rows(frame, "injection-moulding", mapping.record_kind)
    assert drop.sum() == 2764


def test_left_and_right_part_of_one_shot_are_no_duplicates():
    mapping, frame, _ = mapped("labeled")
    drop, findings = duplicate_rows(frame, "injection-moulding", mapping.record_kind)
    assert not drop.any()
    assert findings == []


@pytest.mark.parametrize("name", ["molding", "labeled"])
def test_44_process_vectors_carry_both_labels(name: str):
    assert of_code(name, "contradicting-twins")[0].count == 44


def test_ten_sensors_of_molding_are_dead():
    dead = [f for f in of_code("molding", "dead-column") if f.severity == "warning"]
    assert dead[0].count == 10


def test_the_scaled_file_has_no_units_left():
    assert of_code("scaled", "already-standardised")[0].count >= 20
    assert of_code("scaled", "implausible-values") == []


def test_press_stamps_hold_the_day_only():
    assert "day" in of_code("press", "coarse-timestamps")[0].message_en
    assert of_code("press", "duplicate-timestamps")[0].count == 64206


def test_the_press_counter_starts_over_25_times():
    assert of_code("press", "restarting-id")[0].count == 25


def test_press_columns_that_others_give_are_named():
    formulas = {
        f.examples[0].split(" (")[0] for f in of_code("press", "derived-column")
    }
    assert formulas == {
        "press_time = 2 × pressure_1",
        "pressure_3 = pressure_1 + pressure_2",
    }


def test_copied_cnc_runs_are_named_with_their_originals():
    copies = of_code("cnc", "copied-runs")[0]
    assert copies.count == 10
    said = copies.message_en
    for pair in ("2 = 21", "5 = 23", "7 = 19", "7 = 22", "7 = 25", "8 = 20"):
        assert pair in said
    assert "14 = 24 (every value equal, labels differ)" in said


def test_current_and_voltage_of_the_cnc_look_swapped():
    swapped = of_code("cnc", "swapped-columns")[0]
    assert {f"{axis}_OutputCurrent" for axis in "XYS"} <= set(swapped.columns)
    assert {f"{axis}_DCBusVoltage" for axis in "XYS"} <= set(swapped.columns)


def test_inspect_gives_the_visual_inspection_away():
    columns = [f.columns[0] for f in of_code("cnc", "label-in-disguise")]
    assert columns == ["INSPECT"]


def test_dead_electrical_columns_of_the_z_axis_are_found():
    dead = {c for f in of_code("cnc", "dead-column") for c in f.columns}
    assert {"Z_CurrentFeedback", "Z_DCBusVoltage", "Z_OutputVoltage"} <= dead


def test_end_and_end_are_one_word():
    assert any("End" in f.message_en for f in of_code("cnc", "category-variants"))


def test_castings_photographed_twice_are_found():
    paths = sorted((DATA / "vision_casting").rglob("*.jpeg"))
    looks = [look(path).picture for path in paths]
    small = np.stack([seen.small for seen in looks if seen])
    pairs = [p for found in near_twins(small) for p in zip(*found, strict=True)]
    same = [(i, j) for i, j in pairs if paths[i].name == paths[j].name]
    assert len(same) >= 5
    assert len(pairs) < 0.1 * len(paths)
