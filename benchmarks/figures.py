"""Figures of a benchmark, the file that holds them, and the table that people read.

Less is better in every figure. `ratio` is ours / stock, as the median of the rounds' own
ratios: what the machine did in a round is in both.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import psutil

SCHEMA = 1
# Others busier than this many processors: the file and the page say so.
QUIET = 0.2


@dataclass(frozen=True)
class Aim:
    """The most that a figure may be: of `ours`, or of the `ratio` ours / stock."""

    of: Literal["ours", "ratio"]
    at_most: float


@dataclass(frozen=True)
class Figure:
    """One thing measured, once per round: ours, and stock's in the same rounds."""

    name: str
    unit: str
    ours: Sequence[float]
    stock: Sequence[float] = ()
    aim: Aim | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.ours:
            raise ValueError(f"nothing was measured: {self.name}")
        if self.aim is not None and self.aim.of == "ratio" and not self.stock:
            raise ValueError(f"no stock figure to hold it against: {self.name}")

    @property
    def ratios(self) -> list[float]:
        """Ours / stock of each round; of the medians when the rounds do not match."""
        if not self.stock:
            return []
        if len(self.ours) != len(self.stock):
            return [statistics.median(self.ours) / statistics.median(self.stock)]
        return [a / b for a, b in zip(self.ours, self.stock, strict=True)]

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios."""
        return statistics.median(self.ratios) if self.stock else None

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached by the median; None without an aim."""
        if self.aim is None:
            return None
        found = self.ratio if self.aim.of == "ratio" else statistics.median(self.ours)
        return found is not None and found <= self.aim.at_most

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "ours": [float(f"{value:.6g}") for value in self.ours],
            "stock": [float(f"{value:.6g}") for value in self.stock],
            "ratio": None if self.ratio is None else float(f"{self.ratio:.4g}"),
            "reached": self.reached,
        }

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Figure:
        aim = Aim(**told["aim"]) if told["aim"] else None
        plain = {key: told[key] for key in ("name", "unit", "ours", "stock", "note")}
        return cls(**plain, aim=aim)


@dataclass(frozen=True)
class Results:
    """What a file of results holds."""

    benchmark: str
    at: str
    quick: bool
    rounds: int
    machine: dict[str, Any]
    versions: dict[str, str]
    load: dict[str, dict[str, float]]
    figures: list[Figure]
    schema: int = SCHEMA

    @property
    def busy(self) -> bool:
        """Whether others computed while this was measured."""
        return max(moment["others"] for moment in self.load.values()) > QUIET

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        told = {**vars(self), "figures": [f.to_json() for f in self.figures]}
        partial.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        partial.rename(path)

    @classmethod
    def read(cls, path: Path) -> Results:
        told = json.loads(path.read_text())
        if not isinstance(told, dict) or told.get("schema") != SCHEMA:
            raise ValueError(f"{path} is no file of results (schema {SCHEMA})")
        return cls(**{**told, "figures": [Figure.of_json(f) for f in told["figures"]]})


def machine() -> dict[str, Any]:
    """What it was measured on; nothing that names the machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")]
    return {
        "processors": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    return {name: version(name) for name in sorted(set(packages))}


def spread(values: Sequence[float], digits: int | None = None) -> str:
    """Median, and the least and the most: `0.41 (0.38–0.52)`."""
    middle = statistics.median(values)
    if digits is None:
        digits = (
            0 if middle >= 100 else 1 if middle >= 10 else 2 if middle >= 0.1 else 3
        )
    low, high = min(values), max(values)
    whole = f"{middle:,.{digits}f}"
    return (
        whole if len(values) == 1 else f"{whole} ({low:,.{digits}f}–{high:,.{digits}f})"
    )


def row(figure: Figure) -> str:
    """A figure as a line of a Markdown table."""
    stock = spread(figure.stock) if figure.stock else "–"
    ratio = spread(figure.ratios, 2) if figure.stock else "–"
    aim = "–"
    if figure.aim is not None:
        what = "" if figure.aim.of == "ours" else "× "
        mark = "reached" if figure.reached else "**missed**"
        aim = f"≤ {what}{float(f'{figure.aim.at_most:.3g}'):,g}: {mark}"
    note = f" ({figure.note})" if figure.note else ""
    name = f"{figure.name}, {figure.unit}{note}"
    return f"| {name} | {spread(figure.ours)} | {stock} | {ratio} | {aim} |"


def table(results: Results) -> str:
    """The whole as Markdown, with what it was measured on."""
    before, after = results.load["before"], results.load["after"]
    noise = f"load of others {before['others']:.1f} before, {after['others']:.1f} after"
    if results.busy:
        noise = f"**others computed meanwhile** ({noise}): read the ratios"
    where = results.machine
    head = [
        "| figure | ours: median (min–max) | stock: median (min–max) | ours / stock | aim |",
        "|---|---|---|---|---|",
    ]
    foot = (
        f"{results.rounds} {'quick ' if results.quick else ''}rounds, {results.at[:10]}; "
        f"{where['processors']} × {where['processor']}, "
        f"{where['memory_mb'] / 1024:.0f} GB, Python {where['python']}; {noise}."
    )
    return "\n".join([*head, *map(row, results.figures), "", foot])
