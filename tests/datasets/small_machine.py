"""A small machine with a few columns, and frames of it, for the tests of the door."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kamp_lib.catalog import Column, Equipment, RecordKind
from kamp_lib.datasets import checks
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text


def column(name: str, ko: str, **rest: Any) -> Column:
    rest.setdefault("role", "sensor")
    return Column(name=name, ko=ko, en=name.replace("_", " "), **rest)


MACHINE = Equipment(
    id="small",
    ko="작은 설비",
    en="small machine",
    description=Text("시험용", "for tests"),
    record_kinds=(
        RecordKind(id="shot", ko="샷", en="shot"),
        RecordKind(id="sample", ko="샘플", en="sample"),
    ),
    columns=(
        column("ts", "시각", kind="time", role="time", synonyms=("timestamp",)),
        column("machine_id", "설비 번호", kind="text", role="id"),
        column("run_id", "회차", kind="text", role="id", record_kinds=("sample",)),
        column("shot_no", "샷 번호", role="id", record_kinds=("shot",)),
        column("filling_time", "충전 시간", unit="s", min=0.1, max=40, record_kinds=("shot",)),
        column("cycle_time", "사이클 시간", unit="s", min=41, max=300,
               synonyms=("사이클타임",), record_kinds=("shot",)),
        column("injection_pressure", "사출 압력", unit="MPa", min=50, max=300,
               record_kinds=("shot",)),
        column("back_pressure", "배압", unit="MPa", min=0, max=40, record_kinds=("shot",)),
        column("barrel_temperature", "배럴 온도", unit="Cel", min=100, max=400),
        column("mould_temperature", "금형 온도", unit="Cel", min=5, max=95),
        column("spindle_current", "주축 전류", unit="A", min=-80, max=80,
               record_kinds=("sample",)),
        column("verdict", "양불", kind="flag", role="target",
               good=("y", "0"), bad=("n", "1")),
    ),
)  # fmt: skip


def shots(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Clean shots of one machine: nothing is wrong with them."""
    rng = np.random.default_rng(seed)
    heat = rng.normal(size=n)
    return pd.DataFrame(
        {
            "_file": "a.csv",
            "_row": np.arange(2, n + 2),
            "ts": pd.date_range("2026-01-05 08:00", periods=n, freq="60s"),
            "machine_id": pd.array(["M1"] * n, dtype="string"),
            "shot_no": np.arange(1, n + 1),
            "filling_time": (4.5 + 0.05 * rng.normal(size=n)).round(3),
            "cycle_time": (59.5 + 0.3 * rng.normal(size=n)).round(2),
            "injection_pressure": (140 + 2 * heat + rng.normal(size=n)).round(1),
            "back_pressure": (17 + 0.5 * rng.normal(size=n)).round(1),
            "barrel_temperature": (230 + 1.5 * heat).round(1),
            "mould_temperature": (55 + rng.normal(size=n)).round(1),
            "verdict": pd.array(np.where(rng.random(n) < 0.05, "N", "Y"), "string"),
        }
    )


def samples(runs: int = 6, n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Clean samples of several runs, each judged as a whole."""
    rng = np.random.default_rng(seed)
    size = runs * n
    return pd.DataFrame(
        {
            "_file": np.repeat([f"run{r:02d}.csv" for r in range(runs)], n),
            "_row": np.tile(np.arange(2, n + 2), runs),
            "run_id": pd.array(
                np.repeat([f"{r:02d}" for r in range(runs)], n), "string"
            ),
            "spindle_current": (20 + 3 * rng.normal(size=size)).round(2),
            "barrel_temperature": (200 + 2 * rng.normal(size=size)).round(2),
            "mould_temperature": (50 + 2 * rng.normal(size=size)).round(2),
            "vibration": rng.normal(size=size).round(4),
            "verdict": pd.array(np.repeat(["Y", "N"] * (runs // 2), n), "string"),
        }
    )


def check(frame: pd.DataFrame, kind: str = "shot") -> list[Finding]:
    return checks.check(frame, MACHINE, kind)


def found(frame: pd.DataFrame, code: str, kind: str = "shot") -> list[Finding]:
    """The findings of one code."""
    return [f for f in check(frame, kind) if f.code == code]
