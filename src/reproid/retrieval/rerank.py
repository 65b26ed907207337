"""k-reciprocal re-ranking (Zhong, Zheng, Cao, Li: Re-ranking person re-identification with k-reciprocal encoding, CVPR 2017).

Off unless asked for, and labelled wherever it is on. All matrices are sparse but for one block of rows at a time; neighbours
and distances are exact float64 values, so that the block size and the number of threads do not change the result.
Deviation: ties between neighbours go by index. As in the authors' code, a query that is in the gallery too is there twice.

Legend: N items (Q queries, then G gallery tracklets), K = k1 + 1 neighbours of each item, itself included.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reproid.errors import InputError
from reproid.retrieval.distances import Block, EmbeddingDistances, Float32s, Float64s, Metric
from reproid.retrieval.tracklets import Ints

ROWS_PER_STEP = 256
Sparse = tuple[Ints, Ints, Float64s]


@dataclass(frozen=True, kw_only=True)
class Reranking:
    """Constants of the method; the defaults are the paper's for MARS-like data (k1 = 20, k2 = 6, lambda = 0.3)."""

    k1: int = 20
    """Neighbours that must be reciprocal."""
    k2: int = 6
    """Neighbours whose encodings are averaged; 1: none."""
    weight: float = 0.3
    """lambda: weight of the original distance beside the Jaccard distance, 0-1 (Eq. 12)."""

    def __post_init__(self) -> None:
        if not (1 <= self.k2 <= self.k1 and 0 <= self.weight <= 1):
            raise InputError("re-ranking cannot be done so", expected="1 <= k2 <= k1 and lambda within 0-1", got=self)


class RerankedDistances:
    """lambda * d / (largest d of the query) + (1 - lambda) * Jaccard distance; d is the squared Euclidean distance.

    With the cosine, d is 1 - cosine, half the squared Euclidean distance of the unit vectors: the same after the division.

    Args:
        queries: f32 [Q, D].
        gallery: f32 [G, D].
        metric: of the original distance.
        settings: constants.
        block: (B, C) of the search for neighbours, see `EmbeddingDistances`.
    """

    def __init__(
        self,
        queries: Float32s,
        gallery: Float32s,
        metric: Metric,
        *,
        settings: Reranking,
        block: tuple[int, int] | None = None,
    ) -> None:
        items = np.concatenate([queries, gallery])
        if settings.k1 + 1 > len(items):
            raise InputError("too few tracklets to re-rank", expected=f"at least k1 + 1 = {settings.k1 + 1}", got=len(items))
        everything = EmbeddingDistances(items, items, metric, block=block)
        neighbours, self._largest = _neighbours(everything, settings.k1 + 1)
        matrix = _encode(everything, neighbours, self._largest, settings)
        self._matrix = _expand(matrix, neighbours, settings.k2) if settings.k2 > 1 else matrix
        self._inverse = _inverse(self._matrix, len(queries))
        self._settings, self._gallery = settings, len(gallery)
        self._original = EmbeddingDistances(queries, gallery, metric, block=block, scale=everything.scale)
        self.queries_per_block = min(ROWS_PER_STEP, max(1, (1 << 22) // len(gallery)))

    def query_block(self, start: int, stop: int) -> "_RerankedBlock":
        """Return the queries start..stop-1, as `Distances.query_block` says."""
        from reproid.retrieval._rerank_kernels import jaccard_rows

        jaccard = jaccard_rows(self._matrix, self._inverse, (start, stop), self._gallery)
        jaccard *= 1 - self._settings.weight
        largest = self._largest[start:stop]
        factors = np.where(largest > 0, self._settings.weight / np.where(largest > 0, largest, 1), 0.0)
        return _RerankedBlock(self._original.query_block(start, stop), factors, jaccard)


class _RerankedBlock:
    def __init__(self, original: Any, factors: Float64s, offsets: Float64s) -> None:
        self._original, self._factors, self._offsets = original, factors, offsets
        self.exact = (*original.exact[:6], factors, offsets)

    def pairs(self, owners: Ints, members: Ints) -> Float64s:
        values: Float64s = self._offsets[owners, members] + self._factors[owners] * self._original.pairs(owners, members)
        return values

    def blocks(self) -> Iterator[Block]:
        for part in self._original.blocks():
            columns = slice(part.first, part.first + part.values.shape[1])
            values = self._offsets[:, columns] + self._factors[:, None] * part.values
            # One margin for the block: the largest of its rows, and the rounding of the sum.
            yield Block(first=part.first, values=values, margin=part.margin * float(self._factors.max()) + 1e-14)


def _neighbours(distances: EmbeddingDistances, k: int) -> tuple[Ints, Float64s]:
    """Return the k nearest items [N, k] of each item, by (distance, index), and each item's largest distance [N]."""
    n = distances.size
    neighbours, largest = np.empty((n, k), np.int64), np.empty(n)
    for start in range(0, n, distances.queries_per_block):
        stop = min(n, start + distances.queries_per_block)
        block = distances.query_block(start, stop)
        owners, members = _candidates(list(block.blocks()), k)
        values = block.pairs(owners, members)
        order = np.lexsort((members, values, owners))
        bounds = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=stop - start))])
        places = bounds[:-1, None] + np.arange(k)
        neighbours[start:stop] = members[order][places]
        largest[start:stop] = values[order][bounds[1:] - 1]
    return neighbours, largest


