"""Work on two cores: Arrow and NumPy let the interpreter go while they compute.

Whatever is done abreast, what comes of it is told in the order of one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

import pandas as pd

WORKERS = 2
FEW = 50_000  # rows; with fewer, threads cost more than they bring

One = TypeVar("One")
Made = TypeVar("Made")


class Start(Protocol):
    """Begins something; what it returns waits for it, and gives what came of it."""

    def __call__(self, do: Callable[[One], Made], of: One, /) -> Callable[[], Made]: ...


def each(do: Callable[[One], Made], things: Iterable[One], *, rows: int) -> list[Made]:
    """What is made of each of several columns of so many rows, two at a time."""
    if rows < FEW:
        return [do(thing) for thing in things]
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(do, things))


def ready(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame that two threads may take columns from.

    pandas numbers the names of columns when it is first asked for one, and whoever asks
    meanwhile may be told that there is none.
    """
    for name in frame.columns[:1]:
        frame[name]
    return frame


@contextmanager
def beside(*, rows: int) -> Iterator[Start]:
    """Start things that go on beside the block; with few rows, when they are asked for.

    >>> with beside(rows=10) as start:
    ...     length = start(len, "abc")
    ...     length()
    3
    """
    if rows < FEW:
        yield partial
        return
    pool = ThreadPoolExecutor(1)
    try:
        yield lambda do, of: pool.submit(do, of).result
    finally:  # what nobody asked for any more is not begun
        pool.shutdown(cancel_futures=True)
