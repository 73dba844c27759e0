"""How long work tells that it is going on, without knowing who listens."""

from __future__ import annotations

from typing import Protocol

from kamp_lib.text import Text


class Progress(Protocol):
    """Called at each step; `total` is None when nobody knows how much is left."""

    def __call__(
        self, step: Text, *, done: float = 0, total: float | None = None
    ) -> None: ...


def silent(step: Text, *, done: float = 0, total: float | None = None) -> None:
    """The listener that hears nothing."""
