"""Pictures of the same part, turned or mirrored or saved again: they belong together.

A picture whose twin was learned from is not new. Before pictures are compared, what all
of them share (the part's shape, the lighting) is taken out; what is left is a part's own
marks, and only true twins share those.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kamp_lib.learning.vision_images import Pictures

SIDE = 32  # pixels a side at which pictures are compared
SHARED = 4  # principal pictures taken out when there are plenty of pictures
ALIKE = 0.95  # correlation of what is left
STRICT = 0.99  # when ALIKE would chain most pictures into one group
CHAIN = 0.2  # share of all pictures that one group may hold
BLOCK = 1024


def twin_groups(pictures: Pictures) -> np.ndarray:
    """A group number per picture; near-twins (also turned, mirrored) share one.

    Returns
    -------
    ndarray of int, shape (n,)

    Notes
    -----
    Grouping too much only makes the score more careful, so the limit leans that way;
    when one group would swallow more than a fifth of the pictures the limit is raised.
    """
    groups = _groups(pictures, ALIKE)
    if np.bincount(groups).max() > max(8, CHAIN * len(pictures)):
        groups = _groups(pictures, STRICT)
    return groups


def _groups(pictures: Pictures, limit: float) -> np.ndarray:
    n = len(pictures)
    step = pictures.size // SIDE
    small = pictures.grey.reshape(n, SIDE, step, SIDE, step).mean(axis=(2, 4))
    small = small.astype(np.float32)
    straight = _own_marks(_unit(small), _unit(small))
    turned = [
        side
        for k in range(4)
        for side in (
            np.rot90(small, k, axes=(1, 2)),
            np.rot90(small, k, axes=(1, 2))[:, :, ::-1],
        )
    ]
    everything = np.concatenate([_unit(side) for side in turned])
    reference = _own_marks(_unit(small), everything)
    views = [(straight, straight)]
    views += [(reference, _own_marks(_unit(side), everything)) for side in turned[1:]]
    rows, columns = [], []
    for start in range(0, n, BLOCK):
        alike = np.zeros((min(BLOCK, n - start), n), dtype=bool)
        for ours, theirs in views:
            alike |= ours[start : start + BLOCK] @ theirs.T > limit
        row, column = np.nonzero(alike)
        rows.append(row + start)
        columns.append(column)
    edges = (np.concatenate(rows), np.concatenate(columns))
    graph = coo_matrix((np.ones(len(edges[0]), dtype=bool), edges), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def _unit(pictures: np.ndarray) -> np.ndarray:
    """Flat pictures with mean 0 and length 1; a blank picture stays zero."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.maximum(length, 1e-6)


def principal_axes(rows: np.ndarray, count: int) -> np.ndarray:
    """The strongest directions of `rows` (not centred), shape (count, width).

    By the rows' products with each other while there are fewer rows than columns, else
    by the columns' products: the axes are the same, and the work does not grow with the
    cube of the rows.
    """
    size = min(rows.shape)
    top = (size - count, size - 1)
    if len(rows) <= rows.shape[1]:
        products = (rows @ rows.T).astype(np.float64)
        strength, weights = eigh(products, subset_by_index=top)
        axes = weights.T @ rows / np.sqrt(np.maximum(strength, 1e-12))[:, None]
    else:
        products = (rows.T @ rows).astype(np.float64)
        axes = eigh(products, subset_by_index=top)[1].T
    return axes[::-1].astype(rows.dtype)


def _own_marks(unit: np.ndarray, everything: np.ndarray) -> np.ndarray:
    """What is left of pictures after what all of them share, again with length 1."""
    shared = min(SHARED, len(unit) // 10)
    if shared:
        basis = principal_axes(everything[:: max(1, len(everything) // 400)], shared)
        unit = unit - unit @ basis.T @ basis
    length = np.linalg.norm(unit, axis=1, keepdims=True)
    # identical pictures leave nothing of their own, and are twins all the same
    return np.where(length > 1e-3, unit / np.maximum(length, 1e-6), 0)
