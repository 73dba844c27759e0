"""What changed since the last ingest: columns, units, ranges, words, gaps, steps.

Each new ingest is held against the figures that the earlier ones left (`Summary`), so
that history is never read again. A value counts as moved only when it leaves what the
history has shown, so that a month like the others says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.mapping.names import take_apart
from kamp_lib.datasets.storage.manifest import Manifest
from kamp_lib.datasets.storage.summaries import LEVELS, Summary
from kamp_lib.datasets.types import Finding

ENOUGH = 30  # values that tell a level
APART = 0.5  # how far beyond the history's middle 90 %, as a share of its width
WIDER = 3.0  # times as wide, or as narrow
MORE_MISSING = 0.1
STEP_RATIO = 2.0
FEW_WORDS = 10
Q05, Q95 = LEVELS.index(0.05), LEVELS.index(0.95)
# Ids, counters and times move on by nature.
MOVING_ROLES = frozenset({"id", "time"})
ID_WORDS = frozenset(
    {"id", "uuid", "serial", "number", "no", "index", "lot", "date", "번호", "로트"}
    | {"일련번호", "시리얼", "key", "run", "shot", "count", "counter"}
)


@dataclass(frozen=True)
class Moved:
    """One thing about one column that is no longer what it was."""

    variant: str
    column: str
    before: str
    now: str

    @property
    def said(self) -> str:
        return f"{self.column} {self.before} → {self.now}"


def drift(
    held: Sequence[Manifest],
    new: dict[str, Summary],
    sources: dict[str, str],
    version: int,
) -> list[Finding]:
    """How an ingest differs from the history of its data set.

    Parameters
    ----------
    held : sequence of Manifest
        The ingests that the data set holds, oldest first.
    new : dict of Summary
        The columns of this ingest.
    sources : dict
        Stored name -> name in the file, of this ingest.
    version : int
        The version held, which the words name.
    """
    history = [m for m in held if m.summaries and m.rows["stored"] >= 1]
    if not history or not new:
        return []
    return [
        *_schema(history, new, sources, version),
        *_ranges(history, new, version),
    ]


def _schema(
    history: Sequence[Manifest],
    new: dict[str, Summary],
    sources: dict[str, str],
    version: int,
) -> Iterator[Finding]:
    last = history[-1]
    was = {column.name: column.source for column in last.columns}
    before = last.summaries
    gone = [name for name in before if name not in new]
    added = [name for name in new if name not in before]
    for old, name in _renamed(before, new, gone, added):
        gone.remove(old)
        added.remove(name)
        yield _said(
            "schema-drift", "perhaps-renamed", version, [name], [f"{old} → {name}"]
        )
    if gone:
        yield _said("schema-drift", "gone", version, gone, gone)
    if added:
        yield _said("schema-drift", "added", version, added, added)
    called = {
        name: f"{was[name]} → {sources[name]}"
        for name in new
        if name in was and name in sources and was[name] != sources[name]
    }
    if called:
        yield _said("schema-drift", "renamed", version, called, called.values())
    units = {
        name: f"{name} {before[name].unit} → {new[name].unit}"
        for name in new
        if name in before
        and None not in (before[name].unit, new[name].unit)
        and before[name].unit != new[name].unit
    }
    if units:
        yield _said("schema-drift", "unit", version, units, units.values())
    kinds = {
        name: f"{name} {before[name].kind} → {new[name].kind}"
        for name in new
        if name in before and _kind_changed(before[name], new[name])
    }
    if kinds:
        yield _said("schema-drift", "kind", version, kinds, kinds.values())


def _kind_changed(old: Summary, new: Summary) -> bool:
    return old.kind != new.kind and bool(old.filled and new.filled)


def _renamed(
    before: dict[str, Summary],
    new: dict[str, Summary],
    gone: list[str],
    added: list[str],
) -> list[tuple[str, str]]:
    """Pairs of a column that went and one that came, when just these two look alike."""
    alike = [
        (old, name) for old in gone for name in added if _alike(before[old], new[name])
    ]
    return [
        (old, name)
        for old, name in alike
        if sum(o == old for o, _ in alike) == 1
        and sum(n == name for _, n in alike) == 1
    ]


def _alike(old: Summary, new: Summary) -> bool:
    if old.kind != new.kind or not (old.filled and new.filled):
        return False
    if old.kind == "text":
        return bool(old.words) and set(new.words) <= set(old.words)
    if old.kind == "time":
        return True
    width = old.quantiles[Q95] - old.quantiles[Q05]
    same = [abs(old.quantiles[i] - new.quantiles[i]) for i in (Q05, 4, Q95)]
    return width > 0 and max(same) <= 0.2 * width


def _ranges(
    history: Sequence[Manifest], new: dict[str, Summary], version: int
) -> Iterator[Finding]:
    roles = {c.name: c.role for m in history for c in m.columns}
    moved: dict[str, list[Moved]] = {}
    for name, now in new.items():
        past = [m.summaries[name] for m in history if name in m.summaries]
        past = [p for p in past if p.kind == now.kind]
        if not past:
            continue
        for one in _moves(name, past, now, roles.get(name, "extra")):
            moved.setdefault(one.variant, []).append(one)
    for variant, ones in moved.items():
        columns = [one.column for one in ones]
        yield _said("range-drift", variant, version, columns, [o.said for o in ones])


def _moves(
    name: str, past: Sequence[Summary], now: Summary, role: str
) -> Iterator[Moved]:
    lost = _missing(past, now)
    if lost is not None:
        yield Moved("missing", name, f"{lost:.0%}", f"{now.missing / now.rows:.0%}")
    if now.kind == "time":
        yield from _step(name, past, now)
    if role in MOVING_ROLES or _names_records(name, role):
        return
    if now.kind == "text":
        yield from _words(name, past, now)
    if now.kind == "number":
        yield from _level(name, past, now)


def _names_records(name: str, role: str) -> bool:
    return role == "extra" and bool(ID_WORDS & set(take_apart(name).words))


def _missing(past: Sequence[Summary], now: Summary) -> float | None:
    """The usual share of gaps, when this ingest has clearly more."""
    rows = sum(p.rows for p in past)
    rate = sum(p.missing for p in past) / rows
    worst = max(p.missing / p.rows for p in past)
    noise = 4 * sqrt(max(rate, 1 / rows) * (1 - rate) / now.rows)
    more = now.missing / now.rows - worst
    return rate if more > max(MORE_MISSING, noise) else None


def _step(name: str, past: Sequence[Summary], now: Summary) -> Iterator[Moved]:
    steps = [p.step_s for p in past if p.step_s is not None]
    if (
        not steps
        or now.step_s is None
        or min(now.rows, *(p.rows for p in past)) < ENOUGH
    ):
        return
    if not min(steps) / STEP_RATIO <= now.step_s <= max(steps) * STEP_RATIO:
        yield Moved("interval", name, f"{steps[-1]:g} s", f"{now.step_s:g} s")


def _words(name: str, past: Sequence[Summary], now: Summary) -> Iterator[Moved]:
    if not now.words or not all(p.words for p in past):
        return
    known = {word for p in past for word in p.words}
    unseen = [word for word in now.words if word not in known]
    # where most words are new each time they name lots or runs, not kinds
    if unseen and (len(known) <= FEW_WORDS or 2 * len(unseen) <= len(now.words)):
        yield Moved("words", name, _listed(known), _listed(unseen))


def _listed(words: Sequence[str] | set[str]) -> str:
    shown = sorted(words)[:3]
    return ", ".join(shown) + (" …" if len(words) > len(shown) else "")


def _level(name: str, past: Sequence[Summary], now: Summary) -> Iterator[Moved]:
    past = [p for p in past if p.filled >= ENOUGH and p.quantiles]
    if not past or now.filled < ENOUGH or not now.quantiles:
        return
    low, high = (
        min(p.quantiles[Q05] for p in past),
        max(p.quantiles[Q95] for p in past),
    )
    usual, width = past[-1].median, high - low
    tolerance = APART * width if width else 1e-9 * abs(usual)
    if not low - tolerance <= now.median <= high + tolerance:
        variant = "setting" if now.few and past[-1].few else "level"
        yield Moved(variant, name, f"{usual:.4g}", f"{now.median:.4g}")
        return
    if now.few:
        return
    widths = [p.quantiles[Q95] - p.quantiles[Q05] for p in past]
    mine = now.quantiles[Q95] - now.quantiles[Q05]
    if min(widths) > 0 and not min(widths) / WIDER <= mine <= max(widths) * WIDER:
        yield Moved("spread", name, f"±{widths[-1] / 2:.4g}", f"±{mine / 2:.4g}")


def _said(
    code: str,
    variant: str,
    version: int,
    columns: Collection[str],
    examples: Iterable[str],
) -> Finding:
    return finding(
        code,
        variant=variant,
        columns=columns,
        count=len(columns),
        examples=examples,
        version=version,
    )
