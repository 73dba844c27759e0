"""Real files and what is known to be wrong with them: one test per folder or file.

Each is brought through the door as a person would, and every defect that can be seen from
it has to be found under its code, at the right columns, in words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kamp_lib.datasets import Finding, IngestResult, ingest
from kamp_lib.tenancy import Tenant, add_tenant

INJECTION = "kamp_injection_moulding"


class Seen:
    """What an ingest said about a file."""

    def __init__(self, result: IngestResult) -> None:
        self.result = result

    @property
    def codes(self) -> set[str]:
        return {f.code for f in self.result.findings}

    def all(self, code: str) -> list[Finding]:
        found = [f for f in self.result.findings if f.code == code]
        assert found, f"{code} was not found, only {sorted(self.codes)}"
        for finding in found:
            assert finding.message_ko
            assert finding.why_ko
            assert finding.action_ko
        return found

    def one(self, code: str) -> Finding:
        found = self.all(code)
        assert len(found) == 1
        return found[0]

    def columns(self, code: str) -> set[str]:
        return {c for f in self.all(code) for c in f.columns}

    def source(self, stored: str) -> str:
        return next(
            m.source for m in self.result.mapping.columns if m.canonical == stored
        )


Look = Callable[..., Seen]


@pytest.fixture(scope="module")
def look(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Look:
    """Ingest real files without storing them."""
    tenant: Tenant = add_tenant("real", "실제", home=tmp_path_factory.mktemp("kamp"))

    @cache
    def looked(equipment: str, *paths: str, **rest: Any) -> Seen:
        files = [real_data / path for path in paths]
        if "labels" in rest:
            rest["labels"] = real_data / rest["labels"]
        return Seen(ingest(tenant, equipment, files, dry_run=True, **rest))

    return looked


def test_injection_moulding_as_the_vendor_exported_it(look: Look):
    seen = look("injection-moulding", f"{INJECTION}/molding.parquet")
    shifted = seen.one("shifted-columns")
    assert "'equip_name'" in shifted.message_ko
    assert shifted.count == 40
    assert seen.source("pass_or_fail") == "reason"
    assert seen.source("cycle_time") == "clamp_close_time"
    assert seen.one("duplicate-rows").count == 2764
    assert "None" in seen.all("text-for-missing")[0].message_ko
    dead = [f for f in seen.all("dead-column") if f.severity == "warning"]
    assert dead[0].count == 10
    twins = seen.one("contradicting-twins")
    assert twins.count == 44
    assert "reason" in twins.columns
    # 오후 11:43 is 23:43
    assert any("23:43" in e for e in seen.one("unordered-timestamps").examples)
    assert seen.result.rows_quarantined == 0


def test_injection_moulding_with_its_true_names(look: Look):
    seen = look("injection-moulding", f"{INJECTION}/labeled_data.csv")
    twins = seen.one("contradicting-twins")
    assert twins.count == 44
    assert "2,606" in twins.message_ko  # left and right part of one shot
    assert "Cushion_Position" in seen.columns("implausible-values")
    assert {"Average_Screw_RPM", "Average_Back_Pressure"} <= seen.columns(
        "impossible-physics"
    )
    assert "shifted-columns" not in seen.codes
    assert "duplicate-rows" not in seen.codes


def test_injection_moulding_already_standardised(look: Look):
    seen = look("injection-moulding", f"{INJECTION}/moldset_labeled_cn7_missing.csv")
    assert seen.one("index-column").columns == ["Unnamed: 0"]
    assert seen.one("already-standardised").count >= 20
    blank = seen.one("blank-cells")
    assert blank.count == 941
    assert "Plasticizing_Time" in blank.message_ko
    assert "implausible-values" not in seen.codes


def test_press(look: Look):
    seen = look("press", "kamp_press/press.csv")
    coarse = seen.one("coarse-timestamps")
    assert "working_time" in coarse.columns
    assert "day" in coarse.message_en
    assert seen.one("duplicate-timestamps").count == 64_206
    assert seen.one("restarting-id").count == 25
    formulas = {f.examples[0].split(" (")[0] for f in seen.all("derived-column")}
    assert "press_time = 2 × pressure_1" in formulas
    assert "pressure_3 = pressure_1 + pressure_2" in formulas
    assert "pressure_1" in seen.columns("near-constant-column")
    assert "joined-time" not in seen.codes  # press_time is no time


def test_cnc_runs(look: Look):
    seen = look("cnc-machine", "kamp_cnc", labels="kamp_cnc/train.csv", on="No")
    copies = seen.one("copied-runs")
    assert copies.severity == "error"
    for virtual in range(19, 26):
        assert f"{virtual} (" in copies.message_ko
    assert "14 = 24 (모든 값이 같음, 판정은 다름)" in copies.message_ko
    assert "INSPECT" in seen.one("label-in-disguise").columns
    assert "'End' / 'end'" in seen.one("category-variants").message_ko
    swapped = seen.columns("swapped-columns")
    for axis in "XYS":
        assert {f"{axis}_OutputCurrent", f"{axis}_DCBusVoltage"} <= swapped
    dead = {c for c in seen.columns("dead-column") if c.startswith("Z_")}
    assert dead >= {"Z_CurrentFeedback", "Z_DCBusVoltage", "Z_OutputVoltage"}
    blank = [f for f in seen.all("unlabelled-runs") if f.count == 6]
    assert "passed_visual_inspection" in blank[0].columns


def test_melting_tank(look: Look):
    seen = look("generic", "kamp_melting_tank/melting_tank.csv")
    single = seen.one("single-class-label")
    assert "TAG" in single.columns
    assert "'OK'" in single.message_ko
    coarse = seen.one("coarse-timestamps")
    assert "STD_DT" in coarse.columns
    assert "minute" in coarse.message_en
    assert seen.one("duplicate-timestamps").count == 9000


def test_chromate_images(look: Look):
    seen = look("machine-vision", "kamp_chromate")
    assert "RGBA" in seen.one("mixed-image-modes").message_ko
    assert seen.one("near-duplicate-images").count >= 1
    assert seen.result.rows_stored == 11


def test_casting_images(look: Look):
    seen = look("machine-vision", "vision_casting")
    twins = seen.one("near-duplicate-images")
    assert twins.count >= 5
    assert seen.result.rows_stored == 1117
    assert "contradicting-twins" not in seen.codes


def test_milling_machine_with_failure_modes(look: Look):
    seen = look("generic", "ai4i2020/ai4i2020.csv")
    leak = seen.one("label-in-disguise")
    assert {"TWF", "HDF", "PWF", "OSF", "Machine failure"} <= set(leak.columns)
    assert "330" in leak.message_ko
    order = seen.one("rows-in-time-order")
    assert "Tool wear" in order.message_ko
    assert "UDI" in {m.source for m in seen.result.mapping.columns}  # no mark before it


def test_turbofans(look: Look):
    seen = look("generic", "cmapss")
    assert "no-header" in seen.codes
    columns = [m for m in seen.result.mapping.columns if m.source.startswith("column")]
    assert len(columns) == 26  # the two trailing spaces are no column
    assert seen.one("dead-column").count == 7
    stranger = seen.one("stranger-file")
    assert "RUL_FD001.txt" in stranger.message_ko
    assert seen.result.rows_read == 20_631 + 13_096


def test_turbofans_of_one_file_stand_in_time_order(look: Look):
    seen = look("generic", "cmapss/train_FD001.txt")
    assert seen.one("rows-in-time-order").count == 99


def test_water_pump(look: Look):
    seen = look("generic", "skab/data")
    assert seen.result.rows_stored == 46_806
    assert {"anomaly", "changepoint"} <= seen.columns("differing-columns")
    assert "anomaly-free" in seen.one("copied-runs").message_ko
    assert "datetime" in seen.columns("time-gaps")  # missing seconds


def test_steel_works(look: Look):
    seen = look("generic", "steel_energy/Steel_industry_data.csv")
    derived = seen.columns("derived-column")
    assert {"CO2(tCO2)", "Usage_kWh", "Lagging_Current_Power_Factor"} <= derived
    assert "Lagging_Current_Reactive.Power_kVarh" in derived
    # day first: 13/01 is a date
    assert seen.result.rows_stored == 35_040
    assert seen.one("day-end-midnight").count == 365


def test_spare_parts(look: Look):
    seen = look("generic", "carparts/carparts.csv")
    blank = seen.one("blank-cells")
    assert blank.count == 6122
    assert "0이 아니라" in blank.message_ko
    assert "Jan-98" in seen.one("wide-table").message_ko


def test_bearings(look: Look):
    seen = look("generic", "cwru_bearing")
    assert seen.one("differing-columns").columns == ["BA"]
    assert seen.one("differing-columns").examples == ["1797_Normal.npz"]


def test_daily_orders(look: Look):
    seen = look("generic", "daily_orders/Daily_Demand_Forecasting_Orders.csv")
    total = seen.one("derived-column")
    assert "Order type A + Order type B + Order type C" in total.message_ko
    assert "Target (Total orders)" in total.columns
    assert "Banking orders (1)" in seen.columns("mixed-decimals")
    assert len(seen.result.mapping.columns) == 13
