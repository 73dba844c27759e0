from __future__ import annotations

import pytest

from kamp_lib import catalog


def quantity_of(name: str) -> str | None:
    return next((q.id for q in catalog.quantities() if q.matches(name)), None)


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("X_DCBusVoltage", "dc-bus-voltage"),
        ("S_OutputCurrent", "motor-current"),
        ("X_OutputVoltage", "output-voltage"),
        ("Lagging_Current_Power_Factor", "power-factor"),
        ("Lagging_Current_Reactive.Power_kVarh", "reactive-power"),
        ("Usage_kWh", "energy"),
        ("작동유 온도", "oil-temperature"),
        ("유압(bar)", "hydraulic-pressure"),
        ("Accelerometer1RMS", "vibration"),
        ("습도(%)", "humidity"),
        ("냉각수 입구 온도", "water-temperature"),
        ("베어링온도_1", "winding-temperature"),
        ("주축 부하(%)", "drive-load"),
        ("용접전류", "welding-current"),
        ("R상 전압", "mains-voltage"),
        ("순시유량", "flow"),
        ("불량률(%)", "defect-share"),
        ("pH", "ph"),
        ("PM2.5", "dust"),
        ("Rotational speed [rpm]", "rotational-speed"),
        # "current" as in "present", and words that only sound alike
        ("M_CURRENT_FEEDRATE", None),
        ("M_CURRENT_PROGRAM_NUMBER", None),
        ("template", None),
        ("press_time", None),
        ("load_left", None),
        ("Load_Type", None),
        ("graph", None),
    ],
)
def test_a_name_speaks_of_its_quantity(name: str, quantity: str | None):
    assert quantity_of(name) == quantity


def test_a_dc_bus_that_rests_near_zero_is_not_alive():
    bus = next(q for q in catalog.quantities() if q.id == "dc-bus-voltage")
    assert not bus.min <= 0.4 <= bus.max
    assert bus.live_min > 3.2
    assert bus.min <= 311 <= bus.max


def test_320_ampere_are_too_many_for_one_drive():
    current = next(q for q in catalog.quantities() if q.id == "motor-current")
    assert not current.min <= 320 <= current.max
    assert current.min <= -30 <= current.max
