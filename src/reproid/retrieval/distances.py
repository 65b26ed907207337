"""Two sources of distances: a matrix that is given, and embeddings whose distances are computed block by block.

Legend: Q queries, G gallery tracklets, B queries of a block, C gallery columns of a block, D embedding size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from reproid.errors import InputError
from reproid.retrieval.tracklets import Ints

Floats = npt.NDArray[np.floating[Any]]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
Metric = Literal["cosine", "euclidean"]

MATRIX_BLOCK_VALUES = 1 << 21
EMBEDDING_BLOCK_VALUES = 1 << 21
UNIT_ROUNDOFF = 2.0**-24
NO_OFFSETS = (np.empty(0), np.empty((0, 0)))


@dataclass(frozen=True, kw_only=True)
class Block:
    """Distances of some queries to consecutive gallery tracklets."""

    first: int
    """Gallery index of the first column."""
    values: Floats
    """[B, C], each at most ``margin`` from the exact distance."""
    margin: float


class QueryBlock(Protocol):
    """The distances of B queries to the whole gallery."""

    exact: tuple[Any, ...]
    """How the compiled loops compute a pair's distance again, see `reproid.retrieval._kernels`."""

    def pairs(self, owners: Ints, members: Ints) -> Float64s:
        """Return the exact distances [P] of query owners[p] (0..B-1) and gallery tracklet members[p]."""

    def blocks(self) -> Iterator[Block]:
        """Yield the distances in ascending order of the gallery."""


class Distances(Protocol):
    """A source of distances between Q queries and G gallery tracklets."""

    queries_per_block: int
    """B, at most."""

    def query_block(self, start: int, stop: int) -> QueryBlock:
        """Return the distances of the queries start..stop-1.

        Raises:
            InputError: if one of them is not finite; names the query's row.
        """


