"""An injection moulding machine with two moulds over three weeks.

What is known to go wrong, and how it shows:

cold-melt (short shot)
    A heater band weakens, or a stiff resin lot: barrel temperature down, injection
    pressure up to its limit, slower filling, a larger cushion since less goes in.
starved-feed (short shot)
    Bridging at the feed throat: plasticising takes longer, the screw stops short, the
    cushion runs down.
check-ring-leak (sink marks)
    The ring does not close: the cushion runs down and pressures with it.
low-holding (sink marks)
    The holding stage gives way: less pressure after switch-over.
late-switch-over (flash)
    The switch-over point drifts: later position, higher pressure at switch-over.
worn-clamp (flash)
    Toggle or tie bar gives way: clamping force down, closing slower.
fast-injection (gas burns)
    Speed turned up and wet resin: speed and melt temperature up, hopper colder.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.testbed import data_defects
from kamp_lib.testbed import injection_physics as physics
from kamp_lib.testbed.export import write_csv
from kamp_lib.testbed.signals import (
    course_of,
    spells_by_day,
    wander,
    working_days,
)
from kamp_lib.testbed.simulation import Simulation

MECHANISMS = {
    "cold-melt": "미성형",
    "starved-feed": "미성형",
    "check-ring-leak": "싱크마크",
    "low-holding": "싱크마크",
    "late-switch-over": "플래시",
    "worn-clamp": "플래시",
    "fast-injection": "가스",
}
ACCIDENTS = 0.0015  # share of shots bad for a reason no sensor sees


@dataclass(frozen=True)
class Mould:
    """Settings of one product, as on its set-up sheet."""

    product: str
    mould: str
    resin: str
    melt: float  # degC
    wall: float  # mould temperature, degC
    speed: float  # mm/s
    stroke: float  # plasticising position, mm
    switch_over: float  # mm
    cushion: float  # mm
    injection: float  # MPa at nominal viscosity
    holding: float  # MPa
    holding_time: float  # s
    cooling_time: float  # s
    plasticizing: float  # s
    clamp: float  # kN
    opening: float  # mm
    rpm: float  # 1/min
    back: float  # MPa


MOULDS = (
    Mould(
        "에어벤트 커버", "M-101", "ABS", 232.0, 58.0, 62.0, 78.0, 14.0, 6.5,
        112.0, 58.0, 6.0, 30.0, 12.5, 1760.0, 420.0, 118.0, 9.5,
    ),
    Mould(
        "센서 하우징", "M-204", "PC/ABS", 258.0, 74.0, 88.0, 61.0, 11.0, 5.2,
        134.0, 72.0, 5.0, 24.0, 9.4, 1820.0, 365.0, 108.0, 11.0,
    ),
)  # fmt: skip

HEADERS = {
    "ts": "생산일시",
    "machine_id": "설비명",
    "lot_id": "로트번호",
    "product_code": "품명",
    "mold_id": "금형번호",
    "shot_no": "샷번호",
    "injection_time": "사출시간(s)",
    "filling_time": "충전시간(s)",
    "plasticizing_time": "계량시간(s)",
    "cycle_time": "사이클타임(s)",
    "clamp_close_time": "형폐시간(s)",
    "cushion_position": "쿠션위치(mm)",
    "switch_over_position": "보압절환위치(mm)",
    "plasticizing_position": "계량완료위치(mm)",
    "clamp_open_position": "형개위치(mm)",
    "max_injection_speed": "최대사출속도(mm/s)",
    "max_screw_rpm": "최대스크루회전수(rpm)",
    "max_injection_pressure": "최대사출압력(MPa)",
    "switch_over_pressure": "보압절환압력(MPa)",
    "holding_pressure": "보압설정(MPa)",
    "max_back_pressure": "최대배압(MPa)",
    "clamp_force": "형체력(kN)",
    "barrel_temperature_1": "실린더온도1(℃)",
    "barrel_temperature_2": "실린더온도2(℃)",
    "barrel_temperature_3": "실린더온도3(℃)",
    "barrel_temperature_4": "실린더온도4(℃)",
    "barrel_temperature_5": "실린더온도5(℃)",
    "barrel_temperature_6": "실린더온도6(℃)",
    "hopper_temperature": "호퍼온도(℃)",
    "mold_temperature_1": "금형온도1(℃)",
    "mold_temperature_2": "금형온도2(℃)",
    "ambient_temperature": "작업장온도(℃)",
    "pass_or_fail": "양불판정",
    "defect_reason": "불량원인",
    "data_origin": "data_origin",
}


def simulate_injection(
    to: Path, seed: int, cases: int, defects: tuple[str, ...]
) -> Simulation:
    """Write the shot log of the machine as its MES exports it: CSV, CP949, Korean."""
    rng = np.random.default_rng(seed)
    frame, truth = shots(rng, cases)
    table = data_defects.Table(
        frame,
        HEADERS,
        target="pass_or_fail",
        bad="불량",
        good="양품",
        swap=("barrel_temperature_1", "mold_temperature_1"),
        sentinel=("hopper_temperature", -999.0),
        dead="mold_temperature_2",
        derived=("injection_time", "filling_time"),
        shift_from="shot_no",
        twin="cavity_id",
        twin_header="캐비티번호",
    )
    data_defects.apply(table, defects, rng)
    path = write_csv(table, to / "사출_샷이력.csv", encoding="cp949")
    return Simulation(
        model="injection-quality",
        equipment="injection-moulding",
        dataset="injection",
        files=[path],
        truth=truth,
        defects=defects,
    )


def shots(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`n` shots under the catalogue's names, and why each is good or bad.

    Returns
    -------
    shots : DataFrame
        Units of the catalogue: s, mm, mm/s, MPa, kN, degC.
    truth : DataFrame
        `shot_no`, `mechanism` at work (empty: none), `cause` of a bad shot (empty: good).
    """
    plan = _plan(rng, n)
    settings = _settings(plan["product"])
    at = _trouble(rng, plan["day"])
    around = _surroundings(rng, plan)
    warmth = physics.heat(rng, settings, around, at)
    filling = physics.fill(rng, settings, around, warmth, at)
    packing = physics.pack(rng, settings, around, filling, at)
    machine = physics.run_machine(rng, settings, around, filling, at)
    risk = physics.risks(settings, around, warmth, filling, packing, machine, at)
    cause = _fate(rng, risk, n)

    injection = filling.time + settings.holding_time + rng.normal(0, 0.015, n)
    waiting = np.maximum(0, machine.plasticizing - settings.cooling_time + 2)
    cycle = injection + settings.cooling_time + machine.close + waiting
    cycle = cycle + 18.0 + 0.8 * around.warm + rng.normal(0, 0.12, n)
    barrel = {f"barrel_temperature_{i}": t for i, t in enumerate(warmth.barrel, 1)}
    seconds = pd.to_timedelta(np.round(_elapsed(plan, cycle)), unit="s")
    reasons = {**MECHANISMS, "accident": "기타", "": ""}
    frame = pd.DataFrame(
        {
            "ts": plan["start"] + seconds,
            "machine_id": "사출 3호기",
            "lot_id": plan["lot_id"],
            "product_code": np.array([x.product for x in MOULDS])[plan["product"]],
            "mold_id": np.array([x.mould for x in MOULDS])[plan["product"]],
            "shot_no": np.arange(20_311, 20_311 + n),
            "injection_time": injection.round(2),
            "filling_time": filling.time.round(3),
            "plasticizing_time": machine.plasticizing.round(2),
            "cycle_time": cycle.round(2),
            "clamp_close_time": machine.close.round(2),
            "cushion_position": packing.cushion.round(2),
            "switch_over_position": filling.switch_over.round(2),
            "plasticizing_position": filling.reached.round(2),
            "clamp_open_position": machine.opening.round(1),
            "max_injection_speed": warmth.speed.round(1),
            "max_screw_rpm": machine.rpm.round(1),
            "max_injection_pressure": filling.pressure.round(1),
            "switch_over_pressure": filling.transfer.round(1),
            "holding_pressure": packing.holding_set.round(1),
            "max_back_pressure": machine.back.round(2),
            "clamp_force": machine.clamp.round(0),
            **{name: values.round(1) for name, values in barrel.items()},
            "hopper_temperature": warmth.hopper.round(1),
            "mold_temperature_1": warmth.wall[0].round(1),
            "mold_temperature_2": warmth.wall[1].round(1),
            "ambient_temperature": around.ambient.round(1),
            "pass_or_fail": np.where(cause != "", "불량", "양품"),
            "defect_reason": [reasons[c] for c in cause],
            "data_origin": "simulated",
        }
    )
    course = np.column_stack([np.zeros(n), *at.values()])
    at_work = np.array(["", *at])[course.argmax(axis=1)]
    truth = pd.DataFrame(
        {"shot_no": frame["shot_no"], "mechanism": at_work, "cause": cause}
    )
    return frame, truth


