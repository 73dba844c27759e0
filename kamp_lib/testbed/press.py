"""A mechanical press that stamps and draws with four dies over two and a half weeks.

What is known to break, and how it announces itself:

crack
    A fatigue crack grows by Paris' law on one side of the die, which gives way: tonnage
    left and right drift apart, acoustic emission comes in bursts.
galling
    Too little lubricant on a hot die, metal welds to the punch, friction: tonnage up on
    both sides, a later peak, die temperature and emission up.
chipping
    Thick or doubled blanks overload the cutting edge: tonnage jumps and its peak comes
    earlier with the blank's thickness, emission up.

`die_event` of a stroke says that an event follows within the next `WARNING` strokes; at
the event the press stops, the die is repaired, and its counter starts again.

The 128-point tonnage curve of every stroke is left out: the peak, its angle and the two
sides summarise it, as most load monitors that small firms have log no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.testbed import data_defects
from kamp_lib.testbed.export import write_csv
from kamp_lib.testbed.signals import wander, working_days
from kamp_lib.testbed.simulation import Simulation

MECHANISMS = {"crack": "크랙", "galling": "소착", "chipping": "칩핑"}
WARNING = 25  # strokes before an event that are labelled
GROWTH = (45, 120)  # strokes over which a mechanism becomes visible
LOT = 250  # strokes of a lot at demo size
EVENT_SHARE = 0.55  # of the lots end with an event


@dataclass(frozen=True)
class Die:
    """Settings of one die, as on its set-up sheet."""

    die: str
    product: str
    spm: float
    height: float  # mm
    cushion: float  # bar
    tonnage: float  # kN, both sides together
    angle: float  # deg of the crank at the peak
    thickness: float  # mm
    lubricant: float  # mL/min


DIES = (
    Die("D-11", "브래킷 L", 32.0, 412.0, 22.0, 1240.0, 164.0, 1.6, 42.0),
    Die("D-12", "브래킷 R", 32.0, 412.0, 22.0, 1265.0, 164.5, 1.6, 42.0),
    Die("D-27", "모터 커버", 24.0, 468.0, 48.0, 1720.0, 158.0, 1.2, 65.0),
    Die("D-31", "힌지 플레이트", 38.0, 385.0, 12.0, 980.0, 168.0, 2.0, 35.0),
)
HEADERS = {
    "ts": "작업시각",
    "machine_id": "설비명",
    "die_id": "금형번호",
    "lot_id": "로트번호",
    "product_code": "품명",
    "stroke_no": "스트로크번호",
    "spm_set": "SPM설정",
    "die_height": "다이하이트(mm)",
    "cushion_pressure": "쿠션압력(bar)",
    "tonnage_left": "좌측하중(kN)",
    "tonnage_right": "우측하중(kN)",
    "peak_tonnage": "최대하중(kN)",
    "peak_angle": "최대하중각도(°)",
    "die_temperature": "금형온도(℃)",
    "blank_temperature": "소재온도(℃)",
    "blank_thickness": "소재두께(mm)",
    "double_blank_gap": "이중소재간격(mm)",
    "lubricant_flow": "윤활유량(mL/min)",
    "acoustic_emission": "음향방출(dB)",
    "strokes_since_maintenance": "정비후스트로크",
    "die_event": "금형이상",
    "data_origin": "data_origin",
}


def simulate_press(
    to: Path, seed: int, cases: int, defects: tuple[str, ...]
) -> Simulation:
    """Write the stroke log of the load monitor: CSV, UTF-8 with byte-order mark."""
    rng = np.random.default_rng(seed)
    frame, truth = strokes(rng, cases)
    table = data_defects.Table(
        frame,
        HEADERS,
        target="die_event",
        bad="이상",
        good="정상",
        swap=("peak_angle", "peak_tonnage"),
        sentinel=("die_temperature", -999.0),
        dead="lubricant_flow",
        derived=("tonnage_right", "tonnage_left"),
        shift_from="stroke_no",
        twin="inspector",
        twin_header="판정자",
    )
    data_defects.apply(table, defects, rng)
    table.frame["ts"] = table.frame["ts"].dt.strftime("%Y-%m-%d %H:%M:%S.%f").str[:-5]
    path = write_csv(table, to / "프레스_타발이력.csv", encoding="utf-8-sig")
    return Simulation(
        model="press-die-breakage",
        equipment="press",
        dataset="press",
        files=[path],
        truth=truth,
        defects=defects,
    )


def strokes(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`n` strokes under the catalogue's names, and what was happening to the die.

    Returns
    -------
    strokes : DataFrame
        Units of the catalogue: kN, deg, mm, degC, mL/min, dB.
    truth : DataFrame
        `stroke_no`, `mechanism` growing (empty: none), its `damage` (1 = event), and
        `cause` where `die_event` is set.
    """
    lots = max(12, round(n / LOT))
    lot = np.arange(n) * lots // n
    die = rng.permutation(np.arange(lots) % len(DIES))[lot]
    d = {
        name: np.array([getattr(x, name) for x in DIES])[die]
        for name in ("spm", "height", "cushion", "tonnage", "angle", "thickness", "lubricant")
    }  # fmt: skip
    mechanism, damage, ahead = _damage(rng, lot)
    at = {name: np.where(mechanism == name, damage, 0.0) for name in MECHANISMS}
    since = _since_maintenance(rng, lot, die, ahead)
    blunt = since / 60_000.0  # honest wear: edges round off, slowly

    # surroundings, coil and settings
    within = np.arange(n) - np.searchsorted(lot, lot)
    ambient = rng.normal(24.0, 2.0, lots)[lot] + wander(rng, n, sigma=0.3, memory=120)
    warm_up = 1 - np.exp(-within / 60.0)
    flow = (
        d["lubricant"] * (1 + rng.normal(0, 0.03, lots)[lot])
        * (1 - 0.34 * at["galling"]) + wander(rng, n, sigma=0.8, memory=12)
    )  # fmt: skip
    coil = rng.normal(0, 0.008, lots)[lot]  # thickness of the coil against nominal
    doubled = at["chipping"] * (0.02 + 0.05 * rng.random(n))
    thickness = d["thickness"] * (1 + coil + doubled + rng.normal(0, 0.0025, n))
    strength = 1 + rng.normal(0, 0.012, lots)[lot]  # of the coil's steel
    height = d["height"] + rng.choice([-0.1, 0.0, 0.0, 0.1], lots)[lot]
    cushion = d["cushion"] + rng.choice([-1.0, 0.0, 0.0, 1.0], lots)[lot]
    die_temperature = (
        ambient + 14.0 * warm_up + 9.0 * at["galling"]
        - 0.12 * (flow - d["lubricant"]) + wander(rng, n, sigma=0.5, memory=30)
    )  # fmt: skip

    # load: area of the cut or draw, friction by lubrication, stiffness by shut height
    friction = 1 - 0.0010 * (flow - d["lubricant"]) + 0.105 * at["galling"]
    load = (
        d["tonnage"] * strength * (thickness / d["thickness"]) ** 1.3 * friction
        * (1 + 0.05 * blunt) * (1 - 0.02 * (height - d["height"]))
        + 4.0 * (cushion - d["cushion"])
    )  # fmt: skip
    load = load * (1 + rng.normal(0, 0.004, n) + 0.012 * at["chipping"])
    side = np.where(rng.random(lots) < 0.5, -1.0, 1.0)[lot]  # where the crack sits
    lean = (
        rng.normal(0.0, 0.004, lots)[lot]
        + wander(rng, n, sigma=0.0025, memory=20)
        + 0.045 * side * at["crack"] ** 1.5
    )
    give = 1 - 0.02 * at["crack"]
    left = load * (0.5 + lean) * give + rng.normal(0, 2.0, n)
    right = load * (0.5 - lean) * give + rng.normal(0, 2.0, n)
    # the sides peak a moment apart, so the sum's peak is a little below the peaks' sum
    peak = (left + right) * (1 - np.abs(rng.normal(0.004, 0.0015, n)))
    angle = (
        d["angle"] + 1.6 * at["galling"] - 2.6 * doubled * 10 - 0.8 * at["crack"]
        + 0.5 * blunt + rng.normal(0, 0.25, n)
    )  # fmt: skip
    bursts = (rng.random(n) < 0.10 + 0.45 * at["crack"]) * rng.exponential(3.5, n)
    emission = (
        58.0 + 0.004 * (load - 1200.0) + 2.0 * blunt + wander(rng, n, sigma=0.9, memory=25)
        + bursts * (0.5 + at["crack"])
        + 3.5 * at["crack"] + 7.5 * at["galling"] + 8.0 * at["chipping"]
        + rng.normal(0, 0.8, n)
    )  # fmt: skip
    gap = (
        0.05
        + 0.5 * np.maximum(0, thickness - d["thickness"])
        + np.abs(rng.normal(0, 0.012, n))
    )

    event = ahead <= WARNING
    serial = np.array([f"P{2606_000 + k + 1}" for k in range(lots)])
    frame = pd.DataFrame(
        {
            "ts": _stamps(rng, lot, d["spm"]),
            "machine_id": "프레스 250톤 1호기",
            "die_id": np.array([x.die for x in DIES])[die],
            "lot_id": serial[lot],
            "product_code": np.array([x.product for x in DIES])[die],
            "stroke_no": np.arange(1_204_001, 1_204_001 + n),
            "spm_set": d["spm"],
            "die_height": height.round(1),
            "cushion_pressure": cushion.round(1),
            "tonnage_left": left.round(1),
            "tonnage_right": right.round(1),
            "peak_tonnage": peak.round(1),
            "peak_angle": angle.round(1),
            "die_temperature": die_temperature.round(1),
            "blank_temperature": (ambient - 0.6 + rng.normal(0, 0.25, n)).round(1),
            "blank_thickness": thickness.round(3),
            "double_blank_gap": gap.round(3),
            "lubricant_flow": flow.round(1),
            "acoustic_emission": emission.round(1),
            "strokes_since_maintenance": since,
            "die_event": np.where(event, "이상", "정상"),
            "data_origin": "simulated",
        }
    )
    truth = pd.DataFrame(
        {
            "stroke_no": frame["stroke_no"],
            "mechanism": mechanism,
            "damage": damage,
            "cause": np.where(event, mechanism, ""),
        }
    )
    return frame, truth


