"""What cannot be between columns: the catalogue's rules, and statistics of one quantity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kamp_lib.catalog.rules import Rule, rules_of
from kamp_lib.datasets.checks.context import Context, number_text
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.mapping.names import take_apart
from kamp_lib.datasets.types import Finding

# A statistic and the ones that it can never be below.
ABOVE = {
    "max": ("average", "median", "min"),
    "average": ("min",),
    "median": ("min",),
}
SAME_WORD = {"최대": "max", "최고": "max", "평균": "average", "중앙": "median"}
SAME_WORD |= {"최소": "min", "최저": "min", "peak": "max"}


@dataclass(frozen=True)
class Applied:
    """A rule and the columns of the frame that stand in its places."""

    rule: Rule
    columns: dict[str, str]


def impossible_physics(context: Context) -> list[Finding]:
    """Rows in which two columns contradict each other."""
    rules = [
        Applied(rule, {c: c for c in rule.columns})
        for rule in rules_of(context.machine.id)
    ]
    findings = []
    said: set[frozenset[str]] = set()
    for applied in [*rules, *_statistics(context)]:
        columns = frozenset(applied.columns.values())
        usable = columns <= set(context.numbers) and not columns & context.explained
        if not usable or columns in said:
            continue
        numbers = {name: context.numbers[c] for name, c in applied.columns.items()}
        broken = applied.rule.broken(numbers)
        if broken.any():
            said.add(columns)
            findings.append(_broken(context, applied, broken))
    return findings


def _broken(context: Context, applied: Applied, broken: np.ndarray) -> Finding:
    row = int(np.flatnonzero(broken)[0])
    columns = applied.columns.values()
    seen = ", ".join(
        f"{context.shown(c)} = {number_text(context.numbers[c][row])}" for c in columns
    )
    return finding(
        "impossible-physics",
        columns=context.names(*columns),
        count=int(broken.sum()),
        examples=[seen],
        rule=applied.rule.said,
        share=float(broken.mean()),
        seen=seen,
    )


def _statistics(context: Context) -> list[Applied]:
    """max >= average >= min, of columns whose names differ in nothing but that word."""
    by_rest: dict[tuple[str, ...], dict[str, str]] = {}
    for column in context.numbers:
        words = [SAME_WORD.get(w, w) for w in _words(column)]
        which = [w for w in words if w in ("max", "average", "median", "min")]
        if len(which) == 1:
            rest = tuple(w for w in words if w != which[0])
            by_rest.setdefault(rest, {}).setdefault(which[0], column)
    return [
        _not_below(context, columns[upper], columns[lower])
        for columns in by_rest.values()
        for upper, lowers in ABOVE.items()
        for lower in lowers
        if upper in columns and lower in columns
    ]


def _words(column: str) -> list[str]:
    """The words of a name; 최대배압 is two."""
    words: list[str] = []
    for word in take_apart(column).words:
        mark = next((m for m in SAME_WORD if word.startswith(m) and word != m), None)
        words += [mark, word.removeprefix(mark)] if mark else [word]
    return words


def _not_below(context: Context, upper: str, lower: str) -> Applied:
    above, below = context.shown(upper), context.shown(lower)
    rule = Rule(
        id="statistics",
        holds="upper >= lower",
        ko=f"'{above}' 값은 '{below}' 값보다 작을 수 없습니다",
        en=f"{above!r} is at least {below!r}",
    )
    return Applied(rule, {"upper": upper, "lower": lower})
