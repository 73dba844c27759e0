"""Samples of a run -> one row per run: what the machine felt while it was cutting.

A run has one label, so a run is one case, however many samples it holds. Means, spread
and peaks of the signals while cutting, the same for load signals in each process step,
errors between commanded and actual values, and power per feed and per distance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from kamp_lib.text import Text

# Names of columns that tell which run it is, or how far the run is, not how it cuts.
# The first measured runs of a programme are then "explained" by the programme's number.
IDENTIFYING = re.compile(
    r"program|sequence|(^|_)seq(_|$)|(line|block|row|sample|record)_?(no|num|nr|id|index)|"
    r"(^|_)index(_|$)|elapsed|timestamp|순번|프로그램",
    re.IGNORECASE,
)
# Process steps in which nothing is cut.
IDLE_STEPS = re.compile(
    r"prep|start|^end|idle|reposition|rapid|tool.?change|warm|준비|종료|대기|이송|교환",
    re.IGNORECASE,
)
LOAD = re.compile(r"load|current|power|torque|force|vibration", re.IGNORECASE)
PLACE = re.compile(r"position(?!.*error)", re.IGNORECASE)

STATISTICS = {
    "mean": Text("평균", "mean"),
    "spread": Text("흔들림(표준편차)", "spread"),
    "peak": Text("최고치(상위 5 %)", "peak (top 5 %)"),
}
CUTTING = Text("가공 중", "while cutting")


@dataclass(frozen=True)
class Feature:
    """One column of the run table: what it is made of, in words."""

    name: str
    label: Text
    unit: str
    source: str
    setpoint: bool = False


@dataclass
class RunTable:
    """One row per run (index: run), and what its columns mean."""

    frame: pd.DataFrame
    features: list[Feature]

    def feature(self, name: str) -> Feature:
        return next(f for f in self.features if f.name == name)

    def without_places(self) -> RunTable:
        """Without absolute positions: they tell the fixture, not the tool."""
        kept = [f for f in self.features if f.setpoint or not PLACE.search(f.source)]
        return RunTable(self.frame[[f.name for f in kept]], kept)


def identifying(
    rows: pd.DataFrame, run: pd.Series, columns: Sequence[str]
) -> list[str]:
    """Columns that name the run or count its samples, so they must not be inputs.

    By name (programme number, sequence number, row counters), or by behaviour: one
    value per run and another one in every run, or a step up by one with every sample.
    """
    found = []
    runs = run.nunique()
    for column in columns:
        values = rows[column]
        if IDENTIFYING.search(column):
            found.append(column)
            continue
        per_run = values.groupby(run)
        constant = (per_run.nunique() <= 1).all()
        names_run = constant and runs >= 8 and values.nunique() == runs
        steps = per_run.diff().dropna()
        counts = len(steps) > 0 and (steps == 1).all()
        if names_run or counts:
            found.append(column)
    return found


def command_errors(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """|commanded - actual| for every pair of columns whose names say they are a pair."""
    lower = {c.lower(): c for c in columns}
    errors = {}
    for name, column in lower.items():
        if "actual" not in name:
            continue
        for word in ("set", "command", "commanded"):
            commanded = lower.get(name.replace("actual", word))
            if commanded is not None:
                base = re.sub("actual", "", column, flags=re.IGNORECASE)
                errors[f"{base}_error"] = (rows[commanded] - rows[column]).abs()
    return pd.DataFrame(errors, index=rows.index)


def power_per_feed(rows: pd.DataFrame) -> pd.Series | None:
    """Spindle power per feed speed, in W per mm/min; None without both columns."""
    if not {"spindle_power", "feedrate"} <= set(rows.columns):
        return None
    feed = rows["feedrate"].abs()
    moving = feed >= 0.05 * feed.quantile(0.95)
    return (rows["spindle_power"].abs() * 1000 / feed.clip(lower=1e-6)).where(moving)


def cutting(step: pd.Series | None, index: pd.Index) -> pd.Series:
    """Which samples are cutting; all of them when the steps do not say."""
    if step is None:
        return pd.Series(True, index=index)
    active = ~step.fillna("").astype(str).str.strip().str.contains(IDLE_STEPS)
    return active if active.any() else pd.Series(True, index=index)


def run_table(
    rows: pd.DataFrame,
    run: pd.Series,
    signals: Sequence[str],
    labels: dict[str, Text],
    units: dict[str, str],
    step: pd.Series | None = None,
    setpoints: Sequence[str] = (),
) -> RunTable:
    """Describe every run in one row.

    Parameters
    ----------
    rows : DataFrame
        Samples in order of time.
    run, step : Series
        Run and process step of each sample.
    signals, setpoints : sequence of str
        Measured columns, and columns that people set (one value per run).
    labels, units : dict
        Names and units of the columns, for people.
    """
    frames: list[pd.DataFrame] = []
    features: list[Feature] = []
    signals = [s for s in signals if s not in setpoints]

    def add(frame: pd.DataFrame, made: list[Feature]) -> None:
        frames.append(frame.set_axis([f.name for f in made], axis=1))
        features.extend(made)

    values = rows[signals].astype(float)
    errors = command_errors(rows, signals)
    labels = dict(labels)
    for name in map(str, errors):
        labels[name] = Text(f"{name} (지령−실측 차이)", f"{name} (commanded − actual)")
    values = pd.concat([values, errors], axis=1)
    ratio = power_per_feed(rows)
    if ratio is not None:
        labels["power_per_feed"] = Text("이송당 스핀들 동력", "spindle power per feed")
        units = {**units, "power_per_feed": "W/(mm/min)"}
        values = values.assign(power_per_feed=ratio)

    columns = [str(c) for c in values]
    active = cutting(step, rows.index)
    in_cut = values[active].groupby(run[active])
    whole = {
        "mean": in_cut.mean(),
        "spread": in_cut.std(),
        "peak": in_cut.quantile(0.95),
    }
    for statistic, frame in whole.items():
        add(frame, [_feature(c, statistic, CUTTING, labels, units) for c in columns])

    if step is not None:
        loads = [c for c in columns if LOAD.search(c)]
        tidy = step.astype("string").str.strip().str.lower()
        present = run.groupby(tidy).nunique()
        for name in map(str, present.index[present >= 0.9 * run.nunique()]):
            at = tidy == name
            part = values.loc[at, loads].groupby(run[at]).mean()
            where = Text(f"'{name}' 공정", f"step '{name}'")
            add(part, [_feature(c, "mean", where, labels, units, name) for c in loads])

    chosen = [c for c in setpoints if c in rows]
    if chosen:
        made = [Feature(c, labels[c], units.get(c, ""), c, True) for c in chosen]
        add(rows[chosen].astype(float).groupby(run).median(), made)

    order = pd.Index(pd.unique(run))
    table = pd.concat([f.reindex(order) for f in frames], axis=1)
    alive = [f for f in features if table[f.name].nunique() > 1]
    return RunTable(table[[f.name for f in alive]], alive)


def _feature(
    column: str,
    statistic: str,
    where: Text,
    labels: dict[str, Text],
    units: dict[str, str],
    step: str | None = None,
) -> Feature:
    """The words of one statistic of one signal."""
    label = labels.get(column, Text(column, column))
    words = STATISTICS[statistic]
    # a step may itself be called "cutting"
    phase = "step_" + re.sub(r"[^0-9a-z가-힣]+", "_", step) if step else "cutting"
    return Feature(
        name=f"{column}__{phase}_{statistic}",
        label=Text(
            f"{label.ko} {words.ko}, {where.ko}", f"{label.en} {words.en}, {where.en}"
        ),
        unit=units.get(column, ""),
        source=column,
    )