def _damage(
    rng: np.random.Generator, lot: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mechanism, damage (0 to 1 at the event) and strokes until the event, per stroke.

    Paris' law, da/dN = C (dK)^m with dK ~ sqrt(a), grows ever faster; exponents near
    m = 3 give a ~ 1 / (1 - t)^2, here cut to the visible part.
    """
    n = len(lot)
    mechanism = np.full(n, "", dtype=object)
    damage = np.zeros(n)
    ahead = np.full(n, n)
    lots = int(lot.max()) + 1
    hit = rng.permutation(lots)[: max(3, round(EVENT_SHARE * lots))]
    for place, which in enumerate(hit):
        first, last = np.searchsorted(lot, [which, which + 1])
        size = last - first
        growth = int(min(rng.integers(*GROWTH), size * 0.7))
        end = first + int(rng.integers(max(growth + 1, size // 2), size + 1))
        along = (np.arange(growth) + 1) / growth
        name = list(MECHANISMS)[place % len(MECHANISMS)]
        course = (1 / (1.25 - along) ** 2 - 0.64) / (16 - 0.64)
        course = 0.45 * along + 0.55 * course  # visible from early on
        mechanism[end - growth : end] = name
        damage[end - growth : end] = course * rng.uniform(0.9, 1.15)
        before = np.arange(first, end)
        ahead[before] = end - before
    return mechanism, damage, ahead


def _since_maintenance(
    rng: np.random.Generator, lot: np.ndarray, die: np.ndarray, ahead: np.ndarray
) -> np.ndarray:
    """Strokes of the die since its last repair; it starts again after an event.

    Dies also work outside this log, so a lot finds its die some thousands further on.
    """
    counter = rng.integers(3_000, 18_000, len(DIES))
    since = np.zeros(len(lot), dtype=np.int64)
    for which in range(int(lot.max()) + 1):
        first, last = np.searchsorted(lot, [which, which + 1])
        of_die = die[first]
        counter[of_die] += int(rng.integers(800, 4_000))
        ends = np.flatnonzero(ahead[first:last] == 1)
        stop = first + int(ends[0]) + 1 if len(ends) else last
        since[first:stop] = counter[of_die] + np.arange(stop - first)
        since[stop:last] = np.arange(last - stop)
        counter[of_die] = since[last - 1] + 1
    return since


def _stamps(
    rng: np.random.Generator, lot: np.ndarray, spm: np.ndarray
) -> pd.DatetimeIndex:
    """Two lots a day; a stroke every 60/spm seconds, in tenths of a second."""
    lots = int(lot.max()) + 1
    days = working_days(-(-lots // 2))
    begin = np.array(
        [
            days[k // 2] + pd.Timedelta(hours=8.4 + 5.0 * (k % 2) + 0.3 * rng.random())
            for k in range(lots)
        ],
        dtype="datetime64[ms]",
    )
    beat = 60.0 / spm * (1 + np.abs(rng.normal(0, 0.01, len(lot))))
    beat = beat + (rng.random(len(lot)) < 0.004) * rng.uniform(15, 120, len(lot))
    total = np.cumsum(beat)
    elapsed = total - total[np.searchsorted(lot, lot)]
    return pd.DatetimeIndex(begin[lot]).round("100ms") + pd.to_timedelta(
        np.round(elapsed * 10) * 100, unit="ms"
    )
