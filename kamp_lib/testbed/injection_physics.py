"""What happens inside the injection moulding machine, stage by stage of a shot.

Heat, filling, packing, clamp and dosing each turn settings, surroundings and the
mechanisms at work (`at`: 0 = not at all, about 1 = in full) into what sensors read.
All arrays have one value per shot; units are s, mm, mm/s, MPa, kN, degC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kamp_lib.testbed.signals import chance, wander

Array = np.ndarray
At = dict[str, Array]


@dataclass(frozen=True)
class Settings:
    """The set-up sheet of the mould in the machine, shot by shot."""

    melt: Array
    wall: Array
    speed: Array
    stroke: Array
    switch_over: Array
    cushion: Array
    injection: Array
    holding: Array
    holding_time: Array
    cooling_time: Array
    plasticizing: Array
    clamp: Array
    opening: Array
    rpm: Array
    back: Array


@dataclass(frozen=True)
class Surroundings:
    """What nobody sets: weather, resin, warming up, and how the setter trims."""

    ambient: Array  # degC
    warm: Array  # 1 at the start of a block, 0 in thermal balance
    stiffness: Array  # log viscosity of the resin lot
    moisture: Array  # % above dry
    worn: Array  # share of three weeks of check-ring wear
    speed_trim: Array  # mm/s
    holding_trim: Array  # MPa


@dataclass(frozen=True)
class Heat:
    barrel: list[Array]
    wall: list[Array]
    hopper: Array
    speed: Array
    off_melt: Array  # melt temperature against nominal


@dataclass(frozen=True)
class Filling:
    demand: Array  # pressure that the melt would need
    pressure: Array
    slowed: Array  # share by which the pressure limit slows the screw
    leak: Array
    late: Array
    switch_over: Array
    reached: Array  # where the screw stood after plasticising
    time: Array
    transfer: Array  # pressure at switch-over


@dataclass(frozen=True)
class Packing:
    holding_set: Array
    packing: Array  # what the holding stage really gives
    cushion: Array


@dataclass(frozen=True)
class Machine:
    clamp: Array
    close: Array
    rpm: Array
    back: Array
    plasticizing: Array
    opening: Array


def heat(rng: np.random.Generator, s: Settings, a: Surroundings, at: At) -> Heat:
    """Barrel zones, mould halves, hopper, and the melt that they and the screw make."""
    n = len(s.melt)
    weak = 13.0 * at["cold-melt"]  # a heater band of the middle zones
    zones = zip(
        [0.0, -1.5, -2.0, -6.0, -18.0, -42.0],
        [0.35, 0.9, 1.0, 0.6, 0.25, 0.1],
        strict=True,
    )
    barrel = []
    for offset, share in zones:
        drift = wander(rng, n, sigma=0.7, memory=25) + rng.normal(0, 0.25, n)
        barrel.append(s.melt + offset - 1.2 * a.warm - weak * share + drift)
    turned_up = 1 + 0.24 * at["fast-injection"]
    speed = (s.speed + a.speed_trim) * turned_up + rng.normal(0, 0.35, n)
    shear = 0.12 * (speed - s.speed)
    melt = 0.4 * barrel[0] + 0.35 * barrel[1] + 0.25 * barrel[2] + shear + 4.0
    wall = []
    for offset in (0.0, -1.8):
        drift = wander(rng, n, sigma=0.6, memory=40) + rng.normal(0, 0.15, n)
        wall.append(s.wall + offset + 0.25 * (a.ambient - 25) - 2.5 * a.warm + drift)
    # the dryer cannot follow a machine that takes more: colder, wetter resin
    hopper = 82.0 + 0.3 * (a.ambient - 25.0) - 5.0 * at["fast-injection"]
    hopper = hopper + wander(rng, n, sigma=0.8, memory=80)
    return Heat(barrel, wall, hopper, speed, melt - (s.melt + 3.0))


def fill(
    rng: np.random.Generator, s: Settings, a: Surroundings, h: Heat, at: At
) -> Filling:
    """Viscosity by temperature and shear thinning, and a pressure limit.

    The power-law index of about 0.55 and 1.6 % viscosity per kelvin are usual for ABS.
    """
    n = len(s.melt)
    fast = h.speed / s.speed
    stiff = a.stiffness + 0.07 * at["cold-melt"] - 0.016 * h.off_melt
    demand = s.injection * np.exp(stiff) * fast**0.55 + rng.normal(0, 0.7, n)
    limit = 1.18 * s.injection
    leak = 0.10 * a.worn + at["check-ring-leak"]
    pressure = np.minimum(demand, limit) * (1 - 0.035 * leak) + rng.normal(0, 0.25, n)
    slowed = np.clip(demand / limit - 0.97, 0, None)
    late = 2.6 * at["late-switch-over"]
    switch_over = s.switch_over - late + wander(rng, n, sigma=0.05, memory=10)
    starved = at["starved-feed"]
    reached = s.stroke - 3.8 * starved + rng.normal(0, 0.12, n)
    time = (reached - switch_over) / (0.86 * h.speed) * (1 + 1.4 * slowed)
    transfer = 0.90 * pressure + 2.4 * late - 5.0 * starved - 1.8 * leak
    transfer = transfer - 6.5 * at["low-holding"] + rng.normal(0, 0.5, n)
    return Filling(
        demand=demand,
        pressure=pressure,
        slowed=slowed,
        leak=leak,
        late=late,
        switch_over=switch_over,
        reached=reached,
        time=time + 0.12 + rng.normal(0, 0.008, n),
        transfer=transfer,
    )


def pack(
    rng: np.random.Generator, s: Settings, a: Surroundings, f: Filling, at: At
) -> Packing:
    """The holding stage, and the cushion that is left before the screw."""
    n = len(s.melt)
    holding_set = s.holding + a.holding_trim
    loss = 0.16 * at["low-holding"] + 0.07 * f.leak
    packing = holding_set * (1 - loss) - 3.0 * at["starved-feed"]
    packing = packing + wander(rng, n, sigma=0.4, memory=15)
    # melt that flows back or was never dosed is missing; what does not go in stays
    missing = 1.9 * f.leak + 2.3 * at["starved-feed"] + 0.25 * f.late
    stays = 16.0 * f.slowed + 4.0 * a.stiffness
    stays = stays + 0.055 * (holding_set - packing) * (1 - np.minimum(f.leak, 1))
    cushion = s.cushion - missing + stays + rng.normal(0, 0.09, n)
    floor = 0.05 + 0.03 * rng.random(n)
    return Packing(holding_set, packing, np.maximum(cushion, floor))


def run_machine(
    rng: np.random.Generator, s: Settings, a: Surroundings, f: Filling, at: At
) -> Machine:
    """Clamp and dosing."""
    n = len(s.melt)
    tired = at["worn-clamp"]
    rpm = s.rpm + wander(rng, n, sigma=0.6, memory=20)
    harder = 0.21 * at["starved-feed"] + 0.6 * a.stiffness + 0.05 * f.leak
    dosing = s.plasticizing * s.rpm / rpm * (1 + harder)
    return Machine(
        clamp=s.clamp - 175.0 * tired + wander(rng, n, sigma=6.0, memory=30),
        close=2.35 + 0.28 * tired + 0.06 * a.warm + rng.normal(0, 0.02, n),
        rpm=rpm,
        back=s.back + wander(rng, n, sigma=0.18, memory=15),
        plasticizing=dosing + rng.normal(0, 0.09, n),
        opening=s.opening + wander(rng, n, sigma=0.15, memory=30),
    )


def risks(
    s: Settings, a: Surroundings, h: Heat, f: Filling, p: Packing, m: Machine, at: At
) -> At:
    """Probability of a bad part by each mechanism, from the margin that it uses up."""
    shrink = 0.10 * (h.wall[0] - s.wall) + 0.06 * h.off_melt
    short_dose = s.stroke - f.reached - 0.4 * (p.cushion - s.cushion)
    lost_holding = (s.holding - p.packing) / s.holding + 0.01 * shrink
    cavity = f.transfer - 0.9 * s.injection  # over-packing opens the mould
    overrun = s.switch_over - f.switch_over + 0.05 * cavity
    opening = (s.clamp - m.clamp) / 100 + 0.012 * cavity
    trapped = h.speed / s.speed - 1 + 0.004 * h.off_melt
    trapped = trapped + 1.2 * (a.moisture + 0.05 * at["fast-injection"])
    return {
        "cold-melt": chance(f.demand / s.injection - 1, at=0.235, width=0.016),
        "starved-feed": chance(short_dose, at=3.9, width=0.3),
        "check-ring-leak": chance(f.leak + 0.05 * shrink, at=0.92, width=0.07),
        "low-holding": chance(lost_holding, at=0.140, width=0.011),
        "late-switch-over": chance(overrun, at=2.75, width=0.22),
        "worn-clamp": chance(opening, at=1.62, width=0.12),
        "fast-injection": chance(trapped, at=0.285, width=0.020),
    }
