"""The first places of each ranking, and the file that keeps them, <name>.rankings.parquet."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reproid.catalog.protocols import Protocol
from reproid.files import atomic_path
from reproid.retrieval._parquet import read_columns
from reproid.retrieval.distances import Distances, Float64s
from reproid.retrieval.inputs import DistanceFile, EmbeddingFile
from reproid.retrieval.rerank import Reranking
from reproid.retrieval.tracklets import Ints, Selection, select

ROW_VALUES = 1 << 23
Source = EmbeddingFile | DistanceFile


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place of a ranking."""

    tracklet_id: str
    correct: bool
    """Whether it is the query's person."""


@dataclass(frozen=True, kw_only=True)
class Rankings:
    """The first places of each query's ranking, ordered by (distance, gallery index)."""

    query_ids: tuple[str, ...]
    """[Q]"""
    gallery_ids: tuple[tuple[str, ...], ...]
    """[Q][up to k]"""
    correct: tuple[tuple[bool, ...], ...]
    """[Q][up to k] whether it is the query's person."""
    distances: tuple[tuple[float, ...], ...]
    """[Q][up to k]; squared and scaled for the Euclidean distance."""

    def of(self, queries: Ints) -> "Rankings":
        """Return those of some queries, indices from 0..Q-1."""
        wanted = queries.tolist()
        return Rankings(
            query_ids=tuple(self.query_ids[i] for i in wanted),
            gallery_ids=tuple(self.gallery_ids[i] for i in wanted),
            correct=tuple(self.correct[i] for i in wanted),
            distances=tuple(self.distances[i] for i in wanted),
        )

    def places(self) -> tuple[tuple["Place", ...], ...]:
        """Return [Q][up to k] the same place by place."""
        rows = zip(self.gallery_ids, self.correct, strict=True)
        return tuple(tuple(Place(tracklet_id=t, correct=c) for t, c in zip(ids, right, strict=True)) for ids, right in rows)


def top_rankings(
    source: Source, protocol: Protocol, *, k: int = 10, reranking: Reranking | None = None, queries: Ints | None = None
) -> Rankings:
    """Return the first k places of queries, without the tracklets that the protocol removes.

    Args:
        source: embeddings or distances.
        protocol: the rules.
        k: places.
        reranking: how to re-rank; it looks at all queries, whichever are asked for.
        queries: indices among the protocol's queries; by default, all.
    """
    selection = select(protocol, *source.labels(protocol), where=source.path)
    if queries is not None and reranking is None:
        selection, queries = selection.of_queries(queries), None
    found = _rankings(source.distances(selection, protocol, reranking), selection, k)
    return found if queries is None else found.of(queries)


def rankings_path(metrics: Path) -> Path:
    """Return where the rankings of a metrics file are."""
    return metrics.with_name(f"{metrics.stem}.rankings.parquet")


def write_rankings(rankings: Rankings, path: Path | str) -> None:
    """Write one row per place: query_id, rank (from 1), gallery_id, correct, distance."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    lengths = [len(row) for row in rankings.gallery_ids]
    table = pa.table(
        {
            "query_id": pa.array(np.repeat(np.array(rankings.query_ids, np.str_), lengths).tolist(), pa.string()),
            "rank": pa.array([rank for n in lengths for rank in range(1, n + 1)], pa.int32()),
            "gallery_id": pa.array([name for row in rankings.gallery_ids for name in row], pa.string()),
            "correct": pa.array([value for row in rankings.correct for value in row], pa.bool_()),
            "distance": pa.array([value for row in rankings.distances for value in row], pa.float64()),
        }
    )
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_rankings(path: Path | str) -> Rankings:
    """Read what `write_rankings` wrote; a query with an empty ranking is not in it.

    Raises:
        InputError: names the file and what is wrong with it.
    """
    rows = read_columns(path, ("query_id", "gallery_id", "correct", "distance"), fix="Write it by reproid evaluate --rankings 10")
    names = list(dict.fromkeys(rows["query_id"]))
    places: dict[str, list[int]] = {name: [] for name in names}
    for place, name in enumerate(rows["query_id"]):
        places[name].append(place)
    return Rankings(
        query_ids=tuple(names),
        gallery_ids=tuple(tuple(rows["gallery_id"][i] for i in places[name]) for name in names),
        correct=tuple(tuple(rows["correct"][i] for i in places[name]) for name in names),
        distances=tuple(tuple(rows["distance"][i] for i in places[name]) for name in names),
    )


def _rankings(distances: Distances, selection: Selection, k: int) -> Rankings:
    rows = min(distances.queries_per_block, max(1, ROW_VALUES // len(selection.gallery)))
    places: list[Ints] = []
    values: list[Float64s] = []
    for start in range(0, len(selection.queries), rows):
        for columns, exact in _first_places(distances, selection, (start, min(start + rows, len(selection.queries))), k):
            places.append(columns)
            values.append(exact)
    ids, pids = selection.gallery.ids, selection.gallery.pids
    return Rankings(
        query_ids=tuple(selection.queries.ids.tolist()),
        gallery_ids=tuple(tuple(ids[row].tolist()) for row in places),
        correct=tuple(tuple((pids[row] == pid).tolist()) for row, pid in zip(places, selection.queries.pids, strict=True)),
        distances=tuple(tuple(row.tolist()) for row in values),
    )


def _first_places(distances: Distances, selection: Selection, rows: tuple[int, int], k: int) -> list[tuple[Ints, Float64s]]:
    """Return (gallery indices, exact distances) of the first k places for each query of ``rows``."""
    block = distances.query_block(*rows)
    parts = list(block.blocks())
    values, margin = np.concatenate([part.values for part in parts], axis=1, dtype=np.float64), parts[0].margin
    values[selection.removed(*rows)] = np.inf
    out = []
    for i, row in enumerate(values):
        kth = np.partition(row, k - 1)[k - 1] if k < len(row) else np.inf
        places = np.flatnonzero((row <= kth + 2 * margin) & np.isfinite(row)).astype(np.int64)
        exact = block.pairs(np.full(len(places), i), places)
        order = np.lexsort((places, exact))[:k]
        out.append((places[order], exact[order]))
    return out
