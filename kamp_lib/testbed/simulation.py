"""One simulated machine: the files it would have exported, and the truth behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kamp_lib.catalog import standard_model
from kamp_lib.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Simulation:
    """What a simulator wrote, and what only the simulator can know.

    Attributes
    ----------
    files
        What to give to ingest: files, or one folder.
    labels, on
        The file that holds labels apart, and its column that names run or picture.
    truth
        The true cause per case. Ingest never sees it: it is written nowhere.
    """

    model: str
    equipment: str
    dataset: str
    files: list[Path]
    truth: pd.DataFrame
    labels: Path | None = None
    on: str | None = None
    defects: tuple[str, ...] = field(default=())


# What a simulator is asked for: folder, seed, number of cases, data defects.
Simulator = Callable[[Path, int, int, tuple[str, ...]], Simulation]


@dataclass(frozen=True)
class _Bench:
    """A simulator on the test bed: its sizes and the data defects it can make."""

    simulator: Callable[[], Simulator]
    sizes: dict[str, int]
    fewest: int
    most: int
    defects: tuple[str, ...]


def _injection() -> Simulator:
    from kamp_lib.testbed.injection import simulate_injection

    return simulate_injection


def _cnc() -> Simulator:
    from kamp_lib.testbed.cnc import simulate_cnc

    return simulate_cnc


def _press() -> Simulator:
    from kamp_lib.testbed.press import simulate_press

    return simulate_press


def _vision() -> Simulator:
    from kamp_lib.testbed.vision import simulate_vision

    return simulate_vision


_OF_TABLES = (
    "shifted-columns",
    "swapped-columns",
    "sentinel-value",
    "dead-column",
    "duplicate-rows",
    "contradicting-twins",
    "label-in-disguise",
    "single-class-label",
    "duplicate-timestamps",
    "coarse-timestamps",
    "unordered-timestamps",
    "implausible-dates",
    "already-standardised",
    "derived-column",
    "repeated-header",
    "totals-row",
    "frozen-sensor",
    "saturation",
    "quantisation-change",
    "unit-change",
    "category-variants",
    "personal-data",
)
_OF_RUNS = (
    "copied-runs",
    "swapped-columns",
    "sentinel-value",
    "dead-column",
    "label-in-disguise",
    "single-class-label",
    "coarse-timestamps",
    "unordered-timestamps",
    "already-standardised",
    "derived-column",
)
_OF_IMAGES = ("mixed-image-modes", "near-duplicate-images", "single-class-label")

_BENCHES = {
    "injection-quality": _Bench(
        _injection, {"demo": 4000, "fast": 1500}, 100, 200_000, _OF_TABLES
    ),
    "cnc-machining-quality": _Bench(
        _cnc, {"demo": 72, "fast": 24}, 12, 2_000, _OF_RUNS
    ),
    "press-die-breakage": _Bench(
        _press, {"demo": 6000, "fast": 2400}, 200, 200_000, _OF_TABLES
    ),
    "machine-vision-surface": _Bench(
        _vision, {"demo": 240, "fast": 60}, 30, 20_000, _OF_IMAGES
    ),
}


def defects_of(model_id: str) -> tuple[str, ...]:
    """The data defects that the simulator of a standard model can put into its files."""
    return _bench(model_id).defects


def simulate(
    model_id: str,
    to: Path,
    *,
    seed: int = 0,
    size: str | int = "demo",
    defects: Sequence[str] = (),
) -> Simulation:
    """Let a simulated machine work and write the files it would have exported.

    The same seed, size and defects write the same bytes.

    Parameters
    ----------
    model_id : str
        A standard model with a simulator.
    to : Path
        Folder to write into; it is made when it does not exist.
    seed : int
        Of every random number.
    size : "demo", "fast" or int
        Number of cases: shots, strokes, runs or pictures.
    defects : sequence of str
        Data defects of real files to put in, by the code of the finding they should
        raise (`defects_of`). Without them the files are clean.

    Raises
    ------
    UsageError
        For a model without a simulator, or a size or defect it does not have.
    """
    bench = _bench(model_id)
    unknown = [d for d in defects if d not in bench.defects]
    if unknown:
        known = ", ".join(bench.defects)
        raise UsageError(
            f"'{model_id}' 시뮬레이터에는 {', '.join(unknown)} 결함이 없습니다. 쓸 수 있는 것: {known}",
            f"the simulator of {model_id!r} has no defect {', '.join(unknown)}; known: {known}",
        )
    cases = _cases(bench, size)
    to.mkdir(parents=True, exist_ok=True)
    return bench.simulator()(to, seed, cases, tuple(dict.fromkeys(defects)))


def _bench(model_id: str) -> _Bench:
    model = standard_model(model_id)
    bench = _BENCHES.get(model.simulator or "")
    if bench is None:
        known = ", ".join(_BENCHES)
        raise UsageError(
            f"'{model_id}' 표준모델에는 시뮬레이터가 없습니다. 있는 모델: {known}",
            f"the standard model {model_id!r} has no simulator; those that have: {known}",
        )
    return bench


def _cases(bench: _Bench, size: str | int) -> int:
    if isinstance(size, str) and size in bench.sizes:
        return bench.sizes[size]
    if isinstance(size, int) and bench.fewest <= size <= bench.most:
        return size
    known = ", ".join(bench.sizes)
    raise UsageError(
        f"크기는 {known} 또는 {bench.fewest}~{bench.most}의 정수입니다. 받은 값: {size}",
        f"size is {known} or a whole number from {bench.fewest} to {bench.most}, not {size!r}",
    )
