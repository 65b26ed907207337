"""Compiled loops: ranks by counting, and distances of pairs in float64 in one fixed element order.

Legend: B queries of a block, C gallery columns of a block, P positives of the block, D embedding size.
An ``exact`` tuple says how a pair's distance is computed again: (mode, x [B, D], y [G, D], x_norm [B], y_norm [G], scale,
factors [B], offsets f64 [B, G]); the last two are empty, or the distance is offset + factor * distance (re-ranking).
A ``positives`` tuple is (offsets [B+1], distances f64 [P], members [P]), each query's sorted by (distance, gallery index).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

MATRIX, COSINE, EUCLIDEAN = 0, 1, 2

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call and run it without the interpreter's lock.

    The compiled code is kept on disk for later processes; where no folder for it can be written, each process compiles anew.
    """
    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast(Function, njit(nogil=True)(function))


@compiled
def row_norms(x: Any) -> Any:
    """Return the Euclidean norms f64 [n] of f32 rows [n, D], summed from the first element to the last."""
    norms = np.empty(x.shape[0], np.float64)
    for i in range(x.shape[0]):
        total = 0.0
        for c in range(x.shape[1]):
            total += np.float64(x[i, c]) * np.float64(x[i, c])
        norms[i] = np.sqrt(total)
    return norms


@compiled
def pair_distance(exact: Any, i: int, j: int) -> Any:
    """Return the float64 distance of query i and gallery tracklet j; Euclidean: the squared one times ``scale``, a power of 2."""
    mode, x, y, x_norm, y_norm, scale = exact[:6]
    total = 0.0
    if mode == COSINE:
        for c in range(x.shape[1]):
            total += np.float64(x[i, c]) * np.float64(y[j, c])
        return 1.0 - total / (x_norm[i] * y_norm[j])
    for c in range(x.shape[1]):
        difference = np.float64(x[i, c]) - np.float64(y[j, c])
        total += difference * difference
    return total * scale


@compiled
def pair_distances(exact: Any, owners: Any, members: Any) -> Any:
    """Return the distances f64 [P] of the pairs (owners[p], members[p])."""
    out = np.empty(len(owners), np.float64)
    for p in range(len(owners)):
        out[p] = pair_distance(exact, owners[p], members[p])
    return out


@compiled
def first_at_or_after(positives: Any, i: int, distance: float, member: int) -> Any:
    """Return the first positive of query i that does not come before (distance, member); offsets[i+1] if all do."""
    offsets, distances, members = positives
    low, high = offsets[i], offsets[i + 1]
    while low < high:
        middle = (low + high) // 2
        if distances[middle] < distance or (distances[middle] == distance and members[middle] < member):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def count_block(rows: Any, block: Any, first: int, margin: float, positives: Any, exact: Any, counts: Any) -> None:
    """Add to counts[p] the gallery tracklets of a block that come after the positive before p and not after p.

    Args:
        rows: (start, stop), the queries of the block to count for.
        block: [B, C] distances, each at most ``margin`` from the exact one.
        first: gallery index of the block's first column.
        margin: 0 where the block is exact (mode MATRIX).
        positives: see the module.
        exact: see the module; consulted where the margin leaves the order open.
        counts: int64 [P], changed in place; threads own disjoint rows and therefore disjoint entries.
    """
    offsets, distances, _ = positives
    for i in range(rows[0], rows[1]):
        stop = offsets[i + 1]
        if offsets[i] == stop:
            continue
        beyond = distances[stop - 1] + margin
        for j in range(block.shape[1]):
            value = np.float64(block[i, j])
            if value > beyond:
                continue
            place = first_at_or_after(positives, i, value - margin, -1)
            if place < stop and distances[place] <= value + margin:
                if exact[0] != MATRIX:
                    value = pair_distance(exact, i, first + j)
                    if len(exact[6]):
                        value = exact[7][i, first + j] + exact[6][i] * value
                place = first_at_or_after(positives, i, value, first + j)
            if place < stop:
                counts[place] += 1


@compiled
def subtract_pairs(positives: Any, owners: Any, members: Any, values: Any, counts: Any) -> None:
    """Take the pairs (owners[r], members[r]) of distance values[r] out of ``counts``: they are not in the ranking."""
    for r in range(len(owners)):
        place = first_at_or_after(positives, owners[r], values[r], members[r])
        if place < positives[0][owners[r] + 1]:
            counts[place] -= 1
