"""What the command line shows: progress on stderr, tables and sentences on stdout."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from getpass import getpass
from typing import Any

from rich.console import Console
from rich.markup import escape as without_markup
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import (
    Progress as Bar,
)
from rich.table import Table

from kamp_lib.progress import Progress
from kamp_lib.text import Text

# `:smile:` in a name is a name
out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)
# A bar that flashes by tells nobody anything.
PATIENCE_S = 1.0
_bars: list[Bar] = []  # those that may be on the screen now
# What steers a terminal, or changes the direction of what is read; a company may have
# written it.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """`text` without what would steer the terminal of whoever reads it."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def escape(text: str) -> str:
    """`text` as it is shown: as it stands, and harmless."""
    return without_markup(harmless(text))


@contextmanager
def progress(what: Text) -> Iterator[Progress]:
    """Show how far `what` is: a bar at a terminal, a line per step in a log."""
    with _bar(what) if err.is_terminal else _lines(what) as listener:
        yield listener


def ask_secret(question: Text) -> str | None:
    """What a person types unseen; None when nobody sits at a terminal."""
    return _asked(lambda: getpass(f"{question}: "))


def ask(question: Text) -> str | None:
    """What a person answers in a line; None when nobody sits at a terminal, or left."""
    return _asked(lambda: err.input(f"{escape(str(question))}\n> ").strip())


def somebody_there() -> bool:
    """Whether a person sits at a terminal, to be asked."""
    return sys.stdin.isatty() and err.is_terminal


def _asked(answer: Callable[[], str]) -> str | None:
    if not somebody_there():
        return None
    for bar in _bars:
        bar.stop()  # it would write over the question, and starts again by itself
    try:
        return answer()
    except EOFError:
        return None


@contextmanager
def _bar(what: Text) -> Iterator[Progress]:
    started = time.monotonic()
    bar = Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    task = bar.add_task(escape(str(what)), total=None)

    def listen(step: Text, *, done: float = 0, total: float | None = None) -> None:
        if time.monotonic() - started > PATIENCE_S and not bar.live.is_started:
            bar.start()
        shown = f"{escape(str(what))} · {escape(str(step))}"
        bar.update(task, description=shown, completed=done, total=total)

    _bars.append(bar)
    try:
        yield listen
    finally:
        _bars.remove(bar)
        bar.stop()


@contextmanager
def _lines(what: Text) -> Iterator[Progress]:
    last = ""

    def listen(step: Text, *, done: float = 0, total: float | None = None) -> None:
        nonlocal last
        if str(step) != last:
            last = str(step)
            print(harmless(f"  {what}: {step}"), file=sys.stderr, flush=True)

    yield listen


def table(
    columns: list[Text],
    rows: list[list[Any]],
    title: Text | None = None,
    *,
    whole: tuple[int, ...] = (),
) -> None:
    """Print a table; cells are shown as they are, never as markup.

    Columns of which the numbers are in `whole` are not broken over lines.
    """
    grid = Table(title=str(title) if title else None, title_justify="left")
    for number, column in enumerate(columns):
        grid.add_column(str(column), overflow="fold", no_wrap=number in whole)
    for row in rows:
        grid.add_row(*(escape(str(cell)) for cell in row))
    out.print(grid)


def say(ko: str, en: str) -> None:
    """One line to stdout."""
    out.print(escape(str(Text(ko, en))), soft_wrap=True)


def complain(sentence: str) -> None:
    """One line to stderr."""
    err.print(
        escape(sentence), style="red" if err.is_terminal else None, soft_wrap=True
    )
