"""Plain data to look at: rankings, hardest queries, rank-1 by pairs of cameras, distances of same and different persons."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from reproid.catalog.protocols import Protocol
from reproid.files import write_json
from reproid.retrieval.distances import Distances, Float64s
from reproid.retrieval.evaluation import Evaluation
from reproid.retrieval.inputs import DistanceFile, EmbeddingFile
from reproid.retrieval.ranks import rank_matches
from reproid.retrieval.rerank import Reranking
from reproid.retrieval.scores import score_queries
from reproid.retrieval.tracklets import Bools, Ints, Selection, Strings, select
from reproid.seeds import derive_seed

ROW_VALUES = 1 << 23
Source = EmbeddingFile | DistanceFile


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


def top_rankings(source: Source, protocol: Protocol, *, k: int = 10, reranking: Reranking | None = None) -> Rankings:
    """Return the first k places of each query, without the tracklets that the protocol removes."""
    selection = select(protocol, *source.labels(protocol), where=source.path)
    distances = source.distances(selection, protocol, reranking)
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


def hardest_queries(ids: Strings, ap: Float64s, *, n: int = 20) -> tuple[str, ...]:
    """Return the ids of the n queries of the lowest average precision, hardest first, ties by id.

    Args:
        ids: [Q] names.
        ap: [Q] average precisions; NaN where a query is not scored.
        n: how many, at most.
    """
    scored = ~np.isnan(ap)
    order = np.lexsort((ids[scored], ap[scored]))[:n]
    return tuple(ids[scored][order].tolist())


@dataclass(frozen=True, kw_only=True)
class CameraPairs:
    """Rank-1 where the gallery is one camera's tracklets alone."""

    cameras: tuple[int, ...]
    """[C] camids."""
    rank1: tuple[tuple[float | None, ...], ...]
    """[C][C] by query camera, then gallery camera; None where no query has a match."""
    queries: tuple[tuple[int, ...], ...]
    """[C][C] queries with a match there."""


def camera_pairs(source: Source, protocol: Protocol, *, threads: int | None = None) -> CameraPairs:
    """Return rank-1 for each pair of query camera and gallery camera."""
    whole = select(protocol, *source.labels(protocol), where=source.path)
    cameras = np.unique(np.concatenate([whole.queries.camids, whole.gallery.camids]))
    shape = len(cameras), len(cameras)
    hits, totals = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for column, camera in enumerate(cameras):
        places = np.flatnonzero(whole.gallery.camids == camera)
        if len(places) == 0:
            continue
        part = replace(whole, gallery_rows=whole.gallery_rows[places], gallery=whole.gallery.take(places))
        scores = score_queries(rank_matches(source.distances(part, protocol), part, threads=threads))
        rows = np.searchsorted(cameras, whole.queries.camids)
        np.add.at(totals[:, column], rows[scores.scored], 1)
        np.add.at(hits[:, column], rows[scores.first_hit == 1], 1)
    rank1 = [[float(h / n) if n else None for h, n in zip(*row, strict=True)] for row in zip(hits, totals, strict=True)]
    return CameraPairs(
        cameras=tuple(cameras.tolist()), rank1=tuple(map(tuple, rank1)), queries=tuple(map(tuple, totals.tolist()))
    )


@dataclass(frozen=True, kw_only=True)
class DistanceHistogram:
    """How far apart tracklets of the same and of different persons are; pairs that the protocol removes are left out."""

    edges: tuple[float, ...]
    """[bins + 1]; squared and scaled for the Euclidean distance."""
    same: tuple[int, ...]
    """[bins] pairs of one person."""
    different: tuple[int, ...]
    """[bins] pairs of two persons, of a sample."""