def _settings(product: np.ndarray) -> physics.Settings:
    sheet = {
        field.name: np.array([getattr(mould, field.name) for mould in MOULDS])[product]
        for field in fields(physics.Settings)
    }
    return physics.Settings(**sheet)


def _trouble(rng: np.random.Generator, day: np.ndarray) -> dict[str, np.ndarray]:
    """How strongly each mechanism is at work at each shot."""
    n = len(day)
    scale = min(1.0, n / (int(day.max()) + 1) / 260)  # short days have short spells
    length = (max(3, round(8 * scale)), max(6, round(20 * scale)))
    spells = spells_by_day(
        rng, day, tuple(MECHANISMS), length=length, share_of_days=0.87
    )
    return {name: course_of(spells, name, n) for name in MECHANISMS}


def _surroundings(
    rng: np.random.Generator, plan: dict[str, np.ndarray]
) -> physics.Surroundings:
    """Days differ, lots differ, setters trim, and the machine warms up."""
    day, block, lot = plan["day"], plan["block"], plan["lot"]
    n, days, blocks, lots = len(day), *(int(x.max()) + 1 for x in (day, block, lot))
    ambient = 25.0 + rng.normal(0, 1.6, days)[day]
    ambient = ambient + 2.2 * np.sin((plan["hour"] - 9.0) / 24 * 2 * np.pi)
    return physics.Surroundings(
        ambient=ambient + wander(rng, n, sigma=0.3, memory=60),
        warm=np.exp(-plan["since_start"] / 18.0),
        stiffness=rng.normal(0, 0.018, lots)[lot],
        moisture=np.abs(rng.normal(0, 0.012, lots))[lot],
        worn=np.arange(n) / n,
        speed_trim=rng.normal(0, 0.8, blocks)[block],
        holding_trim=rng.choice([-1.0, 0.0, 0.0, 1.0], blocks)[block],
    )


