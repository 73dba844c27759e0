"""Names as numbers: what sorting a million names costs, hashing them does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def coded(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """The different names in order, and the place of each value's name among them.

    Like `np.unique(values, return_inverse=True)`, which sorts all values. Whole numbers
    keep their own order, everything else goes by its text; names are text.

    Examples
    --------
    >>> names, codes = coded(["b", "a", "b"])
    >>> names.tolist(), codes.tolist()
    (['a', 'b'], [1, 0, 1])
    """
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        values = values.astype(str)
    codes, names = pd.factorize(values, sort=True)
    return np.asarray(names, dtype=str), codes


def members(codes: np.ndarray, count: int) -> list[np.ndarray]:
    """Positions of each code 0 .. count - 1, rising.

    Examples
    --------
    >>> [at.tolist() for at in members(np.array([1, 0, 1]), 2)]
    [[1], [0, 2]]
    """
    sizes = np.bincount(codes, minlength=count)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(sizes)[:-1]) if count else []
