"""A CNC mill that roughs the same aluminium part with end mills until they are worn.

The logger keeps one workpiece in several: a run is about half a minute of signals at
100 ms, and between two kept runs of a tool many minutes of cutting pass unseen. Flank
wear follows Taylor: the faster and the harder a tool is fed, the sooner it is worn; tools
differ by a fifth. Wear widens the land that rubs on the work, so cutting force, spindle
power and servo load rise, and rise more on the axis that feeds. Feed and clamp pressure
are varied as in the University of Michigan's mill experiment: low clamping lets the part
chatter, which worn tools make worse, and the surface is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.testbed import data_defects
from kamp_lib.testbed.export import write_frame
from kamp_lib.testbed.signals import wander, working_days
from kamp_lib.testbed.simulation import Simulation

PERIOD = 0.1  # s between samples
RUNS_PER_TOOL = 3
WORN = 0.20  # mm of flank wear at which this shop changes the tool
LONGEST = 1.5  # lives after which every tool is out
RATED_POWER = 7.5  # kW of the spindle motor
DIAMETER = 10.0  # mm, four flutes
FLUTES = 4
DEPTH, WIDTH = 6.0, 6.0  # mm, axial and radial
# Step of the programme and its share of the run, chip load and depth relative to nominal.
STEPS = (
    ("Prep", 0.07, 0.0),
    ("Layer 1 Up", 0.15, 1.0),
    ("Layer 1 Down", 0.13, 0.9),
    ("Repositioning", 0.06, 0.0),
    ("Layer 2 Up", 0.15, 1.05),
    ("Layer 2 Down", 0.13, 0.95),
    ("Layer 3 Up", 0.13, 1.0),
    ("Layer 3 Down", 0.11, 0.9),
    ("End", 0.07, 0.0),
)

HEADERS = {
    "ts": "timestamp",
    "process_step": "Machining_Process",
    "spindle_speed_set": "programmed spindle speed",
    "spindle_speed": "actual spindle speed",
    "spindle_load": "spindle load",
    "spindle_current": "spindle motor current",
    "spindle_power": "spindle power",
    "feedrate_set": "programmed feedrate",
    "feedrate": "actual feedrate",
    "servo_load_x": "X load",
    "servo_load_y": "Y load",
    "servo_load_z": "Z load",
    "current_x": "X_CurrentFeedback",
    "current_y": "Y_CurrentFeedback",
    "position_x": "X_ActualPosition",
    "position_y": "Y_ActualPosition",
    "position_z": "Z_ActualPosition",
    "position_error": "position error",
    "data_origin": "data_origin",
}
LABEL_HEADERS = {
    "run_id": "가공번호",
    "tool_id": "공구번호",
    "workpiece_material": "소재",
    "clamp_pressure": "클램프압력",
    "tool_use_time": "공구사용시간",
    "tool_worn": "공구상태",
    "visual_pass": "외관검사",
}


@dataclass(frozen=True)
class _Run:
    """One kept workpiece: its tool, settings and state."""

    tool: int
    speed: float  # 1/min
    feed: float  # mm/min
    clamp: float  # bar
    used: float  # min the tool has cut before
    wear: float  # mm
    start: pd.Timestamp
    samples: int


def simulate_cnc(
    to: Path, seed: int, cases: int, defects: tuple[str, ...]
) -> Simulation:
    """Write one CSV per run into a folder, and the labels into a file beside it."""
    rng = np.random.default_rng(seed)
    samples, labels, truth = runs(rng, cases)
    table = data_defects.Table(
        samples,
        {"run_id": "run_id", **HEADERS},
        target="tool_worn",
        bad="worn",
        good="unworn",
        swap=("spindle_speed", "spindle_load"),
        sentinel=("spindle_load", -999.0),
        dead="servo_load_z",
        derived=("current_y", "current_x"),
    )
    of_labels = {"single-class-label", "label-in-disguise"}
    data_defects.apply(table, set(defects) - of_labels, rng)
    samples = table.frame
    if "single-class-label" in defects:
        labels["tool_worn"] = "worn"
    headers = dict(LABEL_HEADERS)
    if "label-in-disguise" in defects:
        # what was done with the tool afterwards tells how it was judged
        tip = labels["tool_worn"].map({"worn": "교체", "unworn": "계속"})
        labels.insert(len(labels.columns) - 2, "after", tip)
        headers["after"] = "공구조치"
    if "copied-runs" in defects:
        samples, labels = _with_copies(samples, labels)
    folder = to / "runs"
    folder.mkdir(exist_ok=True)
    for earlier in folder.glob("run_*.csv"):  # of a longer simulation in this place
        earlier.unlink()
    for run, part in samples.groupby("run_id", sort=True):
        part = part.drop(columns="run_id")
        part["ts"] = part["ts"].dt.strftime("%Y-%m-%d %H:%M:%S.%f").str[:-3]
        header = [HEADERS[c] for c in part.columns]
        write_frame(part, header, folder / f"run_{run}.csv", encoding="utf-8")
    path = write_frame(
        labels,
        [headers[c] for c in labels.columns],
        to / "가공이력.csv",
        encoding="utf-8-sig",
    )
    return Simulation(
        model="cnc-machining-quality",
        equipment="cnc-machine",
        dataset="cnc",
        files=[folder],
        labels=path,
        on=LABEL_HEADERS["run_id"],
        truth=truth,
        defects=defects,
    )


def runs(
    rng: np.random.Generator, n: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """`n` runs: the samples, one label row per run, and the true state of the tool.

    Returns
    -------
    samples : DataFrame
        Units of the catalogue: 1/min, %, A, kW, mm/min, mm.
    labels : DataFrame
        `run_id`, `tool_id`, clamp pressure (bar), use time (min), both judgements.
    truth : DataFrame
        `run_id`, `flank_wear` (mm), `cause` of a worn or rejected run.
    """
    plan = _plan(rng, n)
    width = max(2, len(str(n)))
    frames, labels, truth = [], [], []
    for number, run in enumerate(plan, start=1):
        name = f"{number:0{width}d}"
        chatter = max(0.0, 3.2 - run.clamp) * 0.5 + 2.2 * max(0.0, run.wear - 0.12)
        frames.append(_signals(rng, run, chatter).assign(run_id=name))
        # the microscope reads wear to about 0.01 mm
        worn = run.wear + rng.normal(0, 0.008) > WORN
        rough = chatter + 0.5 * (run.feed / 600 - 1) + rng.normal(0, 0.12)
        rejected = rough > 0.62
        labels.append(
            {
                "run_id": name,
                "tool_id": f"T{run.tool + 1:02d}",
                "workpiece_material": "AL6061",
                "clamp_pressure": run.clamp,
                "tool_use_time": round(run.used, 1),
                "tool_worn": "worn" if worn else "unworn",
                "visual_pass": "no" if rejected else "yes",
            }
        )
        cause = "flank-wear" if worn else "low-clamping" if rejected else ""
        truth.append({"run_id": name, "flank_wear": run.wear, "cause": cause})
    samples = pd.concat(frames, ignore_index=True)
    samples.insert(0, "run_id", samples.pop("run_id"))
    return samples, pd.DataFrame(labels), pd.DataFrame(truth)


def tool_life(speed: float, feed: float) -> float:
    """Minutes in cut until a mean tool is worn.

    Parameters
    ----------
    speed, feed : float
        Spindle speed, 1/min, and feed, mm/min. Taylor's exponents for coated carbide in
        aluminium are 1/n = 2.5 for cutting speed and about 1.2 for feed per tooth.

    References
    ----------
    F. W. Taylor, On the art of cutting metals, Trans. ASME 28 (1907).
    """
    cutting = (speed / 4000.0) ** 2.5
    chip = ((feed / speed) / (600.0 / 4000.0)) ** 1.2
    return 60.0 / (cutting * chip)


def flank_wear(used: float) -> float:
    """Flank wear in mm after a share `used` of the tool's life: run-in, steady, steep."""
    return float(0.045 * (1 - np.exp(-8 * used)) + 0.125 * used + 0.03 * used**4)


