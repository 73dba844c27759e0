"""Two files of results, or two folders of them, beside each other: what became slower?

    python benchmarks/compare.py OLD NEW        # make bench-compare A=OLD B=NEW

A figure with a stock counterpart is judged by the rounds' ratios ours / stock, which another
machine or a busy hour changes little; one without by ours alone, and only when both files
come from the same kind of machine. It is slower when both hold:

- the one-sided Mann–Whitney test on the rounds says so with p ≤ 0.05 (with three rounds
  on each side: every new one is above every old one), and
- the median is more than a tenth above the old one: less is nobody's regression.

With fewer than three rounds on a side nothing can be said, and the table says that. The
test is done figure by figure: of a hundred that are the same, five pass the first
condition by chance, and few of these the second. Ends with 1 when something is slower.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, Results
from scipy.stats import mannwhitneyu

P = 0.05
WORTH = 0.10
FEWEST = 3


@dataclass(frozen=True)
class Change:
    """A figure in both files."""

    benchmark: str
    figure: str
    of: str  # what was held against each other: `ours / stock`, or ours in its unit
    old: float
    new: float
    verdict: str

    @property
    def slower(self) -> bool:
        return self.verdict == "slower"

    def row(self) -> str:
        more = (self.new / self.old - 1) * 100
        said = f"**{self.verdict}**" if self.slower else self.verdict
        where = f"| {self.benchmark} | {self.figure} | {self.of} "
        return f"{where}| {self.old:.3g} | {self.new:.3g} | {more:+.0f} % | {said} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    chosen = parser.parse_args()
    try:
        pairs = matched(chosen.old, chosen.new)
        changes = [c for old, new in pairs for c in compared(old, new)]
    except (OSError, ValueError) as error:
        sys.exit(f"cannot compare: {error}")
    print("| benchmark | figure | of | old | new | change | verdict |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(change.row() for change in changes))
    slower = sum(change.slower for change in changes)
    print(f"\n{len(changes)} figures, {slower} slower.")
    sys.exit(1 if slower else 0)


def matched(old: Path, new: Path) -> list[tuple[Results, Results]]:
    """The files that both sides have.

    Raises
    ------
    ValueError
        When there are none, or one was measured quickly and the other was not.
    """
    if old.is_dir() and new.is_dir():
        names = sorted(
            {f.name for f in old.glob("*.json")} & {f.name for f in new.glob("*.json")}
        )
        files = [(old / name, new / name) for name in names]
    else:
        files = [(old, new)]
    pairs = [(Results.read(a), Results.read(b)) for a, b in files]
    if not pairs:
        raise ValueError(f"{old} and {new} have no file in common")
    for a, b in pairs:
        if (a.benchmark, a.quick) != (b.benchmark, b.quick):
            raise ValueError(f"{a.benchmark}: not the same benchmark, or one was quick")
    return pairs


def compared(old: Results, new: Results) -> list[Change]:
    """Every figure that both have."""
    before = {figure.name: figure for figure in old.figures}
    kept = [figure for figure in new.figures if figure.name in before]
    same = _kind(old) == _kind(new)
    return [_change(old.benchmark, before[f.name], f, same) for f in kept]


def judged(old: Sequence[float], new: Sequence[float]) -> str:
    """`slower`, `faster`, `the same`, or `too few rounds`."""
    if min(len(old), len(new)) < FEWEST:
        return "too few rounds"
    a, b = statistics.median(old), statistics.median(new)
    if b > a * (1 + WORTH) and _p(new, old) <= P:
        return "slower"
    if a > b * (1 + WORTH) and _p(old, new) <= P:
        return "faster"
    return "the same"


def _p(greater: Sequence[float], less: Sequence[float]) -> float:
    return float(mannwhitneyu(greater, less, alternative="greater").pvalue)


def _change(benchmark: str, old: Figure, new: Figure, same_machine: bool) -> Change:
    if old.stock and new.stock:
        of, before, after = "ours / stock", old.ratios, new.ratios
        verdict = judged(before, after)
    else:
        of, before, after = f"ours, {new.unit}", list(old.ours), list(new.ours)
        verdict = judged(before, after) if same_machine else "another machine"
    middle = statistics.median(before), statistics.median(after)
    return Change(benchmark, new.name, of, *middle, verdict)


def _kind(results: Results) -> tuple[object, ...]:
    """What kind of machine it was; the interpreter and the system may change on it."""
    return results.machine["processors"], results.machine["processor"]


if __name__ == "__main__":
    main()
