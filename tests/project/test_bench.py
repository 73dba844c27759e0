"""What the benchmarks share: rounds, results, tables, and what counts as slower."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = ("figures", "measure", "compare", "bench")


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, ModuleType]]:
    """The scripts as modules, for the length of this file: their names are short."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in NAMES}
    finally:
        sys.path.remove(str(FOLDER))
        for name in NAMES:
            sys.modules.pop(name, None)


@pytest.fixture
def results(parts: dict[str, ModuleType]) -> Any:
    """A file of results, as a benchmark would write it."""
    figures = parts["figures"]
    moment = {"average": 0.1, "others": 0.0}
    return figures.Results(
        benchmark="hub",
        at="2026-11-26T12:00:00+00:00",
        quick=False,
        rounds=3,
        machine={
            "processors": 2,
            "processor": "one of them",
            "memory_mb": 8192,
            "system": "Linux",
            "python": "3.11",
        },
        versions={},
        load={"before": moment, "after": moment},
        figures=[figures.Figure("click", "s", [1.0, 1.1, 1.2], [5.0, 5.5, 6.0])],
    )


def with_figure(parts: dict[str, ModuleType], results: Any, **told: Any) -> Any:
    return replace(results, figures=[parts["figures"].Figure("click", "s", **told)])


def test_the_order_turns_round_with_every_round(parts: dict[str, ModuleType]) -> None:
    done: list[str] = []
    ways = {name: lambda n=name: done.append(n) for name in ("ours", "stock")}
    parts["measure"].alternate(ways, 2)
    assert done == ["ours", "stock", "stock", "ours"]


def test_rounds_that_warm_up_do_not_count(parts: dict[str, ModuleType]) -> None:
    numbers = iter(range(10))
    found = parts["measure"].alternate({"a": lambda: next(numbers)}, 2, warm_up=3)
    assert found == {"a": [3, 4]}


def test_the_ratio_is_the_median_of_the_rounds_own(
    parts: dict[str, ModuleType],
) -> None:
    figure = parts["figures"].Figure("x", "s", [1, 4, 9], [10, 10, 10])
    assert figure.ratio == pytest.approx(0.4)


def test_an_aim_is_held_against_the_median(parts: dict[str, ModuleType]) -> None:
    figures = parts["figures"]
    aim = figures.Aim("ours", 2.0)
    assert figures.Figure("x", "s", [1.9, 1.9, 9.9], aim=aim).reached is True
    assert figures.Figure("x", "s", [1.9, 2.1, 2.1], aim=aim).reached is False


def test_an_aim_of_a_ratio_needs_something_beside(parts: dict[str, ModuleType]) -> None:
    figures = parts["figures"]
    with pytest.raises(ValueError, match="no stock figure"):
        figures.Figure("x", "s", [1.0], aim=figures.Aim("ratio", 1.0))


def test_results_are_read_as_they_were_written(
    parts: dict[str, ModuleType], results: Any, tmp_path: Path
) -> None:
    results.write(tmp_path / "hub.json")
    assert parts["figures"].Results.read(tmp_path / "hub.json") == results


