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

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.testbed import data_defects
from kamp_lib.testbed.export import write_csv
from kamp_lib.testbed.signals import (
    chance,
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


MOULDS = (
    Mould(
        "에어벤트 커버", "M-101", "ABS", 232.0, 58.0, 62.0, 78.0, 14.0, 6.5,
        112.0, 58.0, 6.0, 30.0, 12.5, 1760.0, 420.0,
    ),
    Mould(
        "센서 하우징", "M-204", "PC/ABS", 258.0, 74.0, 88.0, 61.0, 11.0, 5.2,
        134.0, 72.0, 5.0, 24.0, 9.4, 1820.0, 365.0,
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
    day, block, product = plan["day"], plan["block"], plan["product"]
    m = {
        name: np.array([getattr(mould, name) for mould in MOULDS])[product]
        for name in (
            "melt", "wall", "speed", "stroke", "switch_over", "cushion", "injection",
            "holding", "holding_time", "cooling_time", "plasticizing", "clamp", "opening",
        )
    }  # fmt: skip
    scale = min(1.0, n / (int(day.max()) + 1) / 260)  # short days have short spells
    length = (max(3, round(8 * scale)), max(6, round(20 * scale)))
    spells = spells_by_day(
        rng, day, tuple(MECHANISMS), length=length, share_of_days=0.87
    )
    at = {name: course_of(spells, name, n) for name in MECHANISMS}

    # surroundings and material: days differ, lots differ, the machine warms up
    days, blocks = int(day.max()) + 1, int(block.max()) + 1
    hour = plan["hour"]
    ambient = (
        25.0
        + rng.normal(0, 1.6, days)[day]
        + 2.2 * np.sin((hour - 9.0) / 24 * 2 * np.pi)
        + wander(rng, n, sigma=0.3, memory=60)
    )
    lots = int(plan["lot"].max()) + 1
    stiffness = rng.normal(0, 0.018, lots)[plan["lot"]]  # log viscosity of the lot
    moisture = np.abs(rng.normal(0, 0.012, lots))[plan["lot"]]  # % above dry
    warm = np.exp(-plan["since_start"] / 18.0)  # start of a block: not yet in balance
    worn = np.arange(n) / n  # three weeks of check-ring wear
    panel_speed = rng.normal(0, 0.8, blocks)[block]  # what the setter trims, mm/s
    panel_holding = rng.choice([-1.0, 0.0, 0.0, 1.0], blocks)[block]  # MPa

    # temperatures
    zone = [0.0, -1.5, -2.0, -6.0, -18.0, -42.0]
    weak = 13.0 * at["cold-melt"]
    barrel = [
        m["melt"] + offset - 1.2 * warm - weak * share
        + wander(rng, n, sigma=0.7, memory=25) + rng.normal(0, 0.25, n)
        for offset, share in zip(zone, [0.35, 0.9, 1.0, 0.6, 0.25, 0.1], strict=True)
    ]  # fmt: skip
    speed_up = 1 + 0.24 * at["fast-injection"]
    speed = (m["speed"] + panel_speed) * speed_up + rng.normal(0, 0.35, n)
    melt = (
        0.4 * barrel[0] + 0.35 * barrel[1] + 0.25 * barrel[2]
        + 0.12 * (speed - m["speed"]) + 4.0
    )  # fmt: skip
    off_melt = melt - (m["melt"] + 3.0)
    wall = [
        m["wall"] + 0.25 * (ambient - 25.0) - 2.5 * warm + shift
        + wander(rng, n, sigma=0.6, memory=40) + rng.normal(0, 0.15, n)
        for shift in (0.0, -1.8)
    ]  # fmt: skip
    hopper = (
        82.0 + 0.3 * (ambient - 25.0) + wander(rng, n, sigma=0.8, memory=80)
        - 5.0 * at["fast-injection"]  # the dryer cannot follow: wetter resin
    )  # fmt: skip
    moisture = moisture + 0.05 * at["fast-injection"]

    # filling: Arrhenius-like viscosity, shear thinning, a pressure limit
    viscosity = np.exp(
        stiffness + 0.07 * at["cold-melt"] - 0.016 * off_melt
    ) * (speed / m["speed"]) ** -0.45  # fmt: skip
    demand = m["injection"] * viscosity * (speed / m["speed"]) + rng.normal(0, 0.7, n)
    limit = 1.18 * m["injection"]
    leak = 0.10 * worn + at["check-ring-leak"]
    pressure = np.minimum(demand, limit) * (1 - 0.035 * leak) + rng.normal(0, 0.25, n)
    slowed = np.clip(demand / limit - 0.97, 0, None)
    late = 2.6 * at["late-switch-over"]
    switch_over = m["switch_over"] - late + wander(rng, n, sigma=0.05, memory=10)
    starved = at["starved-feed"]
    reached = m["stroke"] - 3.8 * starved + rng.normal(0, 0.12, n)
    filling = (
        (reached - switch_over) / (0.86 * speed) * (1 + 1.4 * slowed)
        + 0.12 + rng.normal(0, 0.008, n)
    )  # fmt: skip
    transfer = (
        0.90 * pressure
        + 2.4 * late
        - 5.0 * starved
        - 1.8 * leak
        + rng.normal(0, 0.5, n)
    )

    # packing: what the holding stage really gives, and what is left before the screw
    holding_set = m["holding"] + panel_holding
    given_up = at["low-holding"]
    packing = (
        holding_set * (1 - 0.16 * given_up - 0.07 * leak) - 3.0 * starved
        + wander(rng, n, sigma=0.4, memory=15)
    )  # fmt: skip
    transfer = transfer - 6.5 * given_up
    cushion = (
        m["cushion"] - 1.9 * leak - 2.3 * starved + 1.6 * slowed * 10
        + 0.055 * (holding_set - packing) * (1 - np.minimum(leak, 1))
        - 0.25 * late + 4.0 * stiffness + rng.normal(0, 0.09, n)
    )  # fmt: skip
    cushion = np.maximum(cushion, 0.05 + 0.03 * rng.random(n))

    # clamp and plasticising
    tired = at["worn-clamp"]
    clamp = m["clamp"] - 175.0 * tired + wander(rng, n, sigma=6.0, memory=30)
    close = 2.35 + 0.28 * tired + 0.06 * warm + rng.normal(0, 0.02, n)
    rpm = 118.0 - 10.0 * product + wander(rng, n, sigma=0.6, memory=20)
    back = 9.5 + 1.5 * product + wander(rng, n, sigma=0.18, memory=15)
    plasticizing = (
        m["plasticizing"] * (118.0 - 10.0 * product) / rpm
        * (1 + 0.21 * starved + 0.6 * stiffness + 0.05 * leak)
        + rng.normal(0, 0.09, n)
    )  # fmt: skip
    opening = m["opening"] + wander(rng, n, sigma=0.15, memory=30)
    injection = filling + m["holding_time"] + rng.normal(0, 0.015, n)
    cycle = (
        injection + m["cooling_time"] + close + 18.0 + 0.8 * warm
        + np.maximum(0, plasticizing - m["cooling_time"] + 2) + rng.normal(0, 0.12, n)
    )  # fmt: skip

    # margins of each defect; every cause has its own
    shrink = 0.10 * (wall[0] - m["wall"]) + 0.06 * off_melt
    risk = {
        "cold-melt": chance(demand / m["injection"] - 1, at=0.235, width=0.016),
        "starved-feed": chance(
            m["stroke"] - reached - 0.4 * (cushion - m["cushion"]), at=3.9, width=0.3
        ),
        "check-ring-leak": chance(leak + 0.05 * shrink, at=0.92, width=0.07),
        "low-holding": chance(
            (m["holding"] - packing) / m["holding"] + 0.01 * shrink, at=0.140, width=0.011
        ),
        "late-switch-over": chance(
            (m["switch_over"] - switch_over) + 0.05 * (transfer - 0.9 * m["injection"]),
            at=2.75, width=0.22,
        ),
        "worn-clamp": chance(
            (m["clamp"] - clamp) / 100 + 0.012 * (transfer - 0.9 * m["injection"]),
            at=1.62, width=0.12,
        ),
        "fast-injection": chance(
            speed / m["speed"] - 1 + 1.2 * moisture + 0.004 * off_melt,
            at=0.285, width=0.020,
        ),
    }  # fmt: skip
    cause = _fate(rng, risk, n)
    bad = cause != ""
    reasons = {**MECHANISMS, "accident": "기타"}

    frame = pd.DataFrame(
        {
            "ts": plan["start"] + pd.to_timedelta(np.round(_elapsed(plan, cycle)), "s"),
            "machine_id": "사출 3호기",
            "lot_id": plan["lot_id"],
            "product_code": np.array([x.product for x in MOULDS])[product],
            "mold_id": np.array([x.mould for x in MOULDS])[product],
            "shot_no": np.arange(20_311, 20_311 + n),
            "injection_time": injection.round(2),
            "filling_time": filling.round(3),
            "plasticizing_time": plasticizing.round(2),
            "cycle_time": cycle.round(2),
            "clamp_close_time": close.round(2),
            "cushion_position": cushion.round(2),
            "switch_over_position": switch_over.round(2),
            "plasticizing_position": reached.round(2),
            "clamp_open_position": opening.round(1),
            "max_injection_speed": speed.round(1),
            "max_screw_rpm": rpm.round(1),
            "max_injection_pressure": pressure.round(1),
            "switch_over_pressure": transfer.round(1),
            "holding_pressure": holding_set.round(1),
            "max_back_pressure": back.round(2),
            "clamp_force": clamp.round(0),
            **{f"barrel_temperature_{i}": t.round(1) for i, t in enumerate(barrel, 1)},
            "hopper_temperature": hopper.round(1),
            "mold_temperature_1": wall[0].round(1),
            "mold_temperature_2": wall[1].round(1),
            "ambient_temperature": ambient.round(1),
            "pass_or_fail": np.where(bad, "불량", "양품"),
            "defect_reason": [reasons.get(c, "") for c in cause],
            "data_origin": "simulated",
        }
    )
    active = np.array(["", *MECHANISMS])[
        np.where(
            np.max(list(at.values()), axis=0) > 0,
            1 + np.argmax(list(at.values()), axis=0),
            0,
        )
    ]
    truth = pd.DataFrame(
        {"shot_no": frame["shot_no"], "mechanism": active, "cause": cause}
    )
    return frame, truth


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
