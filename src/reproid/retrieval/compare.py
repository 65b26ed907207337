"""Two runs side by side under one protocol: metrics, whether the difference is real, and the queries that flip."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reproid.errors import InputError
from reproid.retrieval.inputs import read_embeddings
from reproid.retrieval.rankings import Place, Rankings, rankings_path, read_rankings, top_rankings
from reproid.retrieval.rerank import Reranking
from reproid.retrieval.results import Result, read_result
from reproid.retrieval.significance import Difference, holm, paired_differences
from reproid.retrieval.tracklets import select

LEVEL = 0.05
SHOWN, PLACES = 20, 10
"""Flips whose rankings are made from embeddings, and places of each."""


@dataclass(frozen=True, kw_only=True)
class Flip:
    """A query that one run answers at rank 1 and the other does not."""

    query_id: str
    pid: int
    gained: bool
    """Whether B is right and A is wrong; the other way round if not."""
    ap_a: float
    ap_b: float
    first_hit_a: int
    first_hit_b: int
    ranking_a: tuple[Place, ...]
    """First places, where a rankings file lies beside the metrics, or the run's embeddings are there; else empty."""
    ranking_b: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs under one protocol."""

    a: Result
    b: Result
    differences: tuple[Difference, ...]
    adjusted_p: tuple[float, ...]
    """The permutation test's p-values of ``differences`` after Holm's correction for their number."""
    flips: tuple[Flip, ...]
    """By the size of the change in average precision, largest first."""

    @property
    def gained(self) -> int:
        """Queries that B answers at rank 1 and A does not."""
        return sum(flip.gained for flip in self.flips)

    @property
    def lost(self) -> int:
        """Queries that A answers at rank 1 and B does not."""
        return len(self.flips) - self.gained


def find_result(run: Path | str, protocol: str | None) -> Path:
    """Return the metrics file of a run.

    Args:
        run: a run's folder, or a metrics file.
        protocol: name; needed for a folder that holds several.

    Raises:
        InputError: if there is none, or several and no protocol.
    """
    run = Path(run)
    if run.is_file():
        return run
    found = {path.stem: path for path in sorted((run / "metrics").glob("*.json"))}
    if protocol is None and len(found) == 1:
        return next(iter(found.values()))
    if protocol in found:
        return found[protocol]
    names = ", ".join(found) or "no metrics file"
    raise InputError(
        "which metrics file?", where=run, expected=protocol or "one protocol", got=names, fix="Name it by --protocol"
    )


def compare(a: Path, b: Path, *, draws: int = 10_000, seed: int = 0) -> Comparison:
    """Compare two metrics files.

    Args:
        a: metrics file of run A.
        b: of run B.
        draws: resamples and permutations.
        seed: of the draws.

    Raises:
        InputError: if they were scored under two protocols, or share no query.
    """
    first, second = read_result(a), read_result(b)
    if first.protocol != second.protocol:
        names = [f"{result.protocol.name} (revision {result.protocol.revision})" for result in (first, second)]
        raise InputError("two protocols cannot be compared", where=b, expected=names[0], got=names[1])
    found = paired_differences([first.queries], [second.queries], draws=draws, seed=seed)
    return Comparison(
        a=first,
        b=second,
        differences=found,
        adjusted_p=holm([difference.p_permutation for difference in found]),
        flips=_flips(first, second),
    )


def _flips(a: Result, b: Result) -> tuple[Flip, ...]:
    x, y = a.queries, b.queries
    _, in_a, in_b = np.intersect1d(x.ids, y.ids, return_indices=True)
    flipped = (x.first_hit[in_a] == 1) != (y.first_hit[in_b] == 1)
    in_a, in_b = in_a[flipped], in_b[flipped]
    order = np.argsort(-np.abs(y.ap[in_b] - x.ap[in_a]), kind="stable")
    shown = x.ids[in_a[order][:SHOWN]].tolist()
    rankings = [_rankings_of(result, shown) for result in (a, b)]
    return tuple(
        Flip(
            query_id=str(x.ids[i]),
            pid=int(x.pids[i]),
            gained=bool(y.first_hit[j] == 1),
            ap_a=float(x.ap[i]),
            ap_b=float(y.ap[j]),
            first_hit_a=int(x.first_hit[i]),
            first_hit_b=int(y.first_hit[j]),
            ranking_a=rankings[0].get(str(x.ids[i]), ()),
            ranking_b=rankings[1].get(str(x.ids[i]), ()),
        )
        for i, j in zip(in_a[order], in_b[order], strict=True)
    )


def _rankings_of(result: Result, wanted: Sequence[str]) -> dict[str, tuple[Place, ...]]:
    """Return the first places of queries: from the rankings file beside the metrics, or else from the run's embeddings."""
    path = rankings_path(result.path)
    if path.exists():
        return by_query(read_rankings(path))
    embeddings = result.path.parent.parent / "embeddings" / f"{result.made.sampling}.npz"
    if result.path.parent.name != "metrics" or not embeddings.is_file() or not wanted:
        return {}
    source = read_embeddings(embeddings)
    known = {name: i for i, name in enumerate(select(result.protocol, *source.labels(result.protocol)).queries.ids.tolist())}
    queries = np.array([known[name] for name in wanted if name in known], np.int64)
    options = {key: value for key, value in (result.reranking or {}).items() if key != "method"}
    reranking = Reranking(**options) if result.reranking is not None else None
    return by_query(top_rankings(source, result.protocol, k=PLACES, reranking=reranking, queries=queries))


def by_query(rankings: Rankings) -> dict[str, tuple[Place, ...]]:
    """Return each query's places."""
    return dict(zip(rankings.query_ids, rankings.places(), strict=True))


def tracklets_shown(flips: Sequence[Flip]) -> tuple[str, ...]:
    """Return the ids of all tracklets whose pictures a page of these flips shows, sorted."""
    places = {place.tracklet_id for flip in flips for place in (*flip.ranking_a, *flip.ranking_b)}
    return tuple(sorted(places | {flip.query_id for flip in flips}))