def _plan(rng: np.random.Generator, n: int) -> list[_Run]:
    """Tools one after the other, each kept young, in the middle and old."""
    tools = -(-n // RUNS_PER_TOOL)
    quality = rng.normal(1.0, 0.12, tools).clip(0.7, 1.3)  # life of this very tool
    days = working_days(-(-tools // 2))
    plan = []
    minutes = spent = 0.0
    for number in range(n):
        tool, age = divmod(number, RUNS_PER_TOOL)
        speed = float(rng.choice([3600.0, 4000.0, 4400.0]))
        feed = float(rng.choice([420.0, 500.0, 600.0, 720.0]))
        if age == 0:
            minutes = spent = 0.0
        # share of a mean life cut since the tool's run before; far beyond its end no
        # shop would go
        share = float(rng.uniform(*((0.05, 0.45), (0.55, 0.95), (0.2, 0.55))[age]))
        share = min(share, max(0.02, (LONGEST - spent) * quality[tool]))
        minutes += share * tool_life(speed, feed)
        spent += share / quality[tool]
        start = days[tool // 2] + pd.Timedelta(
            hours=8.5 + 4.5 * (tool % 2) + 1.3 * age + 0.4 * rng.random()
        )
        plan.append(
            _Run(
                tool=tool,
                speed=speed,
                feed=feed,
                clamp=float(rng.choice([2.5, 3.0, 4.0], p=[0.25, 0.35, 0.4])),
                used=minutes,
                wear=flank_wear(spent),
                start=start.round("100ms"),
                samples=round(300 * np.sqrt(600.0 / feed) * rng.uniform(0.95, 1.05)),
            )
        )
    return plan


def _signals(rng: np.random.Generator, run: _Run, chatter: float) -> pd.DataFrame:
    """The samples of one run."""
    n = run.samples
    edges = np.round(np.cumsum([share for _, share, _ in STEPS]) * n).astype(int)
    step = np.minimum(
        np.searchsorted(edges, np.arange(n), side="right"), len(STEPS) - 1
    )
    depth = np.array([d for _, _, d in STEPS])[step]
    # the tool enters and leaves gently
    depth = np.convolve(np.pad(depth, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    cutting = depth > 0.05
    x, y, z, pace = _path(n, step, depth)

    feed = np.where(cutting, run.feed, 2200.0) * (0.15 + 0.85 * pace)
    feed = feed * (1 + rng.normal(0, 0.006, n))
    hardness = 1 + wander(rng, n, sigma=0.02, memory=60) + rng.normal(0, 0.05)
    chip = run.feed / run.speed / FLUTES  # mm per tooth
    # specific cutting force falls with chip thickness; the worn land adds rubbing
    shear = 780.0 * (chip / 0.0375) ** -0.22
    land = 1 + 3.4 * run.wear + 2.5 * max(0.0, run.wear - 0.15)
    # mean chip area: removal rate over cutting speed
    area = DEPTH * WIDTH * run.feed / (np.pi * DIAMETER * run.speed)  # mm2
    force = (shear * area * land * hardness + 60.0 * run.wear) * depth  # N
    force = force * (1 + 0.10 * chatter * rng.normal(size=n))
    power_cut = np.maximum(force, 0) * np.pi * DIAMETER * run.speed / 60e6  # kW
    idle = 0.31 + 0.06 * (run.speed / 4000.0) ** 2 + rng.normal(0, 0.015)
    power = idle + power_cut / 0.82 + rng.normal(0, 0.010, n)
    slip = 35.0 * power_cut + 4.0 * chatter * rng.normal(size=n)
    speed = run.speed - slip + wander(rng, n, sigma=2.5, memory=5)

    # feed force: larger share of it is wear, because the land rubs against the work
    push = force * (0.42 + 0.9 * run.wear)
    vx = np.gradient(x) / PERIOD
    vy = np.gradient(y) / PERIOD
    vz = np.gradient(z) / PERIOD
    along_x = np.abs(vx) / (np.abs(vx) + np.abs(vy) + 1e-6)
    load_x = 9.0 + 0.10 * np.abs(vx) + 0.16 * push * (0.4 + 0.6 * along_x)
    load_y = 11.0 + 0.10 * np.abs(vy) + 0.16 * push * (1.0 - 0.6 * along_x)
    load_z = 17.0 + 0.16 * np.abs(vz) + 0.05 * push
    noise = 0.5 + 0.8 * chatter * depth
    load_x = load_x + noise * rng.normal(size=n)
    load_y = load_y + noise * rng.normal(size=n)
    load_z = load_z + 0.5 * noise * rng.normal(size=n)
    current_x = 0.16 * load_x * np.sign(vx + 1e-9) + rng.normal(0, 0.15, n)
    current_y = 0.15 * load_y * np.sign(vy + 1e-9) + rng.normal(0, 0.15, n)
    spindle_current = 2.1 + 3.6 * power + rng.normal(0, 0.07, n)
    error = (
        0.004 + 2.2e-6 * feed + 9e-5 * push * (4.0 / run.clamp) ** 0.5
        + np.abs(rng.normal(0, 0.0012 + 0.003 * chatter, n))
    )  # fmt: skip

    return pd.DataFrame(
        {
            "ts": run.start + pd.to_timedelta(np.arange(n) * 100, unit="ms"),
            "process_step": np.array([name for name, _, _ in STEPS])[step],
            "spindle_speed_set": run.speed,
            "spindle_speed": speed.round(1),
            "spindle_load": (100 * power / RATED_POWER + rng.normal(0, 0.25, n))
            .clip(0)
            .round(2),
            "spindle_current": spindle_current.round(3),
            "spindle_power": power.round(4),
            "feedrate_set": run.feed,
            "feedrate": feed.round(1),
            "servo_load_x": load_x.clip(0).round(2),
            "servo_load_y": load_y.clip(0).round(2),
            "servo_load_z": load_z.clip(0).round(2),
            "current_x": current_x.round(3),
            "current_y": current_y.round(3),
            # the scale reads the following error and its own noise
            "position_x": (x + rng.normal(0, 0.004, n)).round(4),
            "position_y": (y + rng.normal(0, 0.004, n)).round(4),
            "position_z": (z + rng.normal(0, 0.004, n)).round(4),
            "position_error": error.clip(0, 1).round(4),
            "data_origin": "simulated",
        }
    )


def _path(
    n: int, step: np.ndarray, depth: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """An S-shaped path up and down in three layers; the pace slows in the bends."""
    first = np.searchsorted(step, step)
    size = np.bincount(step, minlength=len(STEPS))[step]
    along = (np.arange(n) - first) / np.maximum(1, size - 1)
    names = np.array([name for name, _, _ in STEPS])[step]
    down = np.char.endswith(names, "Down")
    cut = np.char.startswith(names, "Layer")
    place = np.where(down, 1 - along, along)
    x = np.where(cut, 150.0 + 22.0 * np.sin(2 * np.pi * place), 150.0)
    y = np.where(cut, 80.0 + 70.0 * place, 80.0 + 70.0 * np.clip(1 - along, 0, 1))
    layer = np.where(
        cut, np.char.partition(np.char.replace(names, "Layer ", ""), " ")[:, 0], "0"
    )
    z = 30.0 - 1.4 * layer.astype(int) + np.where(cut, 0.0, 12.0)
    smooth = np.ones(9) / 9
    x, y, z = (
        np.convolve(np.pad(axis, 4, mode="edge"), smooth, mode="valid")
        for axis in (x, y, z)
    )
    bend = np.abs(np.cos(2 * np.pi * place))
    pace = np.where(depth > 0.05, 0.72 + 0.28 * bend, 0.9)
    return x, y, z, pace


def _with_copies(
    samples: pd.DataFrame, labels: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two virtual runs: a copy under the opposite label, and one with altered columns."""
    last = len(labels)
    width = len(labels["run_id"].iloc[0])
    other = {"worn": "unworn", "unworn": "worn"}
    for offset, place in enumerate((1, last // 2), start=1):
        source = labels.iloc[place]
        name = f"{last + offset:0{width}d}"
        copy = samples[samples["run_id"] == source["run_id"]].assign(run_id=name)
        copy["ts"] = copy["ts"] + pd.Timedelta(days=3)
        if offset == 2:
            copy["spindle_power"] = (copy["spindle_power"] * 1.07).round(4)
            copy["spindle_load"] = (copy["spindle_load"] * 1.07).round(2)
        row = source.to_frame().T.assign(
            run_id=name, tool_worn=other[str(source["tool_worn"])]
        )
        samples = pd.concat([samples, copy], ignore_index=True)
        labels = pd.concat([labels, row], ignore_index=True)
    return samples, labels
