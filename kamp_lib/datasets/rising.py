"""What tells at a glance that nothing repeats, so that no table of all values is made."""

from __future__ import annotations

import numpy as np
import pandas as pd

HEAD = 1000  # rows that tell of most columns that they do not rise


def rises(values: pd.Series) -> bool:
    """Whether every value is larger than the one before: none is missing, none repeats.

    Counters do, and the stamps of one machine. A single row does not count.

    >>> rises(pd.Series([1, 2, 5])), rises(pd.Series([1, 2, 2]))
    (True, False)
    """
    if not isinstance(values.dtype, np.dtype) or values.dtype.kind not in "iufM":
        return False
    held = values.to_numpy()
    if len(held) < 2:
        return False
    return all(bool((part[1:] > part[:-1]).all()) for part in (held[:HEAD], held))
