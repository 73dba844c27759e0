"""Objects that hold tables, printed in a line."""

from __future__ import annotations

import reprlib
from collections.abc import Sized
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

PLAIN = (str, int, float, type(None), Path, datetime)


class Brief:
    """A dataclass (with `repr=False`) that says how much it holds rather than what.

    One that holds another, with all its tables, would otherwise print for pages: in
    every notebook that shows it, beside the HTML that people see.

    >>> from dataclasses import dataclass
    >>> @dataclass(repr=False)
    ... class Held(Brief):
    ...     name: str
    ...     cases: list[int]
    >>> Held("lot", [1, 2, 3])
    Held(name='lot', cases=<3>)
    """

    def __repr__(self) -> str:
        shown = [f.name for f in fields(self) if not f.name.startswith("_")]  # type: ignore[arg-type]
        held = ", ".join(f"{name}={_in_short(getattr(self, name))}" for name in shown)
        return f"{type(self).__name__}({held})"


def _in_short(value: Any) -> str:
    if isinstance(value, PLAIN):
        return reprlib.repr(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"<{' x '.join(map(str, shape))}>"
    if shape == ():  # one number of NumPy's
        return reprlib.repr(value)
    if isinstance(value, Sized):
        return f"<{len(value)}>"
    return type(value).__name__
