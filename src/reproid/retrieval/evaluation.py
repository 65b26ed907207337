"""One evaluation: a file, a protocol, and everything that is reported about them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reproid.catalog.protocols import Protocol
from reproid.errors import InputError
from reproid.files import atomic_path, write_json
from reproid.retrieval.chance import chance_level
from reproid.retrieval.distances import Float64s
from reproid.retrieval.inputs import DistanceFile, EmbeddingFile, MadeWith, check_made_with
from reproid.retrieval.intervals import bootstrap_means, by_person, percentile_intervals
from reproid.retrieval.ranks import Ranks, rank_matches
from reproid.retrieval.rerank import Reranking
from reproid.retrieval.scores import QueryScores, cmc, score_queries
from reproid.retrieval.tracklets import Ints, Selection, select
from reproid.seeds import derive_seed

SCHEMA = 1
RANKS = (1, 5, 10, 20)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How an evaluation is done. ``resamples`` and ``seed`` change the intervals alone, ``reranking`` changes all numbers."""

    resamples: int = 10_000
    """Bootstrap resamples; 0: no intervals."""
    seed: int = 0
    """Seed of the bootstrap."""
    threads: int | None = None
    """Threads; by default, one per usable core."""
    reranking: Reranking | None = None
    """k-reciprocal re-ranking; the numbers are then not comparable with those without, and labelled."""
    progress: Callable[[int], object] | None = None
    """Called with the number of queries done since the last call."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores of one file under one protocol. Fractions are 0-1."""

    protocol: Protocol
    selection: Selection
    ranks: Ranks
    queries: QueryScores
    made: MadeWith
    reranking: Reranking | None
    cmc: Float64s
    """Fraction of scored queries with a match at rank <= i + 1; stays at its last value, 1, from there on."""
    map: float
    minp: float
    dropped: Mapping[str, int]
    """Queries that are not scored, by reason."""
    chance: Mapping[str, float]
    """What rankings in random order score on these labels: see `reproid.retrieval.chance`."""
    ci95: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """95 % bootstrap intervals over persons; empty for fewer than two persons."""

    def rank(self, k: int) -> float:
        """Return the fraction of scored queries with a match among the first k."""
        return float(self.cmc[min(k, len(self.cmc)) - 1])

    def to_json(self) -> dict[str, Any]:
        """Return the content of metrics/<protocol>.json."""
        scored = int(self.queries.scored.sum())
        return {
            "schema": SCHEMA,
            "protocol": {
                "name": self.protocol.name,
                "revision": self.protocol.revision,
                "definition": self.protocol.model_dump(mode="json", exclude={"name", "revision"}),
            },
            "reranking": None if self.reranking is None else {"method": "k-reciprocal", **asdict(self.reranking)},
            "made_with": asdict(self.made),
            "counts": {
                "queries": len(self.selection.queries),
                "scored": scored,
                "dropped": dict(self.dropped),
                "gallery": self.selection.gallery_count,
                "persons": len(np.unique(self.selection.queries.pids[self.queries.scored])),
                "positives_per_query": float(self.queries.positives.sum() / scored),
            },
            "map": self.map,
            "minp": self.minp,
            **{f"rank{k}": self.rank(k) for k in RANKS},
            "cmc": self.cmc.tolist(),
            "chance": dict(self.chance),
            "ci95": {name: list(bounds) for name, bounds in self.ci95.items()},
        }


def evaluate(source: EmbeddingFile | DistanceFile, protocol: Protocol, options: Options | None = None) -> Evaluation:
    """Score a file under a protocol.

    Raises:
        InputError: if the file was made otherwise than the protocol demands, lacks what it needs, holds a value that is not
            finite, or no query has a match.
    """
    options = options or Options()
    check_made_with(source.made, protocol, where=source.path)
    selection = select(protocol, *source.labels(protocol), where=source.path)
    ranks = rank_matches(
        source.distances(selection, protocol, options.reranking), selection, threads=options.threads, progress=options.progress
    )
    queries = score_queries(ranks, ap=protocol.ap)
    dropped = dict(sorted(Counter(reason for reason in ranks.dropped.tolist() if reason).items()))
    if not queries.scored.any():
        reasons = ", ".join(f"{n} {reason}" for reason, n in dropped.items())
        raise InputError(
            f"no query has a match under protocol {protocol.name}", where=source.path, expected="at least 1", got=reasons
        )
    return Evaluation(
        protocol=protocol,
        selection=selection,
        ranks=ranks,
        queries=queries,
        made=source.made,
        reranking=options.reranking,
        cmc=cmc(queries.first_hit[queries.scored], longest=ranks.longest),
        map=float(queries.ap[queries.scored].mean()),
        minp=float(queries.inp[queries.scored].mean()),
        dropped=dropped,
        chance=chance_level(queries.positives[queries.scored], ranks.lengths[queries.scored], ap=protocol.ap, ranks=RANKS),
        ci95=_intervals(queries, selection, options),
    )


def metric_values(ap: Float64s, inp: Float64s, first_hit: Ints) -> tuple[list[str], Float64s]:
    """Return the names of the metrics and their values [S, M] for each of S scored queries; means of them are the metrics."""
    columns = {"map": ap, "minp": inp, **{f"rank{k}": (first_hit <= k).astype(np.float64) for k in RANKS}}
    return list(columns), np.stack(list(columns.values()), axis=1)


def write_evaluation(evaluation: Evaluation, out: Path | str) -> Path:
    """Write ``out`` and, beside it, ``<stem>.queries.parquet``; return the latter's path. The JSON comes last."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    q, labels = evaluation.queries, evaluation.selection.queries
    missing = ~q.scored
    columns = {
        "tracklet_id": pa.array(labels.ids.tolist(), pa.string()),
        "pid": pa.array(labels.pids, pa.int32()),
        "camid": pa.array(labels.camids, pa.int16()),
        "ap": pa.array(q.ap, pa.float64(), mask=missing),
        "inp": pa.array(q.inp, pa.float64(), mask=missing),
        "first_hit_rank": pa.array(q.first_hit, pa.int32(), mask=missing),
        "positives": pa.array(q.positives, pa.int32()),
        "dropped": pa.array(evaluation.ranks.dropped.tolist(), pa.string(), mask=q.scored),
    }
    table = Path(out).with_name(f"{Path(out).stem}.queries.parquet")
    with atomic_path(table) as temporary:
        pq.write_table(pa.table(columns), temporary)
    write_json(out, evaluation.to_json())
    return table


def _intervals(queries: QueryScores, selection: Selection, options: Options) -> Mapping[str, tuple[float, float]]:
    scored = queries.scored
    names, values = metric_values(queries.ap[scored], queries.inp[scored], queries.first_hit[scored])
    persons = by_person(values, selection.queries.pids[scored])
    if options.resamples == 0 or len(persons.queries) < 2:
        return {}
    generator = np.random.default_rng(derive_seed(options.seed, "bootstrap"))
    return percentile_intervals(bootstrap_means(persons, generator, resamples=options.resamples), names)
