"""What all benchmarks share: alternating rounds, figures, the machine, one file of results.

A benchmark is a script of this folder that takes `--rounds`, `--quick` and `--to`, and
writes one file; `bench.py` runs them all. It is written like this:

    from measure import Aim, Figure, Session, alternate, options, seconds

    chosen = options(__doc__, rounds=5).parse_args()   # add arguments of your own before
    with Session("pages", chosen, packages=("voila",)) as session:
        # each way once per round, the order turned round every time
        taken = alternate({"ours": open_ours, "stock": open_stock}, chosen.rounds)
        session.add(Figure("page complete", "s", taken["ours"], taken["stock"],
                           aim=Aim("ratio", 1 / 6)))
        session.add(Figure("first bytes", "s", first, aim=Aim("ours", 0.150)))

- Less is better in every figure (seconds, MB); `ratio` is ours / stock (`figures.py`).
- `seconds(f)` turns a function into one that returns the seconds it took;
  `run(command, env)` is the seconds of a command that has to succeed; `child(script, …)`
  runs Python in a process of its own, which prints a JSON object as its last line.
- `Session` writes `results/<name>.json` (quick ones `results/quick/`, which is not kept)
  when the block ends without an error, and prints the table.
- What others computed meanwhile stands in the file (`load`): `others` is how many
  processors were busy in a second in which the benchmark itself did nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import psutil
from figures import Aim, Figure, Results, machine, row, table, versions

__all__ = [
    "Aim",
    "Figure",
    "Session",
    "alternate",
    "child",
    "options",
    "run",
    "seconds",
]

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("kamp-workbench", "jupyterhub", "jupyter_server", "jupyterlab", "ipykernel")

T = TypeVar("T")


@dataclass
class Session:
    """One run of one benchmark: collects figures, writes them when it ends well."""

    name: str
    chosen: argparse.Namespace
    packages: Sequence[str] = ()
    figures: list[Figure] = field(default_factory=list)
    _load: dict[str, dict[str, float]] = field(default_factory=dict)

    def __enter__(self) -> Session:
        self._load["before"] = load()
        return self

    def add(self, *figures: Figure) -> None:
        """Keep figures, and show them at once: a benchmark may take long."""
        for figure in figures:
            self.figures.append(figure)
            print(row(figure), file=sys.stderr, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            return
        self._load["after"] = load()
        results = Results(
            benchmark=self.name,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            quick=self.chosen.quick,
            rounds=self.chosen.rounds,
            machine=machine(),
            versions=versions((*PACKAGES, *self.packages)),
            load=self._load,
            figures=self.figures,
        )
        folder = RESULTS / "quick" if self.chosen.quick else RESULTS
        results.write(self.chosen.to or folder / f"{self.name}.json")
        print(table(results))


def options(doc: str | None, *, rounds: int, quick_rounds: int = 2) -> _Options:
    """A parser with what every benchmark takes; `--quick` means fewer rounds, and small.

    Parameters
    ----------
    rounds, quick_rounds : int
        How often everything is measured, unless `--rounds` says otherwise.
    """
    parser = _Options(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.usual = rounds, quick_rounds
    parser.add_argument("--rounds", type=int, help=f"{rounds}, or {quick_rounds} quick")
    parser.add_argument(
        "--quick", action="store_true", help="small, to see that it works"
    )
    parser.add_argument("--to", type=Path, help="the file of results to write")
    return parser


class _Options(argparse.ArgumentParser):
    """Fills in the rounds once it is known whether it has to be quick."""

    usual = (1, 1)

    def parse_args(self, *given: Any, **more: Any) -> argparse.Namespace:  # type: ignore[override]
        chosen = super().parse_args(*given, **more)
        if chosen.rounds is None:
            chosen.rounds = self.usual[chosen.quick]
        if chosen.rounds < 1:
            self.error("--rounds: at least one")
        return chosen


def alternate(
    ways: Mapping[str, Callable[[], T]], rounds: int, *, warm_up: int = 0
) -> dict[str, list[T]]:
    """Do each once per round, in turned order every other round; what they returned.

    Parameters
    ----------
    warm_up : int
        Rounds before the first one that counts: they fill caches.
    """
    found: dict[str, list[T]] = {way: [] for way in ways}
    for number in range(-warm_up, rounds):
        order = list(ways.items())
        for way, measure in order if number % 2 == 0 else reversed(order):
            value = measure()
            if number >= 0:
                found[way].append(value)
    return found


def seconds(deed: Callable[..., object], *arguments: Any) -> Callable[[], float]:
    """The deed as something that can be alternated: it returns the seconds it takes."""

    def measured() -> float:
        began = time.perf_counter()
        deed(*arguments)
        return time.perf_counter() - began

    return measured


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> float:
    """The seconds of a command; the benchmark ends when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(command)}\n{done.stderr[-3000:]}")
    return taken


def child(script: str, *arguments: object) -> dict[str, Any]:
    """What a Python script in a process of its own tells: JSON on its last line."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def load() -> dict[str, float]:
    """How busy the machine is, while this process looks on for a second."""
    busy = psutil.cpu_percent(interval=1) / 100 * (os.cpu_count() or 1)
    return {"average": round(os.getloadavg()[0], 2), "others": round(busy, 2)}