def distance_histogram(
    source: Source, protocol: Protocol, *, bins: int = 60, sample: int = 100_000, seed: int = 0
) -> DistanceHistogram:
    """Count distances of all same-person pairs and of a random sample of different-person pairs."""
    selection = select(protocol, *source.labels(protocol), where=source.path)
    generator = np.random.default_rng(derive_seed(seed, "control", "histogram"))
    queries = generator.integers(0, len(selection.queries), sample)
    gallery = generator.integers(0, len(selection.gallery), sample)
    different = selection.queries.pids[queries] != selection.gallery.pids[gallery]
    distances = source.distances(selection, protocol)
    apart = _pair_values(distances, queries[different], gallery[different])
    owners, members = _same_person_pairs(selection)
    alike = _pair_values(distances, owners, members)
    edges = np.histogram_bin_edges(np.concatenate([alike, apart]), bins)
    return DistanceHistogram(
        edges=tuple(edges.tolist()),
        same=tuple(np.histogram(alike, edges)[0].tolist()),
        different=tuple(np.histogram(apart, edges)[0].tolist()),
    )


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What to look at beside the scores. Made from the distances before any re-ranking."""

    protocol: str
    camera_pairs: CameraPairs
    distances: DistanceHistogram
    hardest: tuple[str, ...]
    """Ids of the queries of the lowest average precision, hardest first."""


def inspect(source: Source, evaluation: Evaluation, *, threads: int | None = None) -> Inspection:
    """Return what to look at beside the scores of an evaluation of ``source``."""
    return Inspection(
        protocol=evaluation.protocol.name,
        camera_pairs=camera_pairs(source, evaluation.protocol, threads=threads),
        distances=distance_histogram(source, evaluation.protocol),
        hardest=hardest_queries(evaluation.selection.queries.ids, evaluation.queries.ap),
    )


def write_inspection(inspection: Inspection, path: Path | str) -> None:
    """Write an inspection as JSON. Not into the folder of the metrics: every JSON file there is a metrics file."""
    write_json(path, {"schema": 1, **asdict(inspection)})


def _first_places(distances: Distances, selection: Selection, rows: tuple[int, int], k: int) -> list[tuple[Ints, Float64s]]:
    """Return (gallery indices, exact distances) of the first k places for each query of ``rows``."""
    block = distances.query_block(*rows)
    parts = list(block.blocks())
    values, margin = np.concatenate([part.values for part in parts], axis=1, dtype=np.float64), parts[0].margin
    values[_removed(selection, rows)] = np.inf
    out = []
    for i, row in enumerate(values):
        kth = np.partition(row, k - 1)[k - 1] if k < len(row) else np.inf
        places = np.flatnonzero((row <= kth + 2 * margin) & np.isfinite(row)).astype(np.int64)
        exact = block.pairs(np.full(len(places), i), places)
        order = np.lexsort((places, exact))[:k]
        out.append((places[order], exact[order]))
    return out


def _removed(selection: Selection, rows: tuple[int, int]) -> Bools:
    """Return [rows, G] which gallery tracklets are not in a query's ranking."""
    part, gallery = slice(*rows), selection.gallery
    same_camera = selection.queries.camids[part, None] == gallery.camids[None]
    removed: Bools = (selection.queries.pids[part, None] == gallery.pids[None]) & same_camera & selection.remove_same_camera
    return removed


def _same_person_pairs(selection: Selection) -> tuple[Ints, Ints]:
    owners, members = [], []
    for i in range(len(selection.queries)):
        places = np.flatnonzero((selection.gallery.pids == selection.queries.pids[i]) & ~_removed(selection, (i, i + 1))[0])
        owners.append(np.full(len(places), i))
        members.append(places)
    return np.concatenate(owners), np.concatenate(members)


def _pair_values(distances: Distances, owners: Ints, members: Ints) -> Float64s:
    """Return the exact distances of pairs whose owners count over all queries, block by block."""
    values = np.empty(len(owners))
    for start in range(0, int(owners.max(initial=0)) + 1, distances.queries_per_block):
        inside = np.flatnonzero((owners >= start) & (owners < start + distances.queries_per_block))
        if len(inside):
            stop = int(owners[inside].max()) + 1
            values[inside] = distances.query_block(start, stop).pairs(owners[inside] - start, members[inside])
    return values
