"""Headers as machines, MES and people write them -> the standard columns they mean."""

from __future__ import annotations

import pytest

from kamp_lib.catalog import equipment_type, equipment_types
from kamp_lib.datasets.mapping.known import KnownNames
from kamp_lib.datasets.mapping.names import take_apart

INJECTION = {
    # Korean of the shop floor, loan words, units in the name
    "사출압": "max_injection_pressure",
    "사출 피크압(kgf/㎠)": "max_injection_pressure",
    "보압": "holding_pressure",
    "보압시간(초)": "holding_time",
    "쿠숀량": "cushion_position",
    "최소 쿠션": "cushion_position",
    "계량(sec)": "plasticizing_time",
    "계량(mm)": "plasticizing_position",
    "충진시간": "filling_time",
    "싸이클타임": "cycle_time",
    "C/T": "cycle_time",
    "형체력(ton)": "clamp_force",
    "형폐 시간": "clamp_close_time",
    "스크류RPM": "max_screw_rpm",
    "배압(bar)": "max_back_pressure",
    "V/P절환위치": "switch_over_position",
    "H3": "barrel_temperature_3",
    "H2 온도(℃)": "barrel_temperature_2",
    "바렐온도4": "barrel_temperature_4",
    "NH": "barrel_temperature_1",
    "금형온도(고정측)": "mold_temperature_1",
    "호퍼 건조온도": "hopper_temperature",
    "작업지시번호": "lot_id",
    "양/불": "pass_or_fail",
    "불량 사유": "defect_reason",
    "누적샷수": "shot_no",
    # English and its abbreviations
    "Peak Inj. Press": "max_injection_pressure",
    "InjectionPressureMax": "max_injection_pressure",
    "Cyl Temp Zone 2 [°F]": "barrel_temperature_2",
    "recovery_time": "plasticizing_time",
    # EUROMAP 63 and 77, OPC 40077, a controller's cycle data
    "ActTimCyc": "cycle_time",
    "ActTimFill[1]": "filling_time",
    "ActTimPlst[1]": "plasticizing_time",
    "ActStrCsh[1]": "cushion_position",
    "ActPrsMachSpecMax": "max_injection_pressure",
    "ActPrsXfrSpec[1]": "switch_over_pressure",
    "ActTmpBrlZn[1,3]": "barrel_temperature_3",
    "ActFrcClp": "clamp_force",
    "CushionStroke": "cushion_position",
    "DosingTime": "plasticizing_time",
    "TransferStroke": "switch_over_position",
    "CylinderTemperature04": "barrel_temperature_4",
    "ToolTemperature1": "mold_temperature_1",
    "Z_QDCYCTIM": "cycle_time",
    "Z_QDTEMPZ05": "barrel_temperature_5",
}
CNC = {
    "주축부하율": "spindle_load",
    "주축 회전수(rpm)": "spindle_speed",
    "지령회전수": "spindle_speed_set",
    "실이송속도": "feedrate",
    "X축 부하(%)": "servo_load_x",
    "공구번호": "tool_id",
    "척압력": "clamp_pressure",
    # MTConnect and its adapters
    "Srpm": "spindle_speed",
    "Sload": "spindle_load",
    "Xload": "servo_load_x",
    "Zabs": "position_z",
    "path_feedrate": "feedrate",
    "PathFeedrateCommanded": "feedrate_set",
    "RotaryVelocity": "spindle_speed",
    "ToolAssetId": "tool_id",
    # FANUC
    "cnc_acts": "spindle_speed",
    "cnc_rdspmeter": "spindle_load",
    "SVLOAD_Y": "servo_load_y",
    "S_ACT": "spindle_speed",
    "F_CMD": "feedrate_set",
    # Siemens
    "/Channel/Spindle/actSpeed": "spindle_speed",
    "driveLoad": "spindle_load",
    "actFeedRateIpo": "feedrate",
    "actTNumber": "tool_id",
    "progName": "program_no",
}
PRESS = {
    "타발수": "stroke_no",
    "좌하중(ton)": "tonnage_left",
    "하중(우)": "tonnage_right",
    "TON_L": "tonnage_left",
    "총하중": "peak_tonnage",
    "다이하이트": "die_height",
    "분당 스트로크수": "spm_set",
    "판두께": "blank_thickness",
    "크랭크 각도": "peak_angle",
}
# Names that look like a standard one and are another quantity, or another value of it.
OTHERS = {
    "injection-moulding": [
        "CushionVolume",
        "실린더온도1 설정값",
        "SetTmpBrlZn[1,3]",
        "HydraulicPressureMaximum",
        "유온",
        "냉각수 온도",
        "사출압력 편차",
    ],
    "cnc-machine": ["Sovr", "FeedOverride", "주축 온도", "X축 온도", "절삭유압"],
    "press": ["하사점", "유온", "이송길이", "슬라이드 속도"],
}
KNOWN = [
    (equipment, header, column)
    for equipment, table in (
        ("injection-moulding", INJECTION),
        ("cnc-machine", CNC),
        ("press", PRESS),
    )
    for header, column in table.items()
]


def best(equipment: str, header: str) -> tuple[float, str]:
    """The standard column whose names are most like a header, and how like."""
    standard = KnownNames(equipment_type(equipment).columns)
    near = standard.near(header)
    found = ((alike, standard.columns[i].name) for i, (alike, _) in near.items())
    return max(found, default=(0.0, ""))


@pytest.mark.parametrize(("equipment", "header", "column"), KNOWN)
def test_a_header_finds_its_standard_column(equipment: str, header: str, column: str):
    alike, found = best(equipment, header)
    assert found == column
    assert alike >= 0.8


@pytest.mark.parametrize(
    ("equipment", "header"), [(e, h) for e, names in OTHERS.items() for h in names]
)
def test_another_quantity_finds_none(equipment: str, header: str):
    assert best(equipment, header)[0] < 0.7


def test_no_two_columns_of_a_machine_mean_the_same_to_the_vocabulary():
    for machine in equipment_types().values():
        seen: dict[frozenset[str], str] = {}
        for column in machine.columns:
            for name in (column.name, column.ko, column.en, *column.synonyms):
                # feed rates in mm/s and mm/min go by one name; values tell them apart
                if name.lower().replace("_", "").replace(" ", "") == "feedrate":
                    continue
                other = seen.setdefault(take_apart(name).meaning, column.name)
                assert other == column.name, f"{machine.id}: {name}"
