"""Plain data to look at: ranking galleries, rank-1 by pairs of cameras, distances of same and of different persons."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from reproid.catalog.protocols import Protocol
from reproid.files import write_json
from reproid.retrieval.distances import Distances, Float64s
from reproid.retrieval.evaluation import Evaluation
from reproid.retrieval.rankings import Place, Source, top_rankings
from reproid.retrieval.ranks import rank_matches
from reproid.retrieval.scores import score_queries
from reproid.retrieval.tracklets import Ints, Selection, Strings, select
from reproid.seeds import derive_seed


def hardest_queries(ids: Strings, ap: Float64s, *, n: int = 10) -> Ints:
    """Return the indices of the n queries of the lowest average precision, hardest first, ties by id.

    Args:
        ids: [Q] names.
        ap: [Q] average precisions; NaN where a query is not scored.
        n: how many, at most.
    """
    scored = np.flatnonzero(~np.isnan(ap))
    return scored[np.lexsort((ids[scored], ap[scored]))[:n]]


def drawn_queries(ap: Float64s, *, n: int = 10, seed: int = 0) -> Ints:
    """Return the indices of n scored queries, at most, drawn at random, in their order: nobody has chosen them."""
    scored = np.flatnonzero(~np.isnan(ap))
    generator = np.random.default_rng(derive_seed(seed, "control", "gallery"))
    return np.sort(generator.choice(scored, min(n, len(scored)), replace=False))


@dataclass(frozen=True, kw_only=True)
class QueryGallery:
    """One query with the first places of its ranking."""

    query_id: str
    pid: int
    camid: int
    ap: float
    first_hit_rank: int
    positives: int
    """Matches in the whole ranking."""
    places: tuple[Place, ...]


def query_galleries(source: Source, evaluation: Evaluation, queries: Ints, *, k: int = 10) -> tuple[QueryGallery, ...]:
    """Return the galleries of some scored queries of an evaluation of ``source``: re-ranked if it is.

    Args:
        source: what was evaluated.
        evaluation: its scores.
        queries: indices among the evaluation's queries.
        k: places.
    """
    rankings = top_rankings(source, evaluation.protocol, k=k, reranking=evaluation.reranking, queries=queries)
    labels, scores = evaluation.selection.queries, evaluation.queries
    return tuple(
        QueryGallery(
            query_id=str(labels.ids[i]),
            pid=int(labels.pids[i]),
            camid=int(labels.camids[i]),
            ap=float(scores.ap[i]),
            first_hit_rank=int(scores.first_hit[i]),
            positives=int(scores.positives[i]),
            places=places,
        )
        for i, places in zip(queries.tolist(), rankings.places(), strict=True)
    )


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
    """What to look at beside the scores. Camera pairs and distances are those before any re-ranking."""

    protocol: str
    revision: int
    camera_pairs: CameraPairs
    distances: DistanceHistogram
    drawn: tuple[QueryGallery, ...]
    """Queries drawn at random."""
    hardest: tuple[QueryGallery, ...]
    """Those of the lowest average precision, hardest first."""


def inspect(source: Source, evaluation: Evaluation, *, threads: int | None = None) -> Inspection:
    """Return what to look at beside the scores of an evaluation of ``source``."""
    ids, ap = evaluation.selection.queries.ids, evaluation.queries.ap
    return Inspection(
        protocol=evaluation.protocol.name,
        revision=evaluation.protocol.revision,
        camera_pairs=camera_pairs(source, evaluation.protocol, threads=threads),
        distances=distance_histogram(source, evaluation.protocol),
        drawn=query_galleries(source, evaluation, drawn_queries(ap)),
        hardest=query_galleries(source, evaluation, hardest_queries(ids, ap)),
    )


def write_inspection(inspection: Inspection, path: Path | str) -> None:
    """Write an inspection as JSON. Not into the folder of the metrics: every JSON file there is a metrics file."""
    write_json(path, {"schema": 1, **asdict(inspection)})


def _same_person_pairs(selection: Selection) -> tuple[Ints, Ints]:
    owners, members = [], []
    for i in range(len(selection.queries)):
        places = np.flatnonzero((selection.gallery.pids == selection.queries.pids[i]) & ~selection.removed(i, i + 1)[0])
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