def test_another_json_file_is_no_file_of_results(
    parts: dict[str, ModuleType], tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text('{"rounds": 5}')
    with pytest.raises(ValueError, match="no file of results"):
        parts["figures"].Results.read(tmp_path / "x.json")


def test_a_benchmark_that_fails_writes_nothing(
    parts: dict[str, ModuleType], tmp_path: Path
) -> None:
    measure = parts["measure"]
    chosen = measure.options("", rounds=1).parse_args(
        ["--to", str(tmp_path / "x.json")]
    )
    session = measure.Session("x", chosen)
    session.add(parts["figures"].Figure("x", "s", [1.0]))
    session.__exit__(RuntimeError, RuntimeError(), None)
    assert not list(tmp_path.iterdir())


def test_quick_means_fewer_rounds_unless_told(parts: dict[str, ModuleType]) -> None:
    parser = parts["measure"].options("", rounds=5, quick_rounds=2)
    assert parser.parse_args([]).rounds == 5
    assert parser.parse_args(["--quick"]).rounds == 2
    assert parser.parse_args(["--quick", "--rounds", "4"]).rounds == 4


def test_the_page_keeps_what_people_wrote_around_a_table(
    parts: dict[str, ModuleType], results: Any
) -> None:
    page = "before\n<!-- bench:hub -->\nold\n<!-- /bench:hub -->\nafter\n"
    written = parts["bench"].with_tables(page, {"hub": results})
    assert written.startswith("before\n<!-- bench:hub -->\n| figure |")
    assert written.endswith("<!-- /bench:hub -->\nafter\n")
    assert "old" not in written


def test_a_table_without_results_stays(parts: dict[str, ModuleType]) -> None:
    page = "<!-- bench:hub -->\nold\n<!-- /bench:hub -->\n"
    assert parts["bench"].with_tables(page, {}) == page


def test_a_table_says_when_others_computed(
    parts: dict[str, ModuleType], results: Any
) -> None:
    busy = {"average": 4.0, "others": 1.5}
    noisy = replace(results, load={"before": busy, "after": busy})
    assert "others computed meanwhile" in parts["figures"].table(noisy)
    assert "others computed meanwhile" not in parts["figures"].table(results)


def test_every_script_that_opens_a_session_is_a_benchmark(
    parts: dict[str, ModuleType],
) -> None:
    found = parts["bench"].benchmarks(FOLDER)
    assert list(found)[:2] == ["kernels", "hub"]
    assert not set(NAMES) & set(found)
    assert all(found.values())


def test_every_round_above_the_old_ones_is_slower(parts: dict[str, ModuleType]) -> None:
    assert parts["compare"].judged([1.0, 1.1, 1.2], [1.4, 1.5, 1.6]) == "slower"


def test_rounds_that_overlap_are_the_same(parts: dict[str, ModuleType]) -> None:
    assert parts["compare"].judged([1.0, 1.1, 1.5], [1.2, 1.3, 1.6]) == "the same"


def test_less_than_a_tenth_is_nobodys_regression(parts: dict[str, ModuleType]) -> None:
    assert parts["compare"].judged([1.00, 1.01, 1.02], [1.05, 1.06, 1.07]) == "the same"


def test_two_rounds_say_nothing(parts: dict[str, ModuleType]) -> None:
    assert parts["compare"].judged([1.0, 1.0], [9.0, 9.0]) == "too few rounds"


def test_a_slower_machine_is_no_regression(
    parts: dict[str, ModuleType], results: Any
) -> None:
    twice = with_figure(parts, results, ours=[2.0, 2.2, 2.4], stock=[10.0, 11.0, 12.0])
    [change] = parts["compare"].compared(results, twice)
    assert change.verdict == "the same"


def test_without_stock_another_machine_is_not_compared(
    parts: dict[str, ModuleType], results: Any
) -> None:
    old = with_figure(parts, results, ours=[1.0, 1.0, 1.0])
    new = with_figure(parts, results, ours=[9.0, 9.0, 9.0])
    elsewhere = replace(new, machine={**new.machine, "processor": "another"})
    assert parts["compare"].compared(old, new)[0].slower
    assert parts["compare"].compared(old, elsewhere)[0].verdict == "another machine"


def test_the_command_ends_with_1_when_something_is_slower(
    parts: dict[str, ModuleType], results: Any, tmp_path: Path
) -> None:
    slow = with_figure(parts, results, ours=[2.0, 2.2, 2.4], stock=[5.0, 5.5, 6.0])
    for name, found in (("old", results), ("new", slow)):
        found.write(tmp_path / name / "hub.json")
    command = [sys.executable, str(FOLDER / "compare.py"), "old", "new"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "+100 % | **slower**" in done.stdout


def test_quick_results_are_not_held_against_others(
    parts: dict[str, ModuleType], results: Any, tmp_path: Path
) -> None:
    results.write(tmp_path / "a.json")
    replace(results, quick=True).write(tmp_path / "b.json")
    with pytest.raises(ValueError, match="one was quick"):
        parts["compare"].matched(tmp_path / "a.json", tmp_path / "b.json")


def test_every_file_of_results_that_is_kept_can_be_read(
    parts: dict[str, ModuleType],
) -> None:
    found = parts["bench"].results(FOLDER / "results")
    assert all(name == kept.benchmark for name, kept in found.items())
    assert not any(kept.quick for kept in found.values())
    assert all(json.dumps(f.to_json()) for kept in found.values() for f in kept.figures)