def _fate(rng: np.random.Generator, risk: dict[str, np.ndarray], n: int) -> np.ndarray:
    """The cause of each bad shot; the likeliest one where several are at work."""
    names = list(risk)
    each = np.column_stack(list(risk.values()))
    bad = rng.random(n) < 1 - np.prod(1 - each, axis=1)
    cause = np.where(bad, np.array(names, dtype=object)[each.argmax(axis=1)], "")
    accident = (rng.random(n) < ACCIDENTS) & ~bad
    return np.where(accident, "accident", cause)


def _plan(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Which mould runs when: a morning and an afternoon block each working day."""
    days = max(4, min(15, n // 60)) if n < 15 * 540 else -(-n // 540)
    day = np.arange(n) * days // n
    first_of_day = np.searchsorted(day, day)
    per_day = np.bincount(day)[day]
    place = np.arange(n) - first_of_day
    half = (place >= per_day // 2).astype(int)
    block = 2 * day + half
    since_start = np.arange(n) - np.searchsorted(block, block)
    product = (day + half) % 2  # changeover at noon
    # a resin lot lasts about three blocks of its product
    lot_of_block = np.array(
        [b // 6 * 2 + (b // 2 + b % 2) % 2 for b in range(2 * days)]
    )
    lot = lot_of_block[block]
    dates = working_days(days)
    begin = np.where(half == 0, 8.0, 13.0) + rng.uniform(0.1, 0.4, 2 * days)[block]
    start = dates[day] + pd.to_timedelta(np.round(begin * 3600), unit="s")
    resin = np.array(["A", "P"])[product]
    serial = pd.Series(lot).map(lambda k: f"{k + 1:02d}").to_numpy()
    return {
        "day": day,
        "block": block,
        "product": product,
        "lot": lot,
        "lot_id": np.char.add(
            np.char.add("R2606-", resin.astype(str)), serial.astype(str)
        ),
        "since_start": since_start,
        "start": start,
        "hour": begin + since_start * 54.0 / 3600,
    }


def _elapsed(plan: dict[str, np.ndarray], cycle: np.ndarray) -> np.ndarray:
    """Seconds since the start of the block, shot after shot."""
    total = np.cumsum(cycle)
    first = np.searchsorted(plan["block"], plan["block"])
    return np.asarray(total - total[first])
