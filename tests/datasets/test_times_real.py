"""The clocks of the real files: every defect of time that they are known for is said."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from kamp_lib.datasets.checks import check
from kamp_lib.datasets.mapping.propose import apply_mapping, propose_mapping
from kamp_lib.datasets.parsing.columns import parse
from kamp_lib.datasets.parsing.times import parse_times
from kamp_lib.datasets.reading.files import read
from kamp_lib.datasets.types import Finding


@cache
def findings(path: Path, equipment: str = "generic") -> dict[str, Finding]:
    """What is found in a file, by code (the first of each)."""
    parsed = parse(read(path))
    mapping, _ = propose_mapping(parsed.frame, equipment)
    frame = apply_mapping(parsed.frame, mapping)
    found = check(frame, equipment, mapping.record_kind, mapping=mapping)
    return {f.code: f for f in [*found, *parsed.findings][::-1]}


@pytest.fixture
def press(real_data: Path) -> dict[str, Finding]:
    return findings(real_data / "kamp_press" / "press.csv", "press")


@pytest.fixture
def steel(real_data: Path) -> dict[str, Finding]:
    return findings(real_data / "steel_energy" / "Steel_industry_data.csv")


def test_the_press_has_the_day_only(press: dict[str, Finding]):
    assert "only to the day" in press["coarse-timestamps"].message_en
    assert press["duplicate-timestamps"].count == 64_206


def test_dates_that_a_spreadsheet_filled_into_the_press_are_found(
    press: dict[str, Finding],
):
    said = press["implausible-dates"]
    assert said.count == 1634
    assert "2020-05-04 ~ 2020-05-29" in said.message_en
    assert "unordered-timestamps" not in press


def test_the_month_of_the_press_is_sure(press: dict[str, Finding]):
    assert "ambiguous-dates" not in press


def test_the_melting_tank_writes_ten_rows_a_minute(real_data: Path):
    said = findings(real_data / "kamp_melting_tank" / "melting_tank.csv")
    assert "about every 6 s" in said["coarse-timestamps"].message_en
    assert "time-gaps" not in said


def test_the_steel_works_end_each_day_under_its_own_date(steel: dict[str, Finding]):
    assert steel["day-end-midnight"].count == 365
    assert not {"unordered-timestamps", "time-gaps", "ambiguous-dates"} & set(steel)


@pytest.mark.parametrize("folder", ["anomaly-free", "other", "valve1", "valve2"])
def test_the_water_pump_misses_seconds(real_data: Path, folder: str):
    said = findings(real_data / "skab" / "data" / folder)["time-gaps"]
    assert said.severity == "warning"
    assert "comes every 1 s" in said.message_en


def test_files_of_the_water_pump_share_stretches(real_data: Path):
    said = findings(real_data / "skab" / "data" / "other")
    assert said["overlapping-files"].count == 4


def test_korean_halves_of_the_day_are_read(real_data: Path):
    path = real_data / "kamp_injection_moulding" / "molding.parquet"
    days = parse(read(path)).frame["part_fact_plan_date"]
    assert days.notna().all()
    assert (days == days.dt.normalize()).all()
    assert days.min() == pd.Timestamp("2020-10-16")


def test_months_of_the_spare_parts_are_read(real_data: Path):
    path = real_data / "carparts" / "carparts.csv"
    names = path.read_text().splitlines()[0].split(",")[1:]
    months = parse_times(pa.chunked_array([names]), "Asia/Seoul").values
    assert months.tolist() == pd.date_range("1998-01", periods=51, freq="MS").tolist()
