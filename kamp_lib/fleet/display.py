"""How far a batch is: a bar for the whole and a line for each run at work."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar

from kamp_lib import console
from kamp_lib.console import escape, harmless
from kamp_lib.fleet.orders import Order, Outcome
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

WHOLE = Text("배치", "batch")


class Watch(Protocol):
    """Hears what happens in a batch, from several threads."""

    def one(self, slot: int, order: Order) -> AbstractContextManager[Progress]:
        """An order is at work in a slot, for the length of the block."""

    def ended(self, outcome: Outcome) -> None:
        """An order has ended."""

    def note(self, said: Text) -> None:
        """Something that the person should know."""


class Unseen:
    """Nobody watches."""

    @contextmanager
    def one(self, slot: int, order: Order) -> Iterator[Progress]:
        yield silent

    def ended(self, outcome: Outcome) -> None: ...

    def note(self, said: Text) -> None: ...


class Lines:
    """A line per run that ended: for a log."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._ended = 0

    @contextmanager
    def one(self, slot: int, order: Order) -> Iterator[Progress]:
        yield silent

    def ended(self, outcome: Outcome) -> None:
        self._ended += 1
        self._print(f"[{self._ended}/{self._total}] {line_of(outcome)}")

    def note(self, said: Text) -> None:
        self._print(str(said))

    def _print(self, line: str) -> None:
        print(f"  {harmless(line)}", file=sys.stderr, flush=True)


class Live:
    """At a terminal: a bar for the whole and one for each run at work."""

    def __init__(self, bar: Bar, total: int) -> None:
        self._bar = bar
        self._whole = bar.add_task(str(WHOLE), total=total)
        self._slots: dict[int, TaskID] = {}
        self._lock = threading.Lock()

    @contextmanager
    def one(self, slot: int, order: Order) -> Iterator[Progress]:
        task = self._task(slot)
        name = f"{order.name} · {order.label} · {order.dataset}"
        self._bar.reset(task, description=escape(name), total=None, visible=True)

        def listen(step: Text, *, done: float = 0, total: float | None = None) -> None:
            told = escape(f"{name} · {step}")
            self._bar.update(task, description=told, completed=done, total=total)

        try:
            yield listen
        finally:
            self._bar.update(task, visible=False)

    def ended(self, outcome: Outcome) -> None:
        self._bar.advance(self._whole)
        if outcome.trouble:
            self._print(line_of(outcome))

    def note(self, said: Text) -> None:
        self._print(str(said))

    def _print(self, line: str) -> None:
        self._bar.console.print(escape(line), soft_wrap=True)

    def _task(self, slot: int) -> TaskID:
        with self._lock:
            if slot not in self._slots:
                self._slots[slot] = self._bar.add_task("", total=None, visible=False)
            return self._slots[slot]


@contextmanager
def watching(total: int) -> Iterator[Watch]:
    """What fits where standard error goes: bars at a terminal, lines elsewhere."""
    if not console.err.is_terminal:
        yield Lines(total)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=console.err, transient=True) as bar:
        yield Live(bar, total)


def line_of(outcome: Outcome) -> str:
    """One line about an outcome, in the reader's language."""
    order = outcome.order
    what = " · ".join(
        part for part in (str(order.name), str(order.label), order.dataset) if part
    )
    why = f": {outcome.said}" if outcome.trouble and str(outcome.said) else ""
    return f"{what} · {outcome.label}{why} ({outcome.seconds:.1f} s)"