def _candidates(blocks: list[Block], k: int) -> tuple[Ints, Ints]:
    """Return (row, column) of all pairs that may be among a row's k smallest exact distances, or its largest."""
    values, margin = np.concatenate([block.values for block in blocks], axis=1), 2 * blocks[0].margin
    kth = np.partition(values, k - 1, axis=1)[:, k - 1 : k]
    rows, columns = np.nonzero((values <= kth + margin) | (values >= values.max(axis=1, keepdims=True) - margin))
    return rows.astype(np.int64), columns.astype(np.int64)


def _encode(distances: EmbeddingDistances, neighbours: Ints, largest: Float64s, settings: Reranking) -> Sparse:
    """Return the k-reciprocal encodings: weights exp(-d / largest d) on the expanded sets, of sum 1 (Eq. 7)."""
    from reproid.retrieval._rerank_kernels import expanded_sets

    n, k = neighbours.shape
    half = int(np.around(settings.k1 / 2)) + 1
    counts, columns, weights = [], [], []
    for start in range(0, n, ROWS_PER_STEP):
        rows = start, min(n, start + ROWS_PER_STEP)
        members = np.full((rows[1] - rows[0], k + k * half), n)
        sizes = expanded_sets(neighbours, half, rows, members)
        members.sort(axis=1)
        owners = np.repeat(np.arange(len(sizes)), sizes)
        inside = members[np.arange(members.shape[1]) < sizes[:, None]]
        block = distances.query_block(*rows)
        scale = np.where(largest[start:][owners] > 0, largest[start:][owners], 1)
        values = np.exp(-block.pairs(owners, inside) / scale)
        counts.append(sizes)
        columns.append(inside)
        weights.append(values / np.bincount(owners, values, len(sizes))[owners])
    return np.concatenate([[0], np.cumsum(np.concatenate(counts))]), np.concatenate(columns), np.concatenate(weights)


def _expand(matrix: Sparse, neighbours: Ints, k2: int) -> Sparse:
    from reproid.retrieval._rerank_kernels import mean_rows

    total, touched = np.zeros(len(neighbours)), np.empty(len(neighbours), np.int64)
    rows = []
    for i in range(len(neighbours)):
        found = np.sort(touched[: mean_rows(matrix, neighbours, k2, i, total, touched)])
        rows.append((found, total[found] / k2))
        total[found] = 0
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in rows])])
    return starts, np.concatenate([columns for columns, _ in rows]), np.concatenate([weights for _, weights in rows])


def _inverse(matrix: Sparse, queries: int) -> Sparse:
    """Return, for each item, which gallery tracklets have a weight there, ascending: the transpose of the gallery's rows."""
    starts, columns, weights = matrix
    first = int(starts[queries])
    gallery = np.repeat(np.arange(len(starts) - 1 - queries), np.diff(starts[queries:]))
    order = np.argsort(columns[first:], kind="stable")
    counts: npt.NDArray[np.int64] = np.bincount(columns[first:], minlength=len(starts) - 1)
    return np.concatenate([[0], np.cumsum(counts)]), gallery[order], weights[first:][order]
