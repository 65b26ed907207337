"""Compiled loops of k-reciprocal re-ranking over sparse rows. Indices and sums are taken in ascending order: same bits always.

Legend: N items (queries, then gallery), K neighbours (k1 + 1) of each, Q queries, G gallery tracklets, Z non-zero weights.
A sparse matrix is (starts [N+1], columns [Z], weights f64 [Z]), the columns of a row ascending.
"""

from typing import Any

import numpy as np

from reproid.retrieval._kernels import compiled

SHARED_PART = 2.0 / 3.0


@compiled
def reciprocal(neighbours: Any, i: int, k: int, out: Any) -> Any:
    """Write into ``out`` those of the first k neighbours of i that have i among their first k; return how many."""
    found = 0
    for a in range(k):
        candidate = neighbours[i, a]
        for b in range(k):
            if neighbours[candidate, b] == i:
                out[found] = candidate
                found += 1
                break
    return found


@compiled
def expanded_sets(neighbours: Any, half: int, rows: Any, members: Any) -> Any:
    """Write the expanded k-reciprocal sets of ``rows`` (start, stop) into ``members`` [n, k + k * half], each once, in the order
    met; return their sizes [n].

    Zhong et al. 2017, Eq. 5: the set of a member at half the size joins if two thirds of it are in the set already.
    """
    k = neighbours.shape[1]
    sizes = np.zeros(rows[1] - rows[0], np.int64)
    own, other = np.empty(k, np.int64), np.empty(k, np.int64)
    seen = np.full(neighbours.shape[0], -1, np.int64)
    for i in range(rows[0], rows[1]):
        n_own = reciprocal(neighbours, i, k, own)
        row, n = members[i - rows[0]], n_own
        for a in range(n_own):
            row[a] = own[a]
            seen[own[a]] = i
        for a in range(n_own):
            n_other = reciprocal(neighbours, own[a], half, other)
            shared = 0
            for b in range(n_other):
                for c in range(n_own):
                    shared += other[b] == own[c]
            if shared > SHARED_PART * n_other:
                for b in range(n_other):
                    if seen[other[b]] != i:
                        seen[other[b]] = i
                        row[n] = other[b]
                        n += 1
        sizes[i - rows[0]] = n
    return sizes


@compiled
def mean_rows(matrix: Any, neighbours: Any, k2: int, row: int, total: Any, touched: Any) -> Any:
    """Add up the rows of the first k2 neighbours of ``row`` (local query expansion, Eq. 11).

    Args:
        matrix: sparse, all weights positive.
        neighbours: [N, K].
        k2: rows to add.
        row: whose neighbours.
        total: f64 [N] of zeros, gets the sums.
        touched: int64 [N], gets the columns that are not zero, each once.

    Returns:
        How many columns are not zero.
    """
    starts, columns, weights = matrix
    n = 0
    for a in range(k2):
        item = neighbours[row, a]
        for z in range(starts[item], starts[item + 1]):
            if total[columns[z]] == 0.0:
                touched[n] = columns[z]
                n += 1
            total[columns[z]] += weights[z]
    return n


@compiled
def jaccard_rows(matrix: Any, inverse: Any, rows: Any, gallery: int) -> Any:
    """Return the Jaccard distances f64 [n, G] of the queries ``rows`` (start, stop) to the gallery (Eq. 10).

    Args:
        matrix: sparse [N, N], each row of sum 1.
        inverse: sparse [N, G]: row m holds which gallery tracklets have a weight at m.
        rows: queries.
        gallery: G.
    """
    starts, columns, weights = matrix
    inverse_starts, inverse_columns, inverse_weights = inverse
    out = np.zeros((rows[1] - rows[0], gallery), np.float64)
    for i in range(rows[0], rows[1]):
        shared = out[i - rows[0]]
        for z in range(starts[i], starts[i + 1]):
            m = columns[z]
            for y in range(inverse_starts[m], inverse_starts[m + 1]):
                shared[inverse_columns[y]] += min(weights[z], inverse_weights[y])
        for j in range(gallery):
            shared[j] = 1.0 - shared[j] / (2.0 - shared[j])
    return out