class MatrixDistances:
    """Distances that are given as a matrix.

    Args:
        values: [rows, columns], float32 or float64.
        query_rows: [Q] rows that are queries.
        gallery_rows: [G] columns that are in the gallery.
        where: the file, for messages.
    """

    def __init__(self, values: Floats, query_rows: Ints, gallery_rows: Ints, *, where: object = None) -> None:
        self._values, self._rows, self._where = values, query_rows, where
        self._columns: Ints | None = None if len(gallery_rows) == values.shape[1] else gallery_rows
        self.queries_per_block = max(1, MATRIX_BLOCK_VALUES // values.shape[1])

    def query_block(self, start: int, stop: int) -> "_MatrixBlock":
        """Return the rows of the queries start..stop-1, as `Distances.query_block` says."""
        rows = self._rows[start:stop]
        contiguous = rows[-1] - rows[0] == len(rows) - 1
        values = self._values[rows[0] : rows[-1] + 1] if contiguous else self._values[rows]
        finite = np.isfinite(values)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise InputError(
                "distances must be finite",
                where=f"{self._where or 'distances'}, row {rows[row]}, column {column}",
                got=values[row, column],
            )
        return _MatrixBlock(values if self._columns is None else values[:, self._columns])


class _MatrixBlock:
    def __init__(self, values: Floats) -> None:
        from reproid.retrieval._kernels import MATRIX

        self._values = values
        empty = np.empty((0, 0), np.float32)
        self.exact = (MATRIX, empty, empty, np.empty(0), np.empty(0), 1.0, *NO_OFFSETS)

    def pairs(self, owners: Ints, members: Ints) -> Float64s:
        return self._values[owners, members].astype(np.float64)

    def blocks(self) -> Iterator[Block]:
        yield Block(first=0, values=self._values, margin=0.0)


class EmbeddingDistances:
    """Distances between embeddings, computed in float32 block by block and, where the order is open, again in float64.

    The distance of a pair is *defined* as the float64 value of `_kernels.pair_distance`, summed from the first element to
    the last: 1 - <x, y> / (|x| |y|), or the squared Euclidean distance. The float32 blocks only settle what their rounding
    error cannot change, so the block size, the number of threads and the BLAS have no influence on any rank.

    Args:
        queries: f32 [Q, D].
        gallery: f32 [G, D].
        metric: cosine (no embedding may be zero) or euclidean.
        block: (B, C), queries and gallery tracklets of one block; by default, blocks of a few MB.
        scale: power of two that brings all norms below 1; by default, found. Squared distances are given times its square.
    """

    def __init__(
        self,
        queries: Float32s,
        gallery: Float32s,
        metric: Metric,
        *,
        block: tuple[int, int] | None = None,
        scale: float | None = None,
    ) -> None:
        from reproid.retrieval._kernels import row_norms

        self._x, self._y = np.ascontiguousarray(queries), np.ascontiguousarray(gallery)
        self._metric = metric
        self._x_norm, self._y_norm = row_norms(self._x), row_norms(self._y)
        size = self._x.shape[1]
        default = 512, max(256, EMBEDDING_BLOCK_VALUES // size)
        self.queries_per_block: int
        self._columns_per_block: int
        self.queries_per_block, self._columns_per_block = block or default
        longest = max(float(self._x_norm.max()), float(self._y_norm.max()))
        # A power of two: scaling by it is exact, and float32 squares can then not overflow.
        self.scale = scale or (2.0 ** -float(np.ceil(np.log2(longest))) if longest > 0 else 1.0)
        # |fl(<x, y>) - <x, y>| <= D u / (1 - D u) |x| |y| for any order of summation (Higham 2002, Sec. 3.1), u = 2^-24, on
        # vectors of norm <= 1; 8 u more for rounding the vectors and for the operations after the product.
        error = (size + 8) * UNIT_ROUNDOFF / (1 - (size + 8) * UNIT_ROUNDOFF)
        self._margin = 1.01 * error * (1 if metric == "cosine" else 4) + 1e-30

    def query_block(self, start: int, stop: int) -> "_EmbeddingBlock":
        """Return the queries start..stop-1, as `Distances.query_block` says; embeddings are checked where they are read."""
        return _EmbeddingBlock(self, start, stop)

    @property
    def size(self) -> int:
        """Q, the number of queries."""
        return len(self._x)


class _EmbeddingBlock:
    def __init__(self, parent: EmbeddingDistances, start: int, stop: int) -> None:
        from reproid.retrieval._kernels import COSINE, EUCLIDEAN

        self._parent, self._start, self._stop = parent, start, stop
        cosine = parent._metric == "cosine"
        x, x_norm = parent._x[start:stop], parent._x_norm[start:stop]
        self.exact = (COSINE if cosine else EUCLIDEAN, x, parent._y, x_norm, parent._y_norm, parent.scale**2, *NO_OFFSETS)

    def pairs(self, owners: Ints, members: Ints) -> Float64s:
        from reproid.retrieval._kernels import pair_distances

        distances: Float64s = pair_distances(self.exact, owners, members)
        return distances

    def blocks(self) -> Iterator[Block]:
        parent = self._parent
        x = _scaled(parent, parent._x[self._start : self._stop], parent._x_norm[self._start : self._stop])
        for first in range(0, len(parent._y), parent._columns_per_block):
            part = slice(first, first + parent._columns_per_block)
            products = x @ _scaled(parent, parent._y[part], parent._y_norm[part]).T
            if parent._metric == "cosine":
                np.subtract(1, products, out=products)
            else:
                products *= -2
                products += np.square(parent._x_norm[self._start : self._stop, None] * parent.scale).astype(np.float32)
                products += np.square(parent._y_norm[None, part] * parent.scale).astype(np.float32)
            yield Block(first=first, values=products, margin=parent._margin)


def _scaled(parent: EmbeddingDistances, rows: Float32s, norms: Float64s) -> Float32s:
    """Return rows as float32 vectors of norm <= 1: unit vectors for the cosine, else all scaled by one power of two."""
    factor = 1 / norms[:, None] if parent._metric == "cosine" else parent.scale
    return (rows * np.float64(factor)).astype(np.float32)
