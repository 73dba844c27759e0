"""What a fix hands back: the frame as it should be, and what was touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.types import Finding
from kamp_lib.text import Text


@dataclass(frozen=True)
class Change:
    """A frame after a fix.

    `count` is how many cells, rows or columns were touched. `left_out` marks rows (of
    `frame`) that are not to be stored: they go to quarantine, whole.
    """

    frame: pd.DataFrame
    columns: tuple[str, ...]
    count: int
    left_out: np.ndarray | None = None


Mend = Callable[[Context, Sequence[Finding]], Change | None]


@dataclass(frozen=True)
class Fix:
    """What `--fix CODE` does about a finding, in a sentence and in code.

    `mend` gives None when there is nothing that it could safely change.
    """

    said: Text
    mend: Mend


def named(context: Context, finding: Finding) -> list[str]:
    """The stored columns that a finding names, in its order."""
    return [c for c in finding.columns if c in context.frame.columns]
